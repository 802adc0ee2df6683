"""`snakemake report`: everything that is missing, and the page of `snakemake --report` at the end."""

PAGE = "results/tiny/report.html"


def test_it_makes_everything_that_is_missing(fresh):
    jobs = fresh.would_run("report")
    assert jobs["report"] == jobs["figures"] == jobs["accuracy"] == 1 and jobs["train"] == 2


def test_it_is_made_once_and_again_when_what_it_shows_changes(finished):
    finished.run("report")
    page = (finished.folder / PAGE).read_text()
    assert "train" in page and "class_accuracy.svg" in page
    assert finished.would_run("report") == {}
    finished.edit("workflow_scripts/make_report.py", "def main(", "EDITED = 1\n\n\ndef main(")
    assert finished.would_run("report") == {"report": 1}
    (finished.folder / "results/tiny/figures/mistakes.svg").write_text("<svg/>")
    finished.edit("workflow_scripts/make_report.py", "EDITED = 1\n\n\n", "")
    assert finished.would_run("report") == {"report": 1}
    finished.edit("report/accuracy.rst", "e", "ee")
    assert finished.would_run("report") == {"figures": 1, "report": 1}


def test_what_snakemake_says_against_it_is_shown_and_no_page_is_left(finished):
    finished.edit("report/workflow.rst", ".. raw", "{{ nonsense.of.a.page }}\n\n.. raw")
    said = finished.fail("report")
    assert "nonsense" in said and "error in report: Snakemake made no report" in said
    assert not (finished.folder / PAGE).exists()
