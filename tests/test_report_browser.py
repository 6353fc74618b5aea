"""The page in a real browser, opened from disk: the map answers, tables sort, and no request leaves the page."""

import json
import time

import numpy as np
import pandas as pd
import pytest

from browser import errors_of, needs_browser, open_browser, requests_of, wait
from interlingua.report import write_report
from interlingua.study import StudyConfig
from interlingua.study.store import Run

pytestmark = [pytest.mark.slow, needs_browser]
CODES = ("eng_Latn", "spa_Latn", "jpn_Jpan")
SENTENCES = ('<b>one</b> & "two", that\'s it', "three", "four")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Write the report of a run made up by hand."""
    run = Run(tmp_path_factory.mktemp("run"))
    run.begin(StudyConfig(targets=["es"], pretrained_languages=["en", "es"]))
    split = {"corpus": "starter", "languages": list(CODES), "sentences": 3, "sha256": "0" * 64, "truncated": 0}
    run.write_manifest(
        {
            **dict.fromkeys(("interlingua", "torch", "transformers", "numpy", "python"), "1"),
            "model": {"mlp_neurons": 9, "dtype": "float32", "device": "cpu"},
            "probe": split, "evaluation": split, "cells": 1, "seconds": 1.0,
        }
    )  # fmt: skip
    steered = {"condition": "steered", "target": "spa_Latn", "kind": "set-to-mean", "k": 2000}
    original = {"condition": "original", "target": None, "kind": None, "k": 0}
    pairs = [(a, b) for a in CODES for b in CODES]
    retrieval = [
        {**keys, "layer": -1, "query": a, "candidate": b, "n": 3, "top1": 1.0 if a == b else base + 0.1 * i}
        for keys, base in ((original, 0.0), (steered, 0.25))
        for i, (a, b) in enumerate(pairs[:9])
    ]
    points = [
        {
            **steered,
            "space": space,
            "language": code,
            "sentence": row,
            "x": 3.0 * i + row,
            "y": j + 0.3 * row,
            "text": text,
        }
        for j, space in enumerate(("original", "steered"))
        for i, code in enumerate(CODES)
        for row, text in enumerate(SENTENCES)
    ]
    scores = [
        {"language": code, "k": 2000, "mean_auroc": auroc, "lowest_auroc": 0.5, "above_chance": 9, "median_layer": 1.0}
        for code, auroc in zip(CODES, (0.7, 0.9, 0.8), strict=True)
    ]
    tables = {"retrieval": retrieval, "projection": points, "experts": scores}
    run.write_tables({name: pd.DataFrame(rows) for name, rows in tables.items()})
    return write_report(run)


@pytest.fixture(scope="module")
def browser(page):
    driver = open_browser()
    driver.get(page.as_uri())
    wait(driver, "document.querySelectorAll('.chart .main-svg').length")
    yield driver
    driver.quit()


def test_the_page_opens_without_errors_and_asks_for_nothing(browser, page):
    wait(browser, "document.readyState === 'complete'")
    assert requests_of(browser) == [page.as_uri()]
    assert errors_of(browser) == []


def test_the_map_shows_language_and_sentence_under_the_pointer(browser):
    from selenium.webdriver import ActionChains

    point = browser.find_element("css selector", "#map .scatterlayer .trace .point")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", point)
    ActionChains(browser).move_to_element(point).perform()
    wait(browser, "document.querySelector('#map .hoverlayer .hovertext')")
    shown = browser.find_element("css selector", "#map .hoverlayer").text
    assert "English" in shown
    assert SENTENCES[0] in shown


@pytest.mark.parametrize(
    ("button", "spaces"), [("before", [True]), ("after", [False]), ("before and after", [False, True])]
)
def test_the_map_switches_between_before_and_after(browser, button, spaces):
    from selenium.webdriver import ActionChains

    named = {element.text: element for element in browser.find_elements("css selector", "#map .updatemenu-button")}
    ActionChains(browser).move_to_element(named[button]).click().perform()
    visible = "document.getElementById('map').data.filter((trace) => trace.visible)"
    hollow = f"{visible}.map((trace) => trace.marker.symbol.endsWith('-open'))"
    wait(browser, f"JSON.stringify([...new Set({hollow})].sort()) === '{json.dumps(spaces, separators=(',', ':'))}'")
    colours = browser.execute_script(f"return {visible}.map((trace) => trace.marker.color)")
    assert len(set(colours)) == len(CODES)
    drawn = browser.find_elements("css selector", "#map .scatterlayer .trace")
    assert len(drawn) == len(CODES) * len(spaces)


def test_heat_maps_have_values(browser):
    data = browser.execute_script("return document.getElementById('heat').data.map((trace) => [trace.name, trace.z])")
    names = [name for name, _ in data]
    assert names == ["original", "change: steered to Spanish, k = 2,000", "steered to Spanish, k = 2,000"]
    change = np.array(data[1][1], dtype=float)
    np.testing.assert_allclose(change[~np.eye(3, dtype=bool)], 0.25)


def test_a_click_on_a_heading_sorts_and_a_second_turns_the_order_around(browser):
    table = browser.find_element("xpath", "//h3[@id='experts']/following-sibling::div[1]/table")
    heading = next(cell for cell in table.find_elements("css selector", "th button") if cell.text == "mean AUROC")
    column = "[...arguments[0].tBodies[0].rows].map((row) => row.cells[2].textContent)"
    for expected in (["0.700", "0.800", "0.900"], ["0.900", "0.800", "0.700"]):
        browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", heading)
        heading.click()
        assert browser.execute_script(f"return {column}", table) == expected


def test_a_phone_shows_the_page_without_scrolling_sideways(browser):
    browser.set_window_size(420, 900)
    time.sleep(0.5)
    assert browser.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
    browser.set_window_size(1200, 900)
