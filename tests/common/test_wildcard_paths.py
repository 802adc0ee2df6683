"""Paths that are no patterns are inputs, the others are parameters; none is lost."""

import os

from video3d.common.wildcard_paths import as_inputs, as_parameter


def test_each_file_is_an_input_or_a_parameter(tmp_path):
    plain, braces, angles = (tmp_path / name for name in ("plain.zip", "a{b}.zip", "<run>.zip"))
    for file in (plain, braces, angles):
        file.write_bytes(b"one")
        os.utime(file, ns=(5, 5))
    files = [str(plain), str(braces), str(angles)]
    assert as_inputs(files) == [str(plain)]
    assert as_parameter(files) == [f"{braces}, 3 bytes, 5", f"{angles}, 3 bytes, 5"]
