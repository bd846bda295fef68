"""The report page in a real browser: safety, names of controls, layout."""

import os
from pathlib import Path

import pytest

from nmfaudio.display.report import write_report

from .browsing import (
    drag,
    needs_browser,
)
from .conftest import DESKTOP, HOSTILE, PHONE, contents

pytestmark = needs_browser


def test_page_opens_without_an_error_or_a_request(open_page, path):
    page = open_page(path)
    assert page.inner_text("h1") == "beeps"
    assert page.locator(".card").count() == 4
    assert page.locator(".stem").count() == 2
    page.wait_for_timeout(300)
    assert {url.split(":")[0] for url in open_page.requests} <= {"file", "data"}
    assert sum(url.startswith("file:") for url in open_page.requests) == 1


def test_every_control_has_a_name(page):
    page.click("#paint")
    page.click("#add-box")
    unnamed = page.evaluate("""() => {
        const controls = document.querySelectorAll(
            'button, input, select, a, [role=button], canvas, svg');
        const name = (e) => e.getAttribute('aria-label') || e.textContent.trim()
            || e.labels?.[0]?.textContent.trim() || e.closest('[aria-hidden=true]');
        return [...controls].filter((e) => !name(e)).map((e) => e.outerHTML);
    }""")
    assert unnamed == []


def test_names_are_never_markup(open_page, tmp_path):
    target = tmp_path / "hostile.html"
    write_report(target, contents(names=(HOSTILE, "b"), title=HOSTILE))
    page = open_page(target)
    assert page.evaluate("document.querySelector('h1').textContent") == HOSTILE
    assert page.evaluate("document.querySelector('.name').value").startswith("</script>")
    assert page.locator("img").count() == 1
    page.click("#paint")
    page.click("#add-box")
    drag(page, '[data-component="1"]', '[data-stem="1"]')
    assert page.locator("img").count() == 1
    assert page.evaluate("typeof hacked") == "undefined"


def test_policy_stops_what_is_foreign(browser, path):
    """The policy holds even for a script that got into the document."""
    context = browser.new_context()
    page = context.new_page()
    refused = []
    page.on("console", lambda message: refused.append(message.text))
    page.goto(path.as_uri())
    page.evaluate("""() => {
        const script = document.createElement('script');
        script.textContent = 'hacked = 1';
        document.body.append(script);
        const image = document.createElement('img');
        image.src = 'http://127.0.0.1:9/x.png';
        document.body.append(image);
        fetch('http://127.0.0.1:9/x').catch(() => 0);
    }""")
    page.wait_for_timeout(300)
    assert page.evaluate("typeof hacked") == "undefined"
    assert sum("Content Security Policy" in text for text in refused) >= 3
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_page_fits_its_width(open_page, path, viewport, scheme):
    page = open_page(path, viewport, color_scheme=scheme)
    page.click("#paint")
    page.click("#add-box")
    page.wait_for_timeout(100)
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(19, 20, 24)"
    assert dark == (scheme == "dark")
    if folder := os.environ.get("NMFAUDIO_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{viewport['width']}-{scheme}.png", full_page=True)


def test_print_shows_the_result_without_controls(page):
    page.emulate_media(media="print")
    for hidden in (".transport", ".controls", "#save-groups"):
        assert page.locator(hidden).first.is_hidden()
    assert page.locator("#command").is_visible()
    assert len(page.pdf()) > 10_000
    assert page.get_by_text("max_iter").is_visible()


def test_factors_are_beside_the_spectrogram_on_a_phone(open_page, path):
    page = open_page(path, PHONE)
    W, V, H = (page.locator(each).bounding_box() for each in ("#W", "#V", "#H"))
    assert W["x"] + W["width"] < V["x"]
    assert W["y"] == pytest.approx(V["y"], abs=2)
    assert W["height"] == pytest.approx(V["height"], abs=3)
    assert (H["x"], H["width"]) == pytest.approx((V["x"], V["width"]), abs=1)
