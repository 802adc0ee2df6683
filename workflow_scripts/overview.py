"""Show all runs of results/ beside each other: settings that differ, accuracies, paired differences, costs.

In: the folder results/, of which each run's own files are read; nothing is made. Out: a table for people on the screen,
one page as HTML (--page), and one CSV table (--table) with a row per run and protocol: what was measured, with 95 %
intervals, hours, and the settings that differ. Runs that are not finished or cannot be read have a row with the reason
and no numbers. Fractions are 0 to 1.

Example: python workflow_scripts/overview.py results --page overview.html
"""

import argparse
import datetime
import sys
from pathlib import Path

import pandas as pd

from video3d.common.console import run
from video3d.common.files import atomic_path
from video3d.report import html_page, overview
from video3d.report.headline import percent
from video3d.report.overview_chart import draw_runs

SECTIONS = {
    "without-numbers": "Without numbers",
    "accuracies": "Accuracies",
    "settings": "Settings that differ",
    "differences": "Paired differences",
    "costs": "Costs",
}


def main() -> None:
    """Read the runs, print them, write page and table."""
    arguments = parse_arguments()
    found = overview.read_runs(arguments.results)
    print(format_runs(found))
    if arguments.table:
        with atomic_path(arguments.table) as path:
            path.write_text(html_page.to_csv(overview.one_table(found)), encoding="utf-8")
    if arguments.page:
        with atomic_path(arguments.page) as path:
            draw_page(found, arguments.results, path)


def format_runs(found: overview.Overview) -> str:
    """Return the accuracies, the hours, and the runs without numbers, as lines for people."""
    lines = []
    if found.runs:
        table = overview.table_of_runs(found.runs).merge(overview.table_of_costs(found.runs), on="run")
        shown = table[["run", "data_set", "protocol", "splits", "seeds", "videos"]].assign(
            top1=table["top1"].map(percent),
            interval=table["low"].map(percent) + " – " + table["high"].map(percent),
            training=table["training_hours"].map(lambda hours: "" if pd.isna(hours) else f"{hours:.2f} h"),
            gpu=table["gpu_hours"].map("{:.2f} h".format),
        )
        titles = {"data_set": "data set", "top1": "top-1", "interval": "95 % interval", "gpu": "GPU"}
        lines.append(shown.rename(columns=titles).to_string(index=False))
    return "\n".join([*lines, *(f"{name}: {reason}" for name, reason in found.without_numbers.items())])


def draw_page(found: overview.Overview, results: Path, page: Path) -> None:
    """Write the page about the runs in the folder `results`."""
    runs = found.runs
    differences, warnings, skipped = overview.compare_pairs(runs)
    tables = {
        "accuracies": overview.table_of_runs(runs),
        "settings": overview.table_of_settings(runs),
        "differences": differences,
        "costs": overview.table_of_costs(runs),
    }
    shown = {"accuracies", "costs"} | {name for name, table in tables.items() if len(table)}
    shown |= ({"without-numbers"} if found.without_numbers else set()) | ({"differences"} if skipped else set())
    counts = f"{len(runs)} finished run{'s' * (len(runs) != 1)}, {len(found.without_numbers)} without numbers."
    drawing = html_page.draw_svg(draw_runs(tables["accuracies"]).to_dict(validate=False))
    context = {
        "title": "All runs beside each other",
        "notices": overview.collect_warnings(runs),
        "counts": counts,
        "drawn": datetime.date.today().isoformat(),
        "without_numbers": found.without_numbers,
        "sections": [(key, title) for key, title in SECTIONS.items() if key in shown],
        "chart": html_page.show_image(drawing, f"{counts} The table below has their accuracies."),
        "reports": [each.name for each in runs if (results / each.name / "figures" / "report.html").is_file()],
        "tables": {name: html_page.render_table(table) for name, table in tables.items()},
        "warnings": warnings,
        "skipped": skipped,
        "class_ids": {},
        "sprites": {},
        "style": html_page.read_template("style.css"),
        "page_style": html_page.read_template("page.css"),
        "motion": "",
        "tables_script": html_page.read_template("tables.js"),
    }
    html_page.write_page("overview.html", context, page)


def parse_arguments() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, help="the folder that has a folder for each run")
    parser.add_argument("--page", type=Path, help="HTML file to write")
    parser.add_argument("--table", type=Path, help="CSV file to write")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(run(main))
