"""The pages that are made from the code are current."""

import re

import pytest

import architecture
from helpers.paths import PROJECT

PAGES = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "config/README.md"]
PAGES += sorted(f"docs/{path.name}" for path in (PROJECT / "docs").glob("*.md"))


def test_the_graphs_are_those_of_the_rules_and_packages():
    graphs = {"rules": architecture.rule_edges(), "packages": architecture.package_edges()}
    for page in ("README.md", "docs/architecture.md"):
        text = (PROJECT / page).read_text()
        assert architecture.with_graphs(text, graphs) == text, "make docs"


def test_a_graph_is_drawn_without_arrows_that_a_longer_way_stands_in_for():
    edges = {("a", "b"), ("b", "c"), ("a", "c"), ("a", "d"), ("d", "e"), ("a", "e"), ("c", "f"), ("a", "f")}
    assert architecture.without_shortcuts(edges) == {("a", "b"), ("b", "c"), ("a", "d"), ("d", "e"), ("c", "f")}


def test_a_page_without_a_place_for_a_graph_is_refused():
    with pytest.raises(ValueError, match="no block <!-- rules -->"):
        architecture.with_graphs("a page", {"rules": set()})


def test_every_page_is_in_the_site():
    named = set(re.findall(r"[\w-]+\.md", (PROJECT / "mkdocs.yml").read_text()))
    assert named == {path.name for path in (PROJECT / "docs").glob("*.md")}


@pytest.mark.parametrize("page", [page for page in PAGES if page.startswith("docs/")])
def test_a_page_of_the_site_links_to_nothing_outside(page):
    assert re.findall(r"\]\((?:\.\./|/)[^)]*", (PROJECT / page).read_text()) == []


@pytest.mark.parametrize("page", PAGES)
def test_files_that_a_page_names_are_there(page):
    text = (PROJECT / page).read_text()
    named = set(re.findall(r"`((?:[\w-]+/)+[\w.-]+\.(?:py|smk|md|yaml|json|html))(?::[^`]*)?`", text))
    named |= {link for link in re.findall(r"\]\(((?!http)[^)#]+)", text)}
    scripts = PROJECT / "workflow_scripts"
    folders = PROJECT, PROJECT / "tests", (PROJECT / page).parent, scripts, scripts / "video3d"
    made = {"resources", "results", "data", "logs"}
    named = {name for name in named if name.split("/")[0] not in made}
    assert {name for name in named if not any((folder / name).exists() for folder in folders)} == set()
