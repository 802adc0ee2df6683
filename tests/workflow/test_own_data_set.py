"""Own videos: the commands of docs/own-data.md, word for word, on videos made here; and what a second day runs."""

import csv
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.paths import PROJECT
from helpers.prepared_python import run_snakemake
from helpers.tiny_project import Workflow, write_video
from video3d.frames.ffmpeg import ffmpeg_program

DOCUMENT = (PROJECT / "docs" / "own-data.md").read_text(encoding="utf-8")
NAMES = ["anna 1.mp4", "anna 2.mov", "ben's.webm", '陈 "x" {y}.mkv', "deep/er/<dora>.mp4", "con.avi"]
CLASSES = ["clapping", "挥手", "con"]


class Own(Workflow):
    """A copy of the project with a folder of own videos."""

    def _arguments(self, *arguments: str) -> list[str]:
        return ["--configfile", "recipes/own_videos.yaml", "--cores", "2", *arguments]

    @property
    def videos(self) -> Path:
        return self.folder / "my videos"


def convert(avi: Path, path: Path) -> None:
    """Write a video again in the container that its name says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    codec = "libvpx" if path.suffix == ".webm" else "libx264"
    command = [ffmpeg_program(), "-v", "error", "-i", avi, "-c:v", codec, "-pix_fmt", "yuv420p", f"file:{path}"]
    subprocess.run(command, check=True)


def add_class(folder: Path, seed: int) -> None:
    for number, name in enumerate(NAMES):
        avi = folder.parent.parent / "made.avi"
        write_video(avi, 10 * seed + number)
        convert(avi, folder / name)
    (folder / ".DS_Store").touch()
    (folder / "poster.jpg").touch()


@pytest.fixture(scope="module")
def finished_own(fresh_project, make_once) -> Path:
    """A project after the document's first command; the network is made smaller, as the sentence under it allows."""

    def run(folder: Path) -> None:
        shutil.copytree(fresh_project, folder, symlinks=True)
        project = Own(folder)
        for seed, name in enumerate(CLASSES):
            add_class(project.videos / name, seed)
        project.edit("recipes/own_videos.yaml", "epochs: 20", "epochs: 1")
        project.edit("recipes/own_videos.yaml", "width: 16", "width: 2")
        export, command = re.search(r"```bash\n(export OWN_VIDEOS=\S+)\nsnakemake (.*)\n```", DOCUMENT).groups()
        os.environ["OWN_VIDEOS"] = export.partition("=")[2].replace("/path/of/my_videos", str(project.videos))
        result = run_snakemake(folder, command.split())
        assert result.returncode == 0, result.stdout

    return make_once("finished_own", run)


@pytest.fixture
def own(finished_own, tmp_path, monkeypatch) -> Own:
    project = Own(tmp_path / "project")
    shutil.copytree(finished_own, project.folder, symlinks=True)
    for link in (project.folder / "data/own_videos/videos").glob("[!.]*/*"):
        video = project.folder / link.readlink().relative_to(finished_own)
        link.unlink()
        link.symlink_to(video)
    monkeypatch.setenv("OWN_VIDEOS", str(project.videos))
    return project


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def packs(folder: Path) -> dict[str, int]:
    """When each pack of frames was written."""
    return {path.name: path.stat().st_mtime_ns for path in (folder / "data/own_videos/frames").rglob("*.zip")}


def test_tables_show_true_names_and_files_have_safe_ones(finished_own):
    videos = rows(finished_own / "data/own_videos/videos.csv")
    names = {f"{name}/{file}" for name in CLASSES for file in NAMES}
    assert {video["video"] for video in videos} == names
    assert {row["status"] for row in rows(finished_own / "results/own_videos/audit.csv")} == {"ok"}
    split = rows(finished_own / "results/own_videos/splits/split1.csv")
    assert {row["video"] for row in split} == names
    assert list(dict.fromkeys(row["class"] for row in split)) == ["clapping", "con", "挥手"]
    predicted = rows(finished_own / "results/own_videos/split1/seed10001/segments/predictions.csv")
    assert {row["video"] for row in predicted} == {row["video"] for row in split if row["subset"] == "test"}
    assert len(predicted) == 6 and {row["class"] for row in predicted} == set(CLASSES)
    for path in [*(finished_own / "data").rglob("*"), *(finished_own / "results").rglob("*")]:
        assert not set(path.name) & set("'\"{}<>: ") and path.stem.lower() != "con"


