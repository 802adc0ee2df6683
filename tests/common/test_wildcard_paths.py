"""Paths that Snakemake can take are inputs, the others are parameters; none is lost."""

import os

from helpers.superpowers import without_superpowers
from video3d.common.wildcard_paths import as_inputs, as_parameter


def test_each_file_is_an_input_or_a_parameter(tmp_path):
    plain, braces, angles = (tmp_path / name for name in ("plain.zip", "a{b}.zip", "<run>.zip"))
    for file in (plain, braces, angles):
        file.write_bytes(b"one")
        os.utime(file, ns=(5, 5))
    files = [str(plain), str(braces), str(angles)]
    assert as_inputs(files) == [str(plain)]
    assert as_parameter(files) == [f"{braces}, 3 bytes, 5", f"{angles}, 3 bytes, 5"]


def test_what_snakemake_would_wait_for_or_fail_at_is_a_parameter(tmp_path):
    traps = [tmp_path / name for name in ("fifo", "nowhere", "loop", "line\nend", "esc\x1b[31m", "latin\udcff")]
    os.mkfifo(traps[0])
    traps[1].symlink_to("gone")
    traps[2].symlink_to("loop")
    for file in traps[3:]:
        file.write_bytes(b"one")
        os.utime(file, ns=(5, 5))
    files = list(map(str, traps))
    assert as_inputs(files) == []
    told = as_parameter(files)
    assert told[1:] == [
        f"{tmp_path}/nowhere, No such file or directory",
        f"{tmp_path}/loop, Too many levels of symbolic links",
        f"{tmp_path}/line\\nend, 3 bytes, 5",
        f"{tmp_path}/esc\\x1b[31m, 3 bytes, 5",
        f"{tmp_path}/latin\\udcff, 3 bytes, 5",
    ]


def test_a_file_that_is_not_there_yet_can_be_an_input(tmp_path):
    """Another rule may make it."""
    assert as_inputs([str(tmp_path / "later.zip"), str(tmp_path)]) == [str(tmp_path / "later.zip"), str(tmp_path)]


def test_a_file_that_may_not_be_read_is_a_parameter(tmp_path):
    file = tmp_path / "secret.avi"
    file.write_bytes(b"one")
    file.chmod(0)
    with without_superpowers():
        assert as_inputs([str(file)]) == []
        assert as_parameter([str(file)])[0].startswith(f"{file}, 3 bytes, ")
