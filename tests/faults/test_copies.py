"""A folder that was copied without its file times is as finished as the one that it was copied from."""

import os
import shutil

import pytest


def test_a_copy_without_file_times_repeats_nothing(finished, tmp_path):
    """As rsync -r and cp -r make it: in the order of names, each file as old as its copy."""
    copy = tmp_path / "copy"
    shutil.copytree(finished.folder, copy, symlinks=True, copy_function=shutil.copyfile)
    finished.folder = copy
    before = sorted(copy.rglob("*"))
    assert finished.would_run() == {}
    assert sorted(copy.rglob("*")) == before


@pytest.mark.parametrize("order", [sorted, lambda paths: sorted(paths, reverse=True)], ids=["by name", "backwards"])
def test_times_in_any_order_repeat_nothing(finished, order):
    """Snakemake's own notes are read by their content."""
    files = [path for top in ("resources", "data", "results", "source") for path in (finished.folder / top).rglob("*")]
    for time, path in enumerate(order(files)):
        os.utime(path, (1_600_000_000 + 10 * time,) * 2, follow_symlinks=False)
    assert finished.would_run() == {}