def test_the_report_warns_and_speaks_of_these_data(finished_own):
    page = (finished_own / "results/own_videos/figures/report.html").read_text(encoding="utf-8")
    assert "Every video counts as a recording of its own" in page and "挥手" in page
    assert "three official splits" not in page
    assert "recording of its own" in (finished_own / "logs/audit/own_videos.log").read_text()


def test_the_predictor_of_the_document_answers(finished_own):
    command = re.search(r"```bash\npython (workflow_scripts/predict\.py .*)\n```", DOCUMENT)[1]
    video = finished_own / "my videos" / "挥手" / NAMES[3]
    script, *options, _ = command.split()
    answer = subprocess.run([sys.executable, script, *options, video], cwd=finished_own, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    assert "挥手" in answer.stdout


def test_nothing_runs_again_after_it(finished_own, monkeypatch):
    monkeypatch.setenv("OWN_VIDEOS", str(finished_own / "my videos"))
    assert Own(finished_own).would_run("report") == {}


def test_a_folder_that_was_moved_is_linked_to_anew_and_not_decoded(own, monkeypatch):
    before = packs(own.folder)
    own.videos.rename(own.folder / "moved")
    monkeypatch.setenv("OWN_VIDEOS", str(own.folder / "moved"))
    own.run("results/own_videos/splits/split1.csv")
    links = [path for path in (own.folder / "data/own_videos/videos").rglob("*") if path.is_symlink()]
    assert len(links) == 18 and all(path.resolve().is_relative_to(own.folder / "moved") for path in links)
    assert packs(own.folder) == before


def test_a_new_video_concerns_its_class_and_old_ones_keep_their_side(own):
    listed = {row["video"]: row for row in rows(own.folder / "data/own_videos/videos.csv")}
    before = packs(own.folder)
    write_video(own.videos / "con" / "new (1).avi", 99)
    own.run("results/own_videos/splits/split1.csv")
    now = {row["video"]: row for row in rows(own.folder / "data/own_videos/videos.csv")}
    assert now.keys() - listed.keys() == {"con/new (1).avi"}
    assert {name: now[name] for name in listed} == listed
    (decoded,) = {name for name, time in packs(own.folder).items() if time != before[name]}
    assert decoded.startswith("_con-")


def test_a_video_that_is_gone_leaves_the_data_set(own):
    (own.videos / "clapping" / "anna 2.mov").unlink()
    own.run("results/own_videos/splits/split1.csv")
    assert "clapping/anna 2.mov" not in {row["video"] for row in rows(own.folder / "data/own_videos/videos.csv")}
    assert {row["status"] for row in rows(own.folder / "results/own_videos/audit.csv")} == {"ok"}


def test_another_class_is_not_trained_without_asking(own):
    add_class(own.videos / "new", 7)
    said = own.fail("report")
    assert "dataset.classes" in said and "replace=true" in said


def test_all_that_is_wrong_with_a_folder_is_said_before_anything_runs(own):
    (own.videos / "loose.mp4").touch()
    (own.videos / "CLAPPING").mkdir()
    (own.videos / "CLAPPING" / "1.mp4").touch()
    said = own.fail("--dry-run")
    assert "1 videos lie in no class folder: loose.mp4" in said
    assert "CLAPPING and clapping look the same to people" in said


def test_a_table_says_where_videos_lie_and_which_are_tested(own):
    lines = ["path,class,split"]
    for name in ("clapping", "挥手"):
        for number, file in enumerate(sorted(path for path in (own.videos / name).rglob("*.m*"))):
            lines.append(f'"{str(file).replace(chr(34), chr(34) * 2)}",{name},{"test" if number == 1 else "train"}')
    (own.folder / "my table.csv").write_text("\n".join(lines), encoding="utf-8")
    dataset = "dataset={format: table, name: listed, videos: [my table.csv]}"
    own.run("results/listed/splits/split1.csv", "--config", "run=listed", dataset, "train={batch_size: 2}")
    split = rows(own.folder / "results/listed/splits/split1.csv")
    assert [row["class"] for row in split if row["subset"] == "test"] == ["clapping", "挥手"]
    assert len(split) == len(lines) - 1 and all(Path(row["video"]).is_file() for row in split)
