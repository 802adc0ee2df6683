"""What is recomputed after a change, and nothing else."""

import json
import os
import re
import shutil
import time

import pandas as pd
import pytest

from helpers.tiny_project import Workflow, write_video

AFTER_WEIGHTS = {"check_weights", "export", "evaluate", "accuracy", "figures"}
AFTER_TRAINING = {"train", *AFTER_WEIGHTS}
ACCURACY = "--", "results/tiny/accuracy.csv"  # a target that draws no figures, which take the longest


def test_a_second_run_does_nothing(finished):
    assert finished.would_run() == {}
    assert "Nothing to be done" in finished.run()


def test_replaced_weights_are_exported_and_evaluated(finished):
    weights = finished.folder / "results/tiny/split1/seed7/weights.pdparams"
    other = finished.folder / "results/tiny/split2/seed7/weights.pdparams"
    shutil.copyfile(other, weights)
    jobs = finished.jobs()
    assert {job["rule"] for job in jobs} - {"all"} == AFTER_WEIGHTS
    assert all("split=1" in job["wildcards"] for job in jobs if job["rule"] in {"export", "evaluate"})
    finished.run(*ACCURACY)
    assert finished.would_run() == {"figures": 1}


def test_weights_in_the_settings_concern_their_split_only(finished):
    weights = finished.folder / "mine.pdparams"
    shutil.copyfile(finished.folder / "results/tiny/split1/seed7/weights.pdparams", weights)
    shutil.copyfile(finished.folder / "results/tiny/split1/seed7/weights.json", finished.folder / "mine.json")
    jobs = finished.jobs("--config", "evaluate={weights: {2: mine.pdparams}}")
    assert {job["rule"] for job in jobs} - {"all"} == AFTER_WEIGHTS
    assert all("split=2" in job["wildcards"] for job in jobs if job["rule"] in {"export", "evaluate"})


def test_an_evaluate_setting_does_not_train(finished):
    assert set(finished.would_run("--config", "evaluate={batch_size: 2}")) == {"evaluate", "accuracy", "figures"}
    assert set(finished.would_run("--config", "evaluate={protocols: [segments, sliding]}")) == {
        "evaluate",
        "accuracy",
        "figures",
    }


def test_a_train_setting_trains(finished):
    assert set(finished.would_run("--config", "train={epochs: 3}", "replace=true")) == AFTER_TRAINING


def test_a_frames_setting_extracts(finished):
    rules = finished.would_run("--config", "frames={short_side: 20}", "replace=true")
    assert rules["extract_frames"] == 3
    assert "download_videos" not in rules and "unpack" not in rules


@pytest.mark.parametrize("key", ["device=auto", "dataset={videos: [source/videos.zip, elsewhere.zip]}"])
def test_settings_that_change_no_result_rerun_nothing(finished, key):
    assert "train" not in finished.would_run("--config", key)


def test_an_edited_figure_script_redraws_the_figures(finished):
    finished.edit("workflow_scripts/figures.py", "def main(", "NEW_CONSTANT = 1\n\n\ndef main(")
    assert finished.would_run() == {"figures": 1}


def test_comments_and_docstrings_rerun_nothing(finished):
    finished.edit("workflow_scripts/train.py", '"""', '"""Another first line. ')
    finished.edit("workflow_scripts/video3d/training/loop.py", "import ", "# a comment\nimport ")
    finished.edit("workflow_scripts/video3d/model/resnet3d.py", '"""', '"""Another first line. ')
    assert finished.would_run() == {}


def test_an_edited_description_of_a_setting_reruns_nothing(finished):
    finished.edit("workflow_scripts/video3d/common/settings.py", '"""passes over the', '"""how many passes over the')
    finished.edit("workflow_scripts/video3d/common/settings_errors.py", '"a whole number"', '"an integer"')
    assert finished.would_run() == {}


def test_a_new_setting_concerns_its_section_only(finished):
    file = "workflow_scripts/video3d/common/settings.py"
    finished.edit(file, 'note: Prose = ""\n', 'note: Prose = ""\n    """a sentence"""\n\n    footer: str = ""\n')
    assert finished.would_run() == {"figures": 1}
    finished.edit(file, "epochs: Count = 25\n", 'epochs: Count = 25\n    """passes"""\n\n    patience: Count = 1\n')
    assert "train" in finished.would_run()


