"""Draw the graphs in the documents: of the rules, and of the packages of the library.

    PYTHONPATH=workflow_scripts python tools/architecture.py README.md docs/architecture.md

replaces what stands between the markers `<!-- rules -->` or `<!-- packages -->` and `<!-- end -->`. The graphs are in
Mermaid's language, which the hosting sites draw.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import grimp

PROJECT = Path(__file__).parents[1]

Edges = set[tuple[str, str]]


def main() -> None:
    """Read the command line and renew the graphs in each document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("documents", type=Path, nargs="+", help="the documents to renew")
    graphs = {"rules": rule_edges(), "packages": package_edges()}
    for document in parser.parse_args().documents:
        document.write_text(with_graphs(document.read_text(encoding="utf-8"), graphs), encoding="utf-8")


def with_graphs(text: str, graphs: Mapping[str, Edges]) -> str:
    """Return the document with each graph drawn anew that stands in it, behind a marker with its name.

    Raises ValueError if there is none.
    """
    names = [name for name in graphs if f"<!-- {name} -->" in text]
    if not names:
        raise ValueError(f"the document has no block <!-- {' --> or <!-- '.join(graphs)} --> … <!-- end -->")
    for name in names:
        graph = mermaid(without_shortcuts(graphs[name]))
        block = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        text = block.sub(lambda marks, graph=graph: f"{marks[1]}```mermaid\n{graph}```\n{marks[2]}", text)
    return text


def mermaid(edges: Iterable[tuple[str, str]]) -> str:
    """Return a graph from top to bottom with these edges."""
    return "flowchart TB\n" + "".join(f"    {start} --> {end}\n" for start, end in sorted(edges))


def rule_edges() -> Edges:
    """Return (rule, rule that uses what it makes) of a whole run in an empty folder."""
    command = [
        sys.executable, "-m", "snakemake", "--snakefile", str(PROJECT / "Snakefile"), "--configfile",
        str(PROJECT / "config.yaml"), "--rulegraph", "mermaid-js",
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        drawn = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
    names = dict(re.findall(r"(id\d+)\[(\w+)\]", drawn))
    return {(names[start], names[end]) for start, end in re.findall(r"(id\d+) --> (id\d+)", drawn)}


def package_edges() -> Edges:
    """Return (package, package that it imports)."""
    graph = grimp.build_graph("video3d", cache_dir=None)
    edges = set()
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            start, end = (name.split(".")[1:2] for name in (module, imported))
            if start and end and start != end:
                edges.add((start[0], end[0]))
    return edges


def without_shortcuts(edges: Edges) -> Edges:
    """Return the edges of a graph without circles that no longer way stands in for."""

    def reach(start: str) -> set[str]:
        ends = {end for begin, end in edges if begin == start}
        return ends.union(*map(reach, ends))

    return {
        (start, end)
        for start, end in edges
        if not any(end in reach(other) for begin, other in edges if begin == start and other != end)
    }


if __name__ == "__main__":
    main()
