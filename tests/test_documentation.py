"""The pages that are made from the code are current."""

import re

import pytest

import architecture
from helpers.paths import PROJECT


def test_the_graphs_are_those_of_the_rules_and_packages():
    page = (PROJECT / "docs" / "architecture.md").read_text()
    assert architecture.with_graphs(page) == page, "make docs"


def test_a_graph_is_drawn_without_arrows_that_a_longer_way_stands_in_for():
    edges = {("a", "b"), ("b", "c"), ("a", "c"), ("a", "d"), ("d", "e"), ("a", "e"), ("c", "f"), ("a", "f")}
    assert architecture.without_shortcuts(edges) == {("a", "b"), ("b", "c"), ("a", "d"), ("d", "e"), ("c", "f")}


def test_a_page_without_a_place_for_a_graph_is_refused():
    with pytest.raises(ValueError, match="0 blocks <!-- rules -->"):
        architecture.replace_block("a page", "rules", "flowchart TB\n")


@pytest.mark.parametrize(
    "page",
    [
        "CONTRIBUTING.md",
        "README.md",
        "config/README.md",
        "docs/anywhere.md",
        "docs/architecture.md",
        "docs/measurements.md",
        "docs/snakemake.md",
    ],
)
def test_files_that_a_page_names_are_there(page):
    text = (PROJECT / page).read_text()
    named = set(re.findall(r"`((?:[\w-]+/)+[\w.-]+\.(?:py|smk|md|yaml|json|html))(?::[^`]*)?`", text))
    named |= {link for link in re.findall(r"\]\(((?!http)[^)#]+)", text)}
    scripts = PROJECT / "workflow_scripts"
    folders = PROJECT, (PROJECT / page).parent, scripts, scripts / "video3d"
    made = {"resources", "results", "data", "logs"}
    named = {name for name in named if name.split("/")[0] not in made}
    assert {name for name in named if not any((folder / name).exists() for folder in folders)} == set()
