"""What is made by name only: predictions for a folder, a comparison with another run, annotation lists."""

import shutil

import pandas as pd

RESULTS = "results/tiny"


def test_the_videos_of_a_folder_are_named_as_in_evaluation(finished):
    rows = pd.read_csv(finished.folder / RESULTS / "split1/seed7/segments/predictions.csv").set_index("video")
    video = finished.folder / "data/tiny/videos/Retreat/v_Retreat_g01_c01.avi"
    (finished.folder / "mine").mkdir()
    shutil.copy(video, finished.folder / "mine")
    (finished.folder / "mine" / "broken.avi").write_text("no video")
    finished.run("predict", "--config", "predict={videos: mine}")
    answers = pd.read_csv(finished.folder / RESULTS / "predictions.csv").set_index("video")
    assert answers.loc["mine/broken.avi"].status == "unreadable"
    answer, row = answers.loc["mine/v_Retreat_g01_c01.avi"], rows.loc["v_Retreat_g01_c01"]
    assert answer.top1_class == row.top1_class
    assert abs(answer.top1_probability - row.top1_probability) < 1e-4


def test_a_run_compared_with_itself_differs_in_nothing(finished):
    shutil.copytree(finished.folder / RESULTS, finished.folder / "results/other")
    finished.run(f"{RESULTS}/compare_other.csv")
    table = pd.read_csv(finished.folder / RESULTS / "compare_other.csv")
    assert list(table.split.astype(str)) == ["1", "2", "all"]
    assert (table.difference == 0).all()


def test_annotation_lists_name_every_training_video(finished):
    finished.run("export_lists")
    lines = (finished.folder / "data/tiny/annotations/split1_train.txt").read_text().splitlines()
    assert lines[0] == "Approach/v_Approach_g02_c01 20 0"
    assert len(lines) == 9
