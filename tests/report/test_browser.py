"""The report in a real browser: everything opens and draws, nothing is asked of the network."""

import csv
import io
import re
from importlib import resources
from pathlib import Path
from urllib.parse import unquote

import pytest
from selenium.webdriver import ActionChains
from selenium.webdriver.support.ui import WebDriverWait

from helpers.browser import PATIENCE, Browser
from helpers.paths import PROJECT
from helpers.simulated import HOSTILE

CHARTS = ("accuracy", "learning_curves", "calibration", "class_accuracy", "confusion", "groups_and_lengths", "cost")
COMPARISON = ("differences", "overlaid_curves")
TABLES_OF_CLASSES = ("class_accuracy", "confused_pairs", "mistakes")
MEGABYTES = 15
# Of what does not depend on the size, or is hardest on the smallest page.
smallest_page = pytest.mark.parametrize("screen", [(1280, 720)], ids=["1280x720"], indirect=True)
# Pairs of neighbouring labels of an axis that cover each other, in the element given.
OVERLAPS = """
const found = [];
for (const axis of arguments[0].querySelectorAll(".role-axis-label")) {
  const boxes = [...axis.querySelectorAll("text")]
    .filter((text) => text.textContent && getComputedStyle(text).opacity !== "0")
    .map((text) => [text.textContent, text.getBoundingClientRect()])
    .sort((a, b) => a[1].x - b[1].x || a[1].y - b[1].y);
  for (let i = 1; i < boxes.length; i++) {
    const [a, b] = [boxes[i - 1][1], boxes[i][1]];
    const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const along = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (Math.min(across, along) > 2) found.push(boxes[i - 1][0] + " / " + boxes[i][0]);
  }
}
return found;
"""

AXE_CORE = resources.files("axe_selenium_python") / "node_modules" / "axe-core" / "axe.min.js"
# What axe-core complains about: rule and the elements. Nothing is loaded, as nothing is elsewhere.
AXE = """
const done = arguments[0];
axe.run({exclude: [[".chart svg"]]}, {resultTypes: ["violations"], preload: false}).then((found) =>
  done(found.violations.map((rule) => [rule.id, ...rule.nodes.map((node) => node.html.slice(0, 200))])));
"""


def open_page(screen: Browser, page: Path) -> None:
    screen.open(page)
    screen.wait("document.body.dataset.drawn === 'true'")


def assert_draws(screen: Browser, charts: tuple[str, ...]) -> None:
    """Every chart has marks, no labels that overlap, and no more width than the page."""
    for name in charts:
        chart = screen.driver.find_element("id", f"chart-{name}")
        marks = "return arguments[0].querySelectorAll('svg path, svg rect, svg line').length"
        assert screen.run(marks, chart) > 5, name
        assert screen.run(OVERLAPS, chart) == [], name
        assert screen.run("return arguments[0].scrollWidth <= arguments[0].clientWidth", chart), f"{name} is too wide"


def assert_sections_open(screen: Browser) -> None:
    """Every link of the page's menu leads to a heading that is then on the screen."""
    for link in screen.driver.find_elements("css selector", "nav a"):
        screen.run("arguments[0].click()", link)
        target = screen.driver.find_element("id", link.get_attribute("href").partition("#")[2])
        assert -1 <= target.rect["y"] - screen.run("return scrollY") <= screen.height, link.text


