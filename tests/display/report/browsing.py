"""Use of a report page in a browser."""

import json
from pathlib import Path

import numpy as np
import pytest

from .conftest import CHROMIUM

needs_browser = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs the browser: apt-get install chromium"),
]
STEMS = ["low", "high"]


def rendered(page, seconds=2.0):
    """Sound that the page would play from its beginning."""
    script = """async (seconds) => {
        const buffer = await nmfaudioReport.player.render(0, seconds);
        return [...buffer.getChannelData(0)];
    }"""
    return np.array(page.evaluate(script, seconds))


def assert_same(sound, expected):
    expected = expected[: len(sound)]
    assert len(expected) == len(sound) > 0
    assert np.abs(sound - expected).max() < 0.01  # browser and libsndfile decode apart


def wait_for(page, condition):
    """Wait until an expression is true; the policy refuses playwright's own function for it."""
    for _ in range(100):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never {condition}")


def position(page):
    return page.evaluate("nmfaudioReport.player.position")


def command(page):
    return page.inner_text("#command")


def saved_json(page, button):
    with page.expect_download() as download:
        page.click(button)
    return download.value.suggested_filename, json.loads(Path(download.value.path()).read_text())


def drag(page, source, target):
    page.locator(source).scroll_into_view_if_needed()
    start, end = (page.locator(each).bounding_box() for each in (source, target))
    page.mouse.move(start["x"] + 60, start["y"] + start["height"] / 2)
    page.mouse.down()
    page.mouse.move(end["x"] + 40, end["y"] + 20, steps=8)
    page.mouse.up()


def focused(page):
    """Accessible name or id of the element with the focus."""
    return page.evaluate("""() => {
        const e = document.activeElement;
        return e === document.body ? null : e.id || e.dataset.focus || e.getAttribute('aria-label')
            || e.textContent.trim();
    }""")


def tab_to(page, wanted):
    for _ in range(80):
        if focused(page) == wanted:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the tab key does not reach {wanted}")
