import pytest

from paths import PROJECT
from video3d.common import code_version


@pytest.fixture
def version(tmp_path, monkeypatch):
    """A function that edits a small script's library and gives the version that the script then has."""
    library = tmp_path / "video3d"
    library.mkdir()
    (library / "__init__.py").write_text("")
    (library / "middle.py").write_text("import video3d.deep\n")
    (library / "deep.py").write_text('"""Deep."""\n\n\ndef f():\n    """Old."""\n    return 1\n')
    (library / "other.py").write_text("x = 1\n")
    (library / "console.py").write_text("x = 1\n")
    script = tmp_path / "script.py"
    script.write_text("from video3d import middle\nfrom video3d.console import x\n\nprint(middle)\n")
    monkeypatch.setattr(code_version, "LIBRARY", library)

    def edit(name=None, text=None):
        if name:
            (tmp_path / name).write_text(text)
        for function in (code_version.code_version, code_version._read):
            function.cache_clear()
        return code_version.code_version(script)

    return edit


def test_comments_docstrings_and_layout_do_not_count(version):
    before = version()
    deep = '"""Deeper."""\n# why\ndef f():\n    """New."""\n    return (\n        1\n    )\n'
    assert version("video3d/deep.py", deep) == before
    assert version("video3d/deep.py", "def f():\n    return 1\n") == before


def test_code_counts_wherever_it_is_imported(version):
    before = version()
    assert version("video3d/deep.py", "def f():\n    return 2\n") != before


def test_what_is_not_imported_does_not_count(version):
    before = version()
    assert version("video3d/other.py", "x = 2\n") == before
    assert version("video3d/console.py", "x = 2\n") == before


def test_a_text_that_is_no_docstring_counts(version):
    before = version("video3d/deep.py", "def f():\n    x = 'a'\n    return x\n")
    assert version("video3d/deep.py", "def f():\n    x = 'b'\n    return x\n") != before


def test_training_does_not_depend_on_extraction_evaluation_or_figures():
    """The staleness table of the README: what train imports decides when hours are spent again."""
    library = PROJECT / "workflow_scripts" / "video3d"
    reached, waiting = set(), [PROJECT / "workflow_scripts" / "train.py"]
    while waiting:
        for module in code_version._read(waiting.pop()).modules:
            if module not in reached | code_version.SILENT and (library / f"{module}.py").is_file():
                reached.add(module)
                waiting.append(library / f"{module}.py")
    assert "training" in reached
    assert not reached & {"frames", "download", "archives", "inference", "scores", "convert", "plots"}