@smallest_page
def test_requests_and_errors_would_be_seen(screen: Browser, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<img src='https://example.com/a.png'><script>nonsense()</script>")
    screen.open(page)
    screen.wait("document.images[0].complete")
    found = "\n".join(screen.errors())
    assert "https://example.com/a.png" in found
    assert "nonsense is not defined" in found


def test_full_size_page(screen: Browser, full_size: Path) -> None:
    open_page(screen, full_size / "report.html")
    assert_draws(screen, CHARTS)
    assert_sections_open(screen)
    assert screen.run("return document.documentElement.scrollWidth") <= screen.width
    assert "SIMULATED" in screen.driver.find_element("css selector", ".notice").text
    assert screen.errors() == []


def test_compared_page(screen: Browser, compared: Path) -> None:
    open_page(screen, compared / "report.html")
    assert_draws(screen, CHARTS + COMPARISON)
    assert_sections_open(screen)
    text = screen.driver.find_element("tag name", "body").text
    assert (
        "Split 2, seed 1 was evaluated with given weights, not trained here: given.pdparams (SHA-256 000000000000…)."
        in text
    )
    assert "A subset of UCF101: 5 of 101 classes" in text
    assert screen.errors() == []


@smallest_page
def test_tables_sort_filter_and_download(screen: Browser, full_size: Path) -> None:
    open_page(screen, full_size / "report.html")
    table = screen.driver.find_element("id", "table-class_accuracy")
    head = table.find_element("xpath", ".//th[contains(., 'top-1')]")
    column = "return [...arguments[0].querySelectorAll('tbody tr')].map(row => parseFloat(row.cells[3].textContent))"
    for direction in ("ascending", "descending"):
        screen.run("arguments[0].click()", head.find_element("tag name", "button"))
        assert head.get_attribute("aria-sort") == direction
        values = screen.run(column, table)
        assert values == sorted(values, reverse=direction == "descending")
    link = screen.driver.find_element("css selector", "a[download='class_accuracy.csv']").get_attribute("href")
    rows = list(csv.DictReader(io.StringIO(unquote(link.partition(",")[2]))))
    assert len(rows) == 101
    assert {"class", "videos", "groups", "top1", "low", "high"} <= set(rows[0])
    filter_box = "const box = arguments[0].querySelector('input'); box.value = arguments[1];"
    screen.run(filter_box + "box.dispatchEvent(new Event('input'))", table, "writingonboard")
    shown = [row.text for row in table.find_elements("css selector", "tbody tr") if row.is_displayed()]
    assert table.find_element("css selector", ".count").text == f"{len(shown)} of {len(shown)} rows"
    assert 1 <= len(shown) < 101 and all("WritingOnBoard" in text for text in shown)


@smallest_page
def test_all_rows_of_a_long_table_can_be_reached(screen: Browser, full_size: Path) -> None:
    open_page(screen, full_size / "report.html")
    table = screen.driver.find_element("id", "table-mistakes")
    total = len((full_size / "mistakes.csv").read_text().splitlines()) - 1
    count, more = (table.find_element("css selector", name) for name in (".count", ".more"))
    assert count.text == f"101 of {total:,} rows"
    while more.is_displayed():
        screen.run("arguments[0].click()", more)
    assert count.text == f"{total:,} of {total:,} rows"
    assert screen.run("return arguments[0].querySelectorAll('tbody tr').length", table) == total


@smallest_page
def test_a_click_on_a_class_leads_to_its_clips(screen: Browser, compared: Path) -> None:
    open_page(screen, compared / "report.html")
    cell = screen.driver.find_element("css selector", "#chart-confusion .mark-rect path")
    links = (cell, *(screen.driver.find_element("css selector", f"#table-{name} td a") for name in TABLES_OF_CLASSES))
    for link in links:
        screen.run("location.hash = ''; document.querySelectorAll('details.class').forEach(each => each.open = false)")
        if link is cell:
            screen.run("arguments[0].scrollIntoView({block: 'center'})", cell)
            ActionChains(screen.driver).click(cell).perform()
        else:
            screen.run("arguments[0].click()", link)
        screen.wait("document.querySelector('details.class[open]')")
        section = screen.driver.find_element("css selector", "details.class[open]")
        assert screen.run("return location.hash") == "#" + section.get_attribute("id")
        screen.wait("Math.abs(document.querySelector('details.class[open]').getBoundingClientRect().y) < innerHeight")
    assert len(section.find_elements("css selector", ".clip:not(.absent)")) == 6
    assert len(section.find_elements("css selector", ".top")) == 6


@smallest_page
def test_clips_move_until_they_are_stopped(screen: Browser, compared: Path) -> None:
    motion = {"name": "prefers-reduced-motion", "value": "reduce"}
    name = "return getComputedStyle(document.querySelector('#mistakes .clip')).animationName"
    try:
        for reduced, names in ((True, ("none", "clip")), (False, ("clip", "none"))):
            features = {"features": [motion] if reduced else []}
            screen.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", features)
            open_page(screen, compared / "report.html")
            assert screen.run(name) == names[0]
            screen.run("document.getElementById('motion').click()")
            assert screen.run(name) == names[1]
    finally:
        screen.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@smallest_page
def test_paper_shows_what_is_folded_up(screen: Browser, compared: Path) -> None:
    open_page(screen, compared / "report.html")
    number = "document.querySelectorAll('main details:not([open], .vega-embed *)').length"
    folded = screen.run(f"return {number}")
    screen.run(f"addEventListener('beforeprint', () => {{ window.foldedOnPaper = {number}; }})")
    screen.driver.execute_cdp_cmd("Page.printToPDF", {})
    screen.wait(f"{number} === {folded}")
    assert screen.run("return window.foldedOnPaper") == 0 < folded


def test_pages_fit_on_a_phone(opened_browser: Browser, compared: Path, overview_page: Path) -> None:
    opened_browser.resize(390, 844)
    for page in (compared / "report.html", compared / "clips.html", overview_page):
        open_page(opened_browser, page)
        assert opened_browser.run("return document.documentElement.scrollWidth") == 390, page


@smallest_page
def test_axe_finds_nothing(screen: Browser, compared: Path, overview_page: Path) -> None:
    """WCAG and good practice, by axe-core: three rows of every table, and Vega's drawings from outside."""
    screen.driver.set_script_timeout(PATIENCE)
    for page in (compared / "report.html", compared / "clips.html", overview_page):
        open_page(screen, page)
        screen.run("const each = document.querySelector('details.class'); if (each) each.open = true")
        screen.run("document.querySelectorAll('.table tbody tr:nth-child(n + 4)').forEach((row) => row.remove())")
        screen.run(AXE_CORE.read_text())
        assert screen.driver.execute_async_script(AXE) == [], page


@smallest_page
def test_axe_would_find_something(screen: Browser, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<!doctype html><html lang='en'><title>A</title><main><h1>A</h1><img src='data:,'></main></html>")
    screen.open(page)
    screen.run(AXE_CORE.read_text())
    assert screen.driver.execute_async_script(AXE)[0][0] == "image-alt"


@smallest_page
def test_charts_say_what_they_show(screen: Browser, compared: Path) -> None:
    open_page(screen, compared / "report.html")
    for name in CHARTS + COMPARISON:
        drawing = screen.driver.find_element("css selector", f"#chart-{name} [role='graphics-document']")
        finding = screen.driver.find_element("css selector", f"#{name} .finding").text
        assert finding, name
        assert drawing.get_attribute("aria-label") == finding, name


@smallest_page
def test_without_scripts_everything_is_there(screen: Browser, compared: Path) -> None:
    screen.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        screen.open(compared / "report.html")
        for name in CHARTS + COMPARISON:
            image = screen.driver.find_element("css selector", f"#chart-{name} img")
            assert int(image.get_property("naturalWidth")) > 100, name
            assert image.get_attribute("alt"), name
        assert screen.driver.find_elements("css selector", "#table-mistakes tbody tr")
    finally:
        screen.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


@smallest_page
def test_charts_download_as_svg_and_png(screen: Browser, compared: Path) -> None:
    open_page(screen, compared / "report.html")
    for name in CHARTS + COMPARISON:
        for kind, start in (("SVG", "blob:"), ("PNG", "data:image/png")):
            link = screen.driver.find_element("xpath", f"//*[@id='chart-{name}']//a[text()='Save as {kind}']")
            assert link.get_attribute("download") == f"{name}.{kind.lower()}"
            screen.run("arguments[0].dispatchEvent(new MouseEvent('mousedown')); window.link = arguments[0]", link)
            screen.wait(f"link.href.startsWith('{start}')")
    assert screen.errors() == []


@smallest_page
def test_any_text_in_a_setting_is_text(screen: Browser, hostile: Path) -> None:
    open_page(screen, hostile / "report.html")
    assert_draws(screen, CHARTS)
    assert_sections_open(screen)
    assert HOSTILE in screen.driver.find_element("css selector", ".notice").text
    assert HOSTILE in screen.driver.find_element("css selector", "#provenance dl").text
    subtitle = "return document.querySelector('#chart-accuracy .role-title-subtitle').textContent"
    assert HOSTILE.startswith(screen.run(subtitle)[:30])
    assert screen.errors() == []
    open_page(screen, hostile / "clips.html")
    assert HOSTILE in screen.driver.find_element("css selector", ".notice").text
    assert screen.errors() == []


@smallest_page
def test_any_text_in_a_setting_is_text_on_the_landing_page(screen: Browser, hostile_snakemake_report: Path) -> None:
    check_snakemake_report(screen, hostile_snakemake_report)
    screen.open(hostile_snakemake_report)
    screen.wait("document.querySelector('.report .notice')")
    assert HOSTILE in screen.driver.find_element("css selector", ".report .notice").text


def check_snakemake_report(screen: Browser, report: Path) -> None:
    """The landing page has the answer on its first screen, and every result in the menus opens."""
    screen.open(report)
    screen.wait("document.querySelector('.report table')")
    title = screen.driver.find_element("css selector", ".report h1")
    answer = screen.driver.find_element("css selector", ".report .answer")
    assert 0 <= title.rect["y"] < answer.rect["y"] < screen.height / 2
    assert "top-1" in answer.text.lower()
    facts = "return Object.entries(results).map(([path, result]) => [path, result.mime_type, result.caption])"
    for path, kind, caption in screen.run(facts):
        assert "System Message" not in caption, path
        assert "|" not in caption, path
        if kind == "image/svg+xml":
            screen.run("app.setView({content: 'img', contentPath: results[arguments[0]].data_uri})", path)
            screen.wait("document.querySelector('#app div.grow img')?.naturalWidth > 0")
            top = screen.run("return document.querySelector('#app div.grow img').getBoundingClientRect().top")
            assert top >= 0, f"the top of {path} is cut off"
    screen.run("app.setView({content: 'rulegraph'})")
    for name in ("Where does it fail?", "What the network sees"):
        screen.wait("document.querySelector('.report nav a')")
        ActionChains(screen.driver).click(screen.driver.find_element("link text", name)).perform()
        landing = screen.driver.current_window_handle
        WebDriverWait(screen.driver, 60).until(lambda driver: len(driver.window_handles) == 2)
        (page,) = set(screen.driver.window_handles) - {landing}
        screen.driver.switch_to.window(page)
        try:
            screen.wait("location.protocol === 'blob:' && document.body?.dataset.drawn === 'true'")
            shown = "return Math.abs(document.querySelector(location.hash).getBoundingClientRect().y) < innerHeight"
            assert screen.run(shown), name
            assert screen.errors() == []
        finally:
            screen.driver.close()
            screen.driver.switch_to.window(landing)
    assert screen.errors() == []


def test_snakemake_report(screen: Browser, snakemake_report: Path) -> None:
    check_snakemake_report(screen, snakemake_report)


def test_snakemake_report_is_light(snakemake_report: Path, full_size: Path) -> None:
    sizes = {path.name: path.stat().st_size / 1e6 for path in (snakemake_report, full_size / "report.html")}
    print({name: f"{size:.1f} MB" for name, size in sizes.items()})
    assert max(sizes.values()) < MEGABYTES


def test_figures_fit_on_a_screen(full_size: Path) -> None:
    """Snakemake shows an image centred: what is taller than the window loses its top."""
    for figure in full_size.glob("*.svg"):
        height = float(re.search(r'height="([\d.]+)"', figure.read_text())[1])
        assert height <= 640, figure.name


@smallest_page
def test_demo_report(screen: Browser) -> None:
    report = PROJECT / "results" / "demo" / "report.html"
    if not report.is_file():
        pytest.skip("results/demo/report.html is not there: make demo")
    check_snakemake_report(screen, report)