def test_new_file_times_rerun_nothing(finished):
    later = time.time() + 60
    for folder in ("workflow_scripts", "rules", "report", "schemas"):
        for path in (finished.folder / folder).rglob("*"):
            os.utime(path, (later, later))
    for name in ("Snakefile", "config.yaml", "tiny.yaml"):
        os.utime(finished.folder / name, (later, later))
    assert finished.would_run() == {}


def test_an_edited_network_trains(finished):
    with (finished.folder / "workflow_scripts/video3d/model/resnet3d.py").open("a") as file:
        file.write("\n\nNEW_CONSTANT = 1\n")
    rules = finished.would_run()
    assert set(rules) == AFTER_TRAINING
    assert rules["train"] == 2


def test_an_edited_conversion_concerns_only_trainings_that_start_from_weights(finished):
    (finished.folder / "start.pdparams").write_bytes(b"")

    def code(*settings):
        printed = finished.run("--dry-run", "--printshellcmds", "--forcerun", "train", "--config", *settings)
        return set(re.findall(r"train\.py .* --code (\w+)", printed))

    tuned = "train={weights: start.pdparams}"
    before = code("run=tiny"), code("run=tiny", tuned, "replace=true")
    with (finished.folder / "workflow_scripts/video3d/weights/import_weights.py").open("a") as file:
        file.write("\n\nNEW_CONSTANT = 1\n")
    after = code("run=tiny"), code("run=tiny", tuned, "replace=true")
    assert len(before[0]) == len(before[1]) == 1
    assert after[0] == before[0] and after[1] != before[1]


def test_a_description_that_appears_beside_given_weights_counts(finished):
    trained = finished.folder / "results/tiny/split1/seed7"
    shutil.copyfile(trained / "weights.pdparams", finished.folder / "mine.pdparams")
    given = "--config", "evaluate={weights: {1: mine.pdparams}}"
    finished.run(*given, *ACCURACY)
    assert finished.would_run(*given) == {"figures": 1}
    shutil.copyfile(trained / "weights.json", finished.folder / "mine.json")
    assert "export" in finished.would_run(*given)


def test_edited_extraction_code_extracts(finished):
    with (finished.folder / "workflow_scripts/video3d/frames/extraction.py").open("a") as file:
        file.write("\n\nNEW_CONSTANT = 1\n")
    assert finished.would_run()["extract_frames"] == 3


def test_one_replaced_video_concerns_its_class_only(finished):
    write_video(finished.folder / "data/tiny/videos/Retreat/v_Retreat_g04_c01.avi", seed=99)
    jobs = finished.jobs()
    extractions = [job for job in jobs if job["rule"] == "extract_frames"]
    assert [job["wildcards"] for job in extractions] == ["class_name=Retreat"]
    assert {job["rule"] for job in jobs} == {"all", "extract_frames", "audit", "make_splits", *AFTER_TRAINING}


def test_videos_that_are_overwritten_added_or_removed_concern_their_class_only(finished):
    videos = finished.folder / "data/tiny/videos"
    with (videos / "Retreat/v_Retreat_g04_c01.avi").open("r+b") as file:  # in place, with as many bytes
        file.seek(1000)
        file.write(b"another")
    assert stale_classes(finished) == {"Retreat"}
    shutil.copy2(videos / "Approach/v_Approach_g04_c01.avi", videos / "Approach/v_Approach_g04_c02.avi")
    assert stale_classes(finished) == {"Retreat", "Approach"}
    (videos / "HandstandPushups/v_HandStandPushups_g04_c01.avi").unlink()
    assert stale_classes(finished) == {"Retreat", "Approach", "HandstandPushups"}


def stale_classes(workflow):
    """Return the classes whose frames a dry run would extract."""
    jobs = [job for job in workflow.jobs() if job["rule"] == "extract_frames"]
    return {job["wildcards"].removeprefix("class_name=") for job in jobs}


def test_a_copy_without_file_times_repeats_nothing_up_to_the_training(finished, tmp_path):
    time.sleep(0.01)
    shutil.copytree(finished.folder, tmp_path / "copy", copy_function=shutil.copyfile, symlinks=True)
    copy = Workflow(tmp_path / "copy")
    assert not {"download_splits", "unpack", "extract_frames", "audit", "make_splits", "train"} & set(copy.would_run())
    write_video(copy.folder / "data/tiny/videos/Retreat/v_Retreat_g04_c01.avi", seed=99)
    assert stale_classes(copy) == {"Retreat"}


