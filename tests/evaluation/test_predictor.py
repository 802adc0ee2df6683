"""The exported network equals the network, on every engine, and predicts every video once."""

import json
import shutil

import numpy as np
import paddle
import pytest
import simplejpeg

from helpers.exported import CLIP, MODEL, random_clips, random_network, write_model
from video3d.clips.clip_reader import centre_request, read_clip
from video3d.clips.spatial_crops import FIRST_RESIZING
from video3d.common.documents import sealed
from video3d.common.errors import UserError
from video3d.common.settings import EvaluateSettings, UniformViews
from video3d.dataset.split_table import Video
from video3d.evaluation.engines import choose_engine
from video3d.evaluation.predictor import Predictor, predict_videos, softmax, top_labels
from video3d.evaluation.protocols import views
from video3d.frames.extraction import Decoders
from video3d.frames.frame_pack import Pack, PackWriter
from video3d.model.normalised_model import NormalisedModel

NETWORKS = {
    "reference": MODEL,
    "A": MODEL | {"depth": 18, "shortcut": "A"},
    "B, bottleneck, cardinality": MODEL | {"depth": 50, "shortcut": "B", "cardinality": 4},
}


def eager(network, clips: np.ndarray, clip: dict = CLIP) -> np.ndarray:
    """The logits of the network as training and validation compute them."""
    classifier = NormalisedModel(network, clip)
    classifier.eval()
    with paddle.no_grad():
        return classifier(paddle.to_tensor(clips)).numpy()


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("exported") / "model")


@pytest.mark.parametrize("name", NETWORKS)
def test_exported_network_equals_the_network(tmp_path, name):
    network = random_network(NETWORKS[name])
    folder = write_model(tmp_path / "model", network)
    clips = random_clips(3)
    expected = eager(network, clips)
    for engine in ("plain", "onednn"):
        np.testing.assert_allclose(Predictor(folder, engine, "cpu")(clips), expected, atol=1e-4, rtol=0)


def test_difference_input_is_exported(tmp_path):
    clip = CLIP | {"input": "difference"}
    network = random_network()
    folder = write_model(tmp_path / "model", network, clip)
    clips = random_clips(2)
    expected = eager(network, clips, clip)
    np.testing.assert_allclose(Predictor(folder, device="cpu")(clips), expected, atol=1e-4, rtol=0)


def test_a_model_from_before_the_resizing_was_told_had_the_first_one(tmp_path):
    folder = write_model(tmp_path / "model")
    metadata = json.loads((folder / "metadata.json").read_text())
    assert Predictor(folder, device="cpu").resizing == metadata.pop("resizing") == "triangle"
    (folder / "metadata.json").write_text(sealed(metadata))
    assert Predictor(folder, device="cpu").resizing == FIRST_RESIZING


def test_an_unknown_resizing_is_refused(tmp_path):
    folder = write_model(tmp_path / "model", resizing="lanczos")
    with pytest.raises(UserError, match=r"metadata.json: .*'lanczos'.*known are triangle"):
        Predictor(folder, device="cpu")


def test_real_clips(tmp_path, ucf101_mini):
    """At the size of the reference recipe, with frames as the workflow stores them."""
    clip = CLIP | {"frames": 16, "size": 112}
    network = random_network(MODEL | {"depth": 18, "width": 8})
    folder = write_model(tmp_path / "model", network, clip)
    files = [ucf101_mini / f"UCF-101/{name}/v_{name}_g01_c01.avi" for name in ("Punch", "PushUps")]
    with Decoders(files, 170, 85, 2) as decoders, PackWriter(tmp_path / "pack.zip") as writer:
        for decoding in decoders:
            writer.add(decoding.video.stem, decoders.frames(decoding))
    pack = Pack(tmp_path / "pack.zip")
    clips = np.empty((2, 16, 112, 112, 3), np.uint8)
    for out, (name, frames) in zip(clips, pack.videos.items(), strict=True):
        indices = views("segments", frames, 16, UniformViews()).indices[0]
        read_clip(out, centre_request(Video(name, "", 0, 0, "test", frames), pack, indices))
    expected = eager(network, clips, clip)
    for engine in ("plain", "onednn"):
        np.testing.assert_allclose(Predictor(folder, engine, "cpu", 2)(clips), expected, atol=1e-4, rtol=0)


def test_batches_of_any_size(model):
    predictor = Predictor(model, device="cpu")
    clips = random_clips(5)
    together = predictor(clips)
    assert together.shape == (5, 3)
    assert together.dtype == np.float32
    for size in (1, 2, 5):
        parts = [predictor(clips[start : start + size]) for start in range(0, 5, size)]
        np.testing.assert_allclose(np.concatenate(parts), together, atol=1e-5)


