"""The first rules against a real server: a subset of the classes out of a remote archive."""

import csv
import hashlib
import zipfile

from helpers.unreliable_server import Fault, running

SPLIT = "results/tiny/splits/split1.csv"


def settings(server, folder, classes, faults=()):
    """Serve the archives of the tiny data set; return the settings that name them, an absent mirror first."""
    parts = [f"classes: [{', '.join(classes)}]"]
    for name in ("videos", "lists"):
        content = (folder / f"source/{name}.zip").read_bytes()
        url, _ = server.serve(f"{name}.zip", content, faults=list(faults))
        parts += [f"{name}: ['{server.url('absent.zip')}', '{url}']"]
        parts += [f"{name}_sha256: {hashlib.sha256(content).hexdigest()}"]
    return f"dataset={{{', '.join(parts)}}}"


def test_the_dag_follows_a_subset_of_the_classes(fresh):
    with running() as server:
        given = settings(server, fresh.folder, ["Retreat", "HandstandPushups"], [Fault(cut=1000)])
        fresh.run("--config", given, "--", SPLIT)
        other = settings(server, fresh.folder, ["Approach"])
        mark = hashlib.sha256(b"Approach").hexdigest()[:8]
        assert fresh.would_run("--config", other, "--", f"data/tiny/videos/.unpacked/{mark}.csv") == {
            "download_videos": 1, "unpack": 1,
        }  # fmt: skip
    (archive,) = (fresh.folder / "resources/tiny").glob("*.zip")
    with zipfile.ZipFile(archive) as file:
        assert len(file.namelist()) == 8 and not any("Approach" in name for name in file.namelist())
    packs = sorted(path.stem for path in (fresh.folder / "data/tiny/frames/24px_q80").glob("*.zip"))
    assert packs == ["HandstandPushups", "Retreat"]
    with (fresh.folder / SPLIT).open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 8
    assert {(row["class"], row["label"]) for row in rows} == {("HandstandPushups", "0"), ("Retreat", "1")}