def test_a_new_video_in_a_folder_is_known_once_it_is_unpacked_and_concerns_its_class_only(finished):
    shutil.copytree(finished.folder / "data/tiny/videos", finished.folder / "mine")
    new = finished.folder / "mine/Retreat/v_Retreat_g05_c01.avi"
    write_video(new, seed=99)
    frames = finished.folder / "data/tiny/frames/24px_q80"
    before = (frames / "Approach.zip").stat()
    targets = [f"data/tiny/frames/24px_q80/{name}.csv" for name in ("Approach", "HandstandPushups", "Retreat")]
    linked = "--config", "dataset={videos: [mine]}", "--", *targets
    finished.run(*linked)
    assert len(pd.read_csv(frames / "Retreat.csv")) == 5
    assert (frames / "Approach.zip").stat() == before
    assert finished.would_run(*linked) == {}
    new.unlink()
    write_video(new, seed=98)
    assert finished.would_run(*linked) == {"extract_frames": 1}


def test_frames_extracted_again_with_the_same_content_train_nothing(finished):
    before = (finished.folder / "data/tiny/frames/24px_q80/Retreat.csv").read_bytes()
    time.sleep(1)
    finished.run("--force", "data/tiny/frames/24px_q80/Retreat.zip")
    assert (finished.folder / "data/tiny/frames/24px_q80/Retreat.csv").read_bytes() == before
    assert finished.would_run() == {}


def test_a_training_that_is_scheduled_again_with_the_same_data_ends_at_once(finished):
    weights = finished.folder / "results/tiny/split1/seed7/weights.pdparams"
    before = weights.read_bytes()
    history = (finished.folder / "results/tiny/split1/seed7/history.csv").read_bytes()
    finished.run("--force", str(weights.relative_to(finished.folder)))
    assert weights.read_bytes() == before
    # The speeds and seconds in there would differ if a single epoch had been trained.
    assert (finished.folder / "results/tiny/split1/seed7/history.csv").read_bytes() == history


def test_any_text_may_be_the_name_of_a_file(finished):
    """Braces and angle brackets mean something to Snakemake, the rest to a shell or to a script's options."""
    name = "-ü ;$x 'q' \"Q\" \\ & a{b} <run> {split}"
    trained = finished.folder / "results/tiny/split1/seed7"
    for suffix, source in ((".pdparams", "weights.pdparams"), (".json", "weights.json")):
        shutil.copyfile(trained / source, finished.folder / f"{name}{suffix}")
    folder = finished.folder / f"{name} clips"
    folder.mkdir()
    write_video(folder / "clip.avi", seed=1)
    (folder / "clip.avi").rename(folder / f"{name}.avi")
    os.mkfifo(folder / "~pipe")
    shutil.copyfile(finished.folder / "source/videos.zip", finished.folder / f"{name}.zip")
    finished.edit("tiny.yaml", "videos: [source/videos.zip]", "videos: [" + json.dumps(f"{name}.zip") + "]")
    settings = {
        "run": "odd",
        "replace": True,
        "train": {"weights": f"{name}.pdparams"},
        "evaluate": {"weights": {"2": f"{name}.pdparams"}, "allow_leak": True},
        "predict": {"videos": f"{name} clips"},
        "report": {"note": f"{name} <!--<script> {{split}}"},
    }
    (finished.folder / "odd.yaml").write_text(json.dumps(settings))
    call = ("--configfile", "tiny.yaml", "odd.yaml")
    assert finished.would_run(*call) | {"train": 1, "export": 2, "evaluate": 2} == finished.would_run(*call)
    finished.run(*call)
    assert finished.would_run(*call) == {}
    assert "1 of 2 files have no answer; results/odd/predictions.csv has" in finished.fail(*call, "--", "predict")
    answers = pd.read_csv(finished.folder / "results/odd/predictions.csv")
    assert f"{name}.avi" in answers.video[0]
    assert answers.status.tolist() == ["ok", "unreadable"]
    other = finished.folder / "results/odd/split1/seed7/weights.pdparams"
    shutil.copyfile(other, finished.folder / f"{name}.pdparams")
    assert {"train", "export"} <= set(finished.would_run(*call))
