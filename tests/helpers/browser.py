"""A real browser without a window, and what it says about a page."""

import base64
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # whatever a page asks of the network fails, and the console says so
)  # fmt: skip
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 60  # seconds for a page to draw itself, on a busy machine


def missing() -> str:
    """Why there is no browser to test with; empty if there is one."""
    if not any(map(shutil.which, PROGRAMS)):
        return f"no browser installed: none of {', '.join(PROGRAMS)}"
    return "" if shutil.which("chromedriver") else "chromedriver is not installed"


@contextmanager
def browser(width: int, height: int) -> Iterator["Browser"]:
    """A fresh browser whose page is `width` × `height` pixels; closed at the end."""
    options = webdriver.ChromeOptions()
    options.binary_location = next(filter(None, map(shutil.which, PROGRAMS)))
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options.add_argument(f"--user-data-dir={profile}")
        driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        try:
            yield Browser(driver, width, height)
        finally:
            driver.quit()


class Browser:
    """One page at a time."""

    def __init__(self, driver: webdriver.Chrome, width: int, height: int):
        self.driver = driver
        self.resize(width, height)

    def resize(self, width: int, height: int) -> None:
        """Make the page `width` × `height` pixels."""
        self.width, self.height = width, height
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def open(self, page: Path) -> None:
        """Load a file, forgetting what was logged before."""
        self.driver.get_log("browser")
        self.driver.get(page.resolve().as_uri())

    def run(self, script: str, *arguments: object) -> object:
        """The value of a JavaScript function body."""
        return self.driver.execute_script(script, *arguments)

    def wait(self, expression: str) -> None:
        """Wait until a JavaScript expression is true. Raises TimeoutError."""
        end = time.monotonic() + PATIENCE
        while not self.run(f"return Boolean({expression})"):
            if time.monotonic() > end:
                raise TimeoutError(f"not true after {PATIENCE} s: {expression}")
            time.sleep(0.05)

    def errors(self) -> list[str]:
        """What the console calls severe since `open`: errors of scripts, and everything asked of the network."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]

    def picture(self, path: Path, height: int | None = None) -> None:
        """Save what is seen as PNG, from the top of the page; `height` pixels of it if that is given."""
        area = {"x": 0, "y": 0, "width": self.width, "height": height or self.height, "scale": 1}
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"clip": area, "captureBeyondViewport": True})
        path.write_bytes(base64.b64decode(shot["data"]))
