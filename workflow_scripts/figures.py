"""Draw everything that the report of a run shows.

Goes in: the results of a run (accuracy.csv, predictions, histories, audit, split tables), the frames of its data set,
Snakemake's benchmark files. Comes out, in the folder --output:

    landing.html   headline for the landing page of `snakemake --report`, which carries both pages
    report.html    the whole report on one page, interactive, with everything in it
    clips.html     what the network sees of a video of every class
    facts.rst      the numbers that the captions in report/*.rst name
    *.svg          each figure by itself
    *.csv          the numbers behind the figures
    paper/*.pdf    figures for a paper, as wide as a column (85 mm) or a page (175 mm), text of 8 points

and in the folder of each exported model its card, README.md: data, use, limits, scores, cost.
"""

import argparse
import sys
from pathlib import Path

from video3d.common.console import run, stopwatch
from video3d.common.files import atomic_path
from video3d.common.settings import read_settings
from video3d.report import charts, contact_sheets, html_page
from video3d.report.captions import render_caption, write_substitutions
from video3d.report.content import Content, collect_content
from video3d.report.model_card import write_cards
from video3d.report.pages import write_pages
from video3d.report.paper_figures import draw_pdf
from video3d.report.results import read_run

CAPTIONS = Path(__file__).parents[1] / "report"
SVG_OF_CHARTS = (
    "accuracy", "learning_curves", "calibration", "class_accuracy", "confusion", "groups_and_lengths", "cost",
)  # fmt: skip
SVG_OF_PICTURES = ("mistakes", "confused_pairs")
CSV_OF_TABLES = ("class_accuracy", "confused_pairs", "mistakes")


def draw_figures(content: Content, frames: Path, output: Path) -> None:
    """Write every file named above into `output`; `frames` is the folder of the packs."""
    write_substitutions(content.facts, output / "facts.rst")
    reader = contact_sheets.FrameReader(frames)
    drawings = {name: html_page.draw_svg(content.specify(name, chart)) for name, chart in content.charts.items()}
    small = html_page.draw_svg(content.specify("confusion", charts.make_small_confusion(content.run)))
    files = drawings | {"confusion": small} | draw_sheets(content, reader)
    for name in (*SVG_OF_CHARTS, *SVG_OF_PICTURES):
        (output / f"{name}.svg").write_text(files[name], encoding="utf-8")
    for name in CSV_OF_TABLES:
        (output / f"{name}.csv").write_text(html_page.to_csv(content.tables[name]), encoding="utf-8")
    draw_paper(content, output / "paper")
    settings = content.run.settings.model_dump()
    captions = {
        name: render_caption(CAPTIONS / f"{name}.rst", settings, output / "facts.rst")
        for name in [*content.charts, *SVG_OF_PICTURES, "clips"]
    }
    write_pages(content, reader, drawings, captions, output)


def draw_sheets(content: Content, reader: contact_sheets.FrameReader) -> dict[str, str]:
    """Return the contact sheets as SVG, by name; without frames they say that there are none."""
    if absent := contact_sheets.absent_packs(reader, content.run.class_names):
        return dict.fromkeys(SVG_OF_PICTURES, contact_sheets.draw_sentence(absent))
    heading = [content.titles["predictions"], *content.notices]
    return {
        "mistakes": contact_sheets.draw_mistakes(reader, content.tables["mistakes"], heading),
        "confused_pairs": contact_sheets.draw_confused_pairs(reader, content.choose_pairs(), heading),
    }


def draw_paper(content: Content, folder: Path) -> None:
    """Write the figures for a paper into `folder`, which is made."""
    folder.mkdir()
    made = charts.make_paper_charts(content.run, content.charts, content.scores)
    for name, (chart, millimetres) in made.items():
        (folder / f"{name}.pdf").write_bytes(draw_pdf(chart, content.notices, millimetres))


def main() -> None:
    """Read the run and those that it is compared with, and draw."""
    arguments = parse_arguments()
    settings = read_settings(arguments.settings) if arguments.settings else None
    with stopwatch("drew the figures"), atomic_path(arguments.output) as output:
        output.mkdir()
        drawn = read_run(arguments.run, settings)
        others = [read_run(arguments.run.parent / name) for name in drawn.settings.report.compare]
        content = collect_content(drawn, others, arguments.run, arguments.benchmarks)
        draw_figures(content, arguments.frames, output)
    write_cards(content, arguments.run)


def parse_arguments() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", required=True, type=Path, help="results/<run>")
    parser.add_argument("--frames", required=True, type=Path, help="folder of the frame packs")
    parser.add_argument("--settings", help="settings as YAML, JSON or a file (default: config.yaml of the run)")
    parser.add_argument("--benchmarks", default="benchmarks", type=Path, help="default: %(default)s")
    parser.add_argument("--output", required=True, type=Path, help="folder to write, e.g. results/<run>/figures")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(run(main))
