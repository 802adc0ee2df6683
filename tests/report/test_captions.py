"""The captions of the figures, and the numbers in them."""

from pathlib import Path

import pytest

from helpers.paths import PROJECT
from video3d.common.errors import UserError
from video3d.common.settings import resolve
from video3d.report import captions


def test_numbers_of_the_captions_are_all_there(full_size: Path) -> None:
    for path in (PROJECT / "report").glob("*.rst"):
        if path.stem != "workflow":
            caption = captions.render_caption(path, resolve({}).model_dump(), full_size / "facts.rst")
            assert "|" not in caption, path.name


def test_a_caption_with_an_unknown_number_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "some.rst").write_text("There are |unicorns|.")
    with pytest.raises(UserError, match=r"some.rst: .*unicorns"):
        captions.render_caption(tmp_path / "some.rst", {}, tmp_path / "facts.rst")
