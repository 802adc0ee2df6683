"""Bad input ends with an error that names it, and leaves nothing half-written."""

import zipfile

from helpers.tiny_project import video_name, write_video


def replace_in_archive(path, change):
    """Rewrite a ZIP; `change(name, data)` gives the new bytes of a member, or None to leave it out."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            new = change(name, data)
            if new is not None:
                archive.writestr(name, new)


def test_an_unknown_key_is_named_with_its_nearest_spelling(fresh):
    text = fresh.fail("--dry-run", "--config", "train={bach_size: 3}")
    assert "train: bach_size" in text and "batch_size" in text
    assert "Traceback" not in text


def test_a_wrong_checksum_stops_before_anything_is_unpacked(fresh):
    text = fresh.fail("--config", f"dataset={{videos_sha256: {'0' * 64}}}")
    assert "0" * 64 in text and "videos.zip" in text
    assert not (fresh.folder / "data/tiny/videos").exists()
    assert not list((fresh.folder / "resources/tiny").glob("*.zip"))


def test_a_url_needs_a_checksum(fresh):
    text = fresh.fail("--config", "dataset={videos: ['http://127.0.0.1:9/UCF101.zip']}")
    assert "videos_sha256" in text


def test_a_missing_video_is_named(fresh):
    missing = f"{video_name('Approach', 2)}.avi"
    replace_in_archive(fresh.folder / "source/videos.zip", lambda name, data: None if missing in name else data)
    text = fresh.fail()
    assert "v_Approach_g02_c01" in text and "missing" in text and "leave_out" in text
    assert not (fresh.folder / "results/tiny/splits/split1.csv").exists()
    assert "missing" in (fresh.folder / "results/tiny/audit.csv").read_text()


def test_videos_that_do_not_decode_are_all_named_with_what_ffmpeg_says(fresh):
    broken = [f"{video_name(name, 3)}.avi" for name in ("Approach", "Retreat")]

    def change(name, data):
        return b"no video at all" if any(video in name for video in broken) else data

    replace_in_archive(fresh.folder / "source/videos.zip", change)
    text = fresh.fail()
    assert "v_Approach_g03_c01" in text and "v_Retreat_g03_c01" in text
    assert "Invalid data found" in text


def test_faulty_videos_can_be_left_out_and_that_shows(fresh):
    broken = f"{video_name('Approach', 1)}.avi"
    replace_in_archive(fresh.folder / "source/videos.zip", lambda name, data: b"no video" if broken in name else data)
    fresh.run("--config", "dataset={faulty_videos: leave_out}", "--", "results/tiny/splits/split1.csv")
    table = (fresh.folder / "results/tiny/splits/split1.csv").read_text()
    assert "v_Approach_g01_c01" not in table
    assert "unreadable" in (fresh.folder / "results/tiny/audit.csv").read_text()


def test_a_class_that_no_list_knows_is_named(fresh):
    write_video(fresh.folder / "source" / "v_Aproach_g09_c01.avi", seed=1)
    with zipfile.ZipFile(fresh.folder / "source/videos.zip", "a") as archive:
        archive.write(fresh.folder / "source" / "v_Aproach_g09_c01.avi", "UCF101/v_Aproach_g09_c01.avi")
    text = fresh.fail()
    assert "Aproach" in text and "Approach" in text
    assert not list((fresh.folder / "data/tiny/videos").glob("*/*.avi"))


def test_an_empty_split_is_refused(fresh):
    def change(name, data):
        return b"" if name.endswith("testlist01.txt") else data

    replace_in_archive(fresh.folder / "source/lists.zip", change)
    text = fresh.fail("--", "results/tiny/splits/split1.csv")
    assert "testlist01" in text or "split 1" in text
    assert not (fresh.folder / "results/tiny/splits/split1.csv").exists()


def test_a_gpu_that_is_not_there_is_an_error(fresh):
    text = fresh.fail("--config", "device=gpu", "--", "results/tiny/split1/seed7/weights.pdparams")
    assert text.splitlines()[-1].startswith("  - device: gpu, but ")
    assert not (fresh.folder / "data").exists()


def test_the_error_of_a_job_is_the_last_line(fresh):
    text = fresh.fail("--config", "train={learning_rate: 1e6}", "--", "results/tiny/split1/seed7/weights.pdparams")
    assert text.splitlines()[-1].startswith("error in train (split 1, seed 7): the loss became ")
    assert text.splitlines()[-1].endswith("(log: logs/train/tiny/split1_seed7.log)")
    assert not (fresh.folder / "results/tiny/split1/seed7/weights.pdparams").exists()


def test_a_folder_of_videos_is_linked_and_left_alone(fresh):
    source = fresh.folder / "source"
    with zipfile.ZipFile(source / "videos.zip") as archive:
        archive.extractall(source)
    settings = "dataset={videos: [source/UCF101]}"
    fresh.run("--config", settings, "--", "data/tiny/frames/24px_q80/Retreat.csv")
    video = fresh.folder / "data/tiny/videos/Retreat/v_Retreat_g01_c01.avi"
    assert video.is_symlink() and video.resolve().parent == (source / "UCF101").resolve()
    assert "download_videos" not in fresh.would_run("--config", settings)
