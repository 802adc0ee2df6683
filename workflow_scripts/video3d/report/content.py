"""What the pages, figures and cards of a run are made of: computed once, from what the run left."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from video3d.report import charts, class_details, contact_sheets
from video3d.report.captions import collect_facts, figure_titles
from video3d.report.headline import Score, choose_answer, collect_scores
from video3d.report.notices import collect_notices
from video3d.report.paired_comparison import difference_table, leak_warnings
from video3d.report.published import PublishedComparison, compare_with_published
from video3d.report.results import Run
from video3d.report.tables import make_tables, read_audit, read_splits


@dataclass(frozen=True)
class Content:
    """A run with its tables, scores and charts.

    `splits` are its split tables below each other. `warnings` belong to the comparison with other runs. `charts` and
    `findings`, what each of them shows in words, are by the name of the figure, as `titles` are.
    """

    run: Run
    splits: pd.DataFrame
    tables: dict[str, pd.DataFrame]
    scores: list[Score]
    answer: Score
    comparisons: list[PublishedComparison]
    notices: list[str]
    warnings: list[str]
    facts: dict[str, Any]
    titles: dict[str, str]
    charts: dict[str, Any]
    findings: dict[str, str]

    def specify(self, name: str, chart: Any) -> dict[str, Any]:
        """Return a chart as a Vega-Lite specification with the heading and the finding of this figure."""
        said = self.warnings + self.notices if name == "differences" else self.notices
        return charts.specify(chart, self.titles.get(name, self.titles["predictions"]), said, self.findings[name])

    def choose_pairs(self) -> list[contact_sheets.PairOfClasses]:
        """Return the most frequent confusions with the videos that stand for them."""
        training = self.splits[self.splits["subset"] == "train"]
        return contact_sheets.choose_pairs(self.tables["confused_pairs"], self.tables["mistakes"], training)

    def detail_classes(self) -> list[class_details.ClassDetails]:
        """Return of every class what its section shows."""
        worst = class_details.number_of_worst(len(self.run.class_names))
        return class_details.collect_details(
            self.run, self.tables["class_accuracy"], self.tables["confused_pairs"], worst
        )


def collect_content(run: Run, others: Sequence[Run], folder: Path, benchmarks: Path) -> Content:
    """Return what there is to show of a run.

    Args:
        run: the run.
        others: the runs that it is compared with.
        folder: results/<run>, where audit and split tables are.
        benchmarks: folder of Snakemake's benchmark files.
    """
    audit, splits = read_audit(folder), read_splits(folder, run.settings.splits)
    tables = make_tables(run, audit, benchmarks)
    scores = collect_scores(run)
    comparisons = compare_with_published(run, scores)
    made, findings = charts.make_charts(run, tables, splits, scores, comparisons)
    warnings = []
    if others:
        tables["differences"] = difference_table(run, others)
        warnings = leak_warnings(run, tables["differences"])
        compared, found = charts.make_comparison_charts(run, others, tables["differences"])
        made, findings = made | compared, findings | found
    facts = collect_facts(run, tables["mistakes"])
    return Content(
        run=run,
        splits=splits,
        tables=tables,
        scores=scores,
        answer=choose_answer(scores, run.protocols[0]),
        comparisons=comparisons,
        notices=collect_notices(run, scores, audit),
        warnings=warnings,
        facts=facts,
        titles=figure_titles(run, facts),
        charts=made,
        findings=findings,
    )
