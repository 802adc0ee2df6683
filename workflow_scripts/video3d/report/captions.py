"""Captions of the figures: the texts in report/ that Snakemake, too, shows beside them, and the numbers in them.

A caption is reStructuredText in Jinja, with the numbers of a run as substitutions such as `|videos|`.
"""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jinja2
import pandas as pd
from docutils.core import publish_parts

from video3d.common.errors import UserError
from video3d.report import analysis, contact_sheets, provenance
from video3d.report.results import Run


def collect_facts(run: Run, mistakes: pd.DataFrame) -> dict[str, Any]:
    """Return the numbers that captions name; `mistakes` is the table of them."""
    predictions = run.first_predictions
    videos = predictions.drop_duplicates(["split", "video"])
    return {
        "videos": f"{len(videos):,}",
        "predictions": f"{len(predictions):,}",
        "classes": len(run.class_names),
        "groups": f"{videos.groupby(['class', 'group']).ngroups:,}",
        "splits": ", ".join(map(str, run.settings.splits)),
        "seeds": len(run.settings.seeds),
        "network": provenance.describe_networks(run),
        "clip": provenance.describe_clips(run),
        "trainings": len(run.trainings),
        "recipe": provenance.describe_recipes(run),
        "protocol": run.protocols[0],
        "calibration_error": f"{100 * analysis.calibration_error(analysis.calibration(predictions)):.1f} %",
        "mistakes": f"{len(mistakes):,}",
        "shown_mistakes": min(contact_sheets.MISTAKES, mistakes["video"].nunique()),
    }


def figure_titles(run: Run, facts: Mapping[str, Any]) -> dict[str, str]:
    """Return which numbers a figure shows, by its name; `predictions` stands for all that are not named."""
    networks = f"run {run.name}, splits {facts['splits']}; {facts['seeds']} seed(s)"
    everything = f"{networks}; protocols {', '.join(run.protocols)}; n = {facts['videos']} test videos"
    return {
        "predictions": f"{networks}; protocol {facts['protocol']}; n = {facts['videos']} test videos",
        **dict.fromkeys(("accuracy", "differences"), everything),
        "learning_curves": f"run {run.name}, {facts['trainings']} training(s)",
        **dict.fromkeys(("cost", "overlaid_curves"), networks),
    }


def write_substitutions(facts: Mapping[str, Any], path: Path) -> None:
    """Write the numbers of a run as reStructuredText substitutions, for the captions to include."""
    text = "".join(f".. |{name}| replace:: {value}\n" for name, value in facts.items())
    path.write_text(text, encoding="utf-8")


def render_caption(path: Path, settings: dict[str, Any], facts: Path) -> str:
    """Render the caption in the file `path` to HTML as Snakemake does; `facts` is the file of substitutions.

    Raises UserError if the text is no valid reStructuredText or uses a number that `facts` does not have.
    """
    snakemake = SimpleNamespace(config=settings, output=SimpleNamespace(facts=facts))
    text = jinja2.Environment(trim_blocks=True, lstrip_blocks=True).from_string(path.read_text(encoding="utf-8"))
    try:
        return publish_parts(
            text.render(snakemake=snakemake),
            writer="html",
            settings_overrides={"halt_level": 2, "report_level": 5},
        )["body"]
    except Exception as error:  # docutils raises many kinds
        raise UserError(f"{path}: {error}") from error