def test_folder_works_elsewhere(model, tmp_path):
    moved = shutil.copytree(model, tmp_path / "else where" / "ß")
    clips = random_clips(1)
    np.testing.assert_array_equal(Predictor(moved, device="cpu")(clips), Predictor(model, device="cpu")(clips))


def test_native_code_writes_nothing_to_standard_output(model, capfd):
    Predictor(model, "onednn", "cpu")(random_clips(2))
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_every_video_is_predicted_once_whatever_the_batch(model, tmp_path, batch_size):
    """Each answer is recomputed from the views of the video alone."""
    predictor = Predictor(model, device="cpu")
    packs, videos = {}, []
    for name, frames in (("Archery", 3), ("Biking", 16), ("Bowling", 7), ("Diving", 9)):
        rng = np.random.default_rng(frames)
        jpegs = [simplejpeg.encode_jpeg(rng.integers(0, 256, (18, 24, 3), np.uint8), 95) for _ in range(frames)]
        with PackWriter(tmp_path / f"{name}.zip") as writer:
            writer.add(f"v_{name}", jpegs)
        packs[name] = Pack(tmp_path / f"{name}.zip")
        videos.append(Video(f"v_{name}", name, 0, 1, "test", frames))
    settings = EvaluateSettings(batch_size=batch_size, uniform=UniformViews(clips=2, flip=True))
    for protocol, counts in (("segments", [1, 1, 1, 1]), ("sliding", [1, 4, 2, 3]), ("uniform", [4, 4, 4, 4])):
        predicted = predict_videos(predictor, videos, packs, protocol, settings, threads=2)
        assert predicted.clip_video.tolist() == np.repeat(range(4), counts).tolist()
        assert predicted.clip_counts.tolist() == counts
        for position, video in enumerate(videos):
            shown = views(protocol, video.frames, 4, settings.uniform)
            clips = np.empty((counts[position], *predictor.clip_shape), np.uint8)
            for out, indices, mirrored in zip(clips, *shown, strict=True):
                read_clip(out, centre_request(video, packs[video.class_name], indices, bool(mirrored)))
            probabilities = softmax(predictor(clips))
            np.testing.assert_allclose(predicted.probabilities[position], probabilities.mean(axis=0), atol=1e-5)
            own = predicted.clip_predicted[predicted.clip_video == position]
            assert own.tolist() == probabilities.argmax(1).tolist()
        np.testing.assert_allclose(predicted.probabilities.sum(axis=1), 1, atol=1e-6)


def test_the_top_labels_are_the_most_probable_and_of_equals_the_smaller():
    assert top_labels(np.array([0.1, 0.3, 0.1, 0.05, 0.4, 0.03, 0.02])).tolist() == [4, 1, 0, 2, 3]
    assert top_labels(np.array([0.5, 0.5])).tolist() == [0, 1]


def test_softmax_of_large_logits():
    np.testing.assert_allclose(softmax(np.array([[1000.0, 1000.0, -1000.0]])), [[0.5, 0.5, 0]])


def test_answers_that_are_no_numbers_are_refused(tmp_path):
    network = random_network()
    network.fc.bias.set_value(np.full(network.fc.bias.shape, np.nan, np.float32))
    model = write_model(tmp_path / "model", network)
    with pytest.raises(UserError, match=r"model answers with infinite values or no numbers.*history\.csv"):
        Predictor(model, device="cpu")


def test_folder_that_is_no_model(tmp_path):
    with pytest.raises(UserError, match=r"has no model\.json, model\.pdiparams, metadata\.json"):
        Predictor(tmp_path, device="cpu")


def test_damaged_metadata(model, tmp_path):
    folder = shutil.copytree(model, tmp_path / "model")
    (folder / "metadata.json").write_text(json.dumps({"labels": ["a"]}))
    with pytest.raises(UserError, match=r"metadata\.json is damaged.*export the model again"):
        Predictor(folder, device="cpu")


@pytest.mark.parametrize("name", ["model.json", "model.pdiparams"])
def test_damaged_model(model, tmp_path, name):
    folder = shutil.copytree(model, tmp_path / "model")
    (folder / name).write_bytes((folder / name).read_bytes()[:1000])
    with pytest.raises(UserError, match=rf"{name} damaged, or of another model; export the model again"):
        Predictor(folder, device="cpu")


@pytest.mark.parametrize(
    ("engine", "device", "message"),
    [("tensorrt", "cpu", "runs on a GPU"), ("onednn", "gpu", "runs on a CPU"), ("tensorrt", "gpu", "cannot be used")],
)
def test_engines_that_cannot_run(engine, device, message):
    with pytest.raises(UserError, match=message):
        choose_engine(engine, device)


def test_engine_chosen_by_device():
    assert [choose_engine("auto", device) for device in ("cpu", "gpu")] == ["onednn", "plain"]
