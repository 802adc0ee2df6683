"""Archives that are moved away once everything is made of them."""

import shutil


def test_a_finished_run_and_its_report_need_no_archive(finished):
    link = finished.folder / "resources" / "tiny" / "videos.zip"
    link.unlink()
    link.symlink_to(finished.folder / "source" / "videos.zip")  # as it would be had the run been made here
    shutil.rmtree(finished.folder / "source")
    assert finished.would_run() == {}
    assert "Nothing to be done" in finished.run()
    finished.run("--report", "report.html")
    # Another run can share the data set, and a job of the finished one can be repeated.
    assert "unpack" not in finished.would_run("--config", "run=second")
    (finished.folder / "results" / "tiny" / "accuracy.csv").unlink()
    finished.run()
    assert (finished.folder / "results" / "tiny" / "accuracy.csv").is_file()
    shutil.rmtree(finished.folder / "data" / "tiny" / "videos" / ".unpacked")
    assert "dataset: videos: source/videos.zip does not exist" in finished.fail("--dry-run")
