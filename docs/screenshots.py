"""Make the documentation's images from real runs: `python docs/screenshots.py`, with the extra `dev` and Chromium.

The figures and the page are those of the report of `studies/gemma3-270m`; the explorer runs on the default model, in a
browser without a window; the machine needs fonts for Chinese and Japanese. With `--experts FOLDER`, which `interlingua
experts` wrote, none are recorded.
"""

from __future__ import annotations

import argparse
import io
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from selenium import webdriver

import interlingua as il
from interlingua.explore import open_session
from interlingua.explore.page.serve import serve
from interlingua.report import write_report

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
STUDY = "gemma3-270m"
FIGURES = {"sweep": "sweep", "change-ja": "change-ja-k2000", "space-ja": "space-ja-k2000"}
WIDTH = 1200
SECONDS = 600


@contextmanager
def browser() -> Iterator[webdriver.Chrome]:
    """Yield a browser without a window."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", f"--window-size={WIDTH},1000"):
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()


def wait(driver: webdriver.Chrome, condition: str) -> None:
    """Wait until an expression of JavaScript holds."""
    until = time.monotonic() + SECONDS
    while not driver.execute_script(f"return {condition}"):
        if time.monotonic() > until:
            raise TimeoutError(condition)
        time.sleep(0.2)


def keep(driver: webdriver.Chrome, name: str, height: int) -> None:
    """Write what the browser shows as an image of some height."""
    driver.set_window_size(WIDTH, height)
    time.sleep(1.5)  # charts follow the window
    shown = Image.open(io.BytesIO(driver.get_screenshot_as_png()))
    shown.convert("RGB").save(IMAGES / f"{name}.webp", quality=70, method=6)


def of_report(driver: webdriver.Chrome) -> None:
    """Copy the figures of the published study, and show its page."""
    with TemporaryDirectory() as folder:
        page = write_report(il.open_run(ROOT / "studies" / STUDY), Path(folder))
        for image, figure in FIGURES.items():
            shutil.copy(page.parent / "figures" / f"{figure}.svg", IMAGES / f"{STUDY}-{image}.svg")
        driver.get(page.as_uri())
        wait(driver, "document.querySelector('#heat .main-svg')")
        keep(driver, "report", 1000)
        driver.execute_script("document.querySelector('#map-title').scrollIntoView()")
        keep(driver, "report-map", 1000)


def of_explorer(driver: webdriver.Chrome, experts: list[Path]) -> None:
    """Show what each tab of the explorer does on the default model."""
    with TemporaryDirectory() as folder:
        page = serve(open_session(il.load_model(), experts=experts, folder=Path(folder) / "explored"), browser=False)
        try:
            driver.get(page.local_url)
            wait(driver, "document.querySelector('#write')")
            driver.find_element("css selector", "#write").click()
            wait(driver, "document.querySelector('#note-random').innerText.includes('perplexity')")
            keep(driver, "explore-steer", 1130)
            open_tab(driver, "Align")
            driver.find_element("css selector", "#find").click()
            wait(driver, "document.querySelectorAll('#map .scatterlayer .trace').length")
            driver.execute_script("window.scrollTo(0, 0)")
            keep(driver, "explore-align", 2100)
            open_tab(driver, "Neurons")
            wait(driver, "document.querySelectorAll('#experts [role=gridcell]').length > 20")
            driver.find_element("css selector", "#experts [role=gridcell]:nth-child(2)").click()
            wait(driver, "document.querySelectorAll('#answers .barlayer .trace').length")
            keep(driver, "explore-neurons", 1750)
        finally:
            page.close()


def open_tab(driver: webdriver.Chrome, title: str) -> None:
    """Open a tab of the explorer."""
    next(tab for tab in driver.find_elements("css selector", "button[role=tab]") if tab.text == title).click()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experts", type=Path, action="append", default=[], metavar="FOLDER")
    arguments = parser.parse_args()
    with browser() as driver:
        of_report(driver)
        of_explorer(driver, arguments.experts)
