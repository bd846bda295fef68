"""Widget of stems in a real browser, with a stand-in for the model of anywidget."""

import json
from dataclasses import replace

import numpy as np
import pytest

from nmfaudio.display.report.assembly import widget_module
from nmfaudio.display.report.page import report_data

from .browsing import assert_same, drag, needs_browser, wait_for

pytestmark = needs_browser

# Values by trait, the messages to Python, and what listens to changes from there.
MODEL = """
globalThis.sent = [];
const values = VALUES;
const listeners = new Map();
const model = {
  get: (name) => values[name],
  set: (name, value) => { values[name] = value; sent.push([name, value]); },
  save_changes: () => {},
  on: (event, action) => listeners.set(event, action),
  off: (event) => listeners.delete(event),
};
globalThis.receive = (changes) => {
  Object.assign(values, changes);
  for (const name of Object.keys(changes)) listeners.get(`change:${name}`)?.();
};
globalThis.listeners = listeners;
const el = document.getElementById("el");
globalThis.close = widget.render({ model, el });
Object.defineProperty(globalThis, "nmfaudioReport", { get: () => el.nmfaudioReport });
"""


@pytest.fixture
def values(beeps):
    return {
        "report": report_data(beeps),
        "groups": {name: list(members) for name, members in beeps.groups.items()},
        "mask_power": 2.0,
        "beta": 1.0,
        "n_components": 4,
        "can_refit": True,
        "remark": "They sum up.",
        "problem": "",
        "working": False,
    }


@pytest.fixture
def open_widget(open_page, tmp_path):
    def opened(values, **settings):
        module = widget_module().replace("export default { render };", "const widget = { render };")
        script = module + MODEL.replace("VALUES", json.dumps(values))
        page = tmp_path / "notebook.html"
        button = '<button id="outside" style="width: 99px">Cell</button>'
        page.write_text(
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Notebook</title><body '
            f'data-jp-theme-light="true">{button}<div id="el"></div><script type="module">'
            f"{script}</script></body></html>",
            encoding="utf-8",
        )
        return open_page(page, **settings)

    return opened


@pytest.fixture
def page(open_widget, values):
    return open_widget(values)


def rendered(page, seconds=2.0):
    script = """async (seconds) => {
        const buffer = await nmfaudioReport.player.render(0, seconds);
        return [...buffer.getChannelData(0)];
    }"""
    return np.array(page.evaluate(script, seconds))


def test_solo_silences_the_others(page, sounds):
    assert_same(rendered(page), sounds["stem-0"] + sounds["stem-1"])
    page.get_by_role("button", name="Solo low").click()
    assert_same(rendered(page), sounds["stem-0"])
    page.click("#play")
    wait_for(page, "nmfaudioReport.player.position > 0.3")


def test_dragged_card_sends_groups_and_previews(page, sounds):
    drag(page, '[data-component="1"]', '[data-stem="1"]')
    assert page.evaluate("sent") == [["groups", {"low": [0], "high": [1, 2, 3]}]]
    page.get_by_role("button", name="Solo high").click()
    assert_same(rendered(page), sum(sounds[f"component-{k}"] for k in (1, 2, 3)))
    name = page.get_by_role("textbox", name="Name of stem 1")
    name.fill("bass")
    name.press("Enter")
    assert page.evaluate("sent")[-1] == ["groups", {"bass": [0], "high": [1, 2, 3]}]


def test_lifted_card_follows_the_pointer_inside_a_transformed_cell(page):
    page.evaluate("document.getElementById('el').style.transform = 'translate(30px, 50px)'")
    card = page.locator('[data-component="1"]').bounding_box()
    page.mouse.move(card["x"] + 60, card["y"] + 15)
    page.mouse.down()
    page.mouse.move(card["x"] + 160, card["y"] + 35, steps=4)
    ghost = page.locator(".ghost").bounding_box()
    assert (ghost["x"], ghost["y"]) == pytest.approx((card["x"] + 100, card["y"] + 20), abs=1)
    page.mouse.up()


def test_new_stems_keep_the_state_of_player_and_mixer(page, beeps):
    page.get_by_role("button", name="Solo low").click()
    page.click('[data-component="2"] .play-component')
    page.click('[data-component="2"] .play-component')
    page.evaluate("nmfaudioReport.player.seek(1)")
    page.click("#play")
    wait_for(page, "nmfaudioReport.player.position > 1.1")
    silent = {"low": 0 * beeps.stems["low"], "high": beeps.mixture}
    page.evaluate(
        "(report) => receive({ report, remark: 'Anew.' })",
        report_data(replace(beeps, stems=silent)),
    )
    wait_for(page, "nmfaudioReport.player.position > 1.3 && nmfaudioReport.player.playing")
    assert page.locator("#play").count() == 1
    assert np.abs(rendered(page)).max() < 1e-3  # low alone is heard
    assert page.inner_text("#model-state") == "Anew."
    assert page.inner_text("#chosen") == "Component 2 of high"


@pytest.mark.parametrize(
    ("slider", "value"), [("mask-power", 1.25), ("beta", 0.5), ("n-components", 9)]
)
def test_sliders_send_their_last_value(page, slider, value):
    page.locator(f"#{slider}").fill(str(value + 1))
    page.locator(f"#{slider}").fill(str(value))
    wait_for(page, "sent.length > 0")
    page.wait_for_timeout(500)
    assert page.evaluate("sent") == [[slider.replace("-", "_"), value]]


def test_other_separators_have_the_masks_alone(open_widget, values):
    page = open_widget(values | {"can_refit": False})
    assert page.locator("#mask-power").is_visible()
    assert page.locator("#beta").is_hidden()
    assert page.locator("#n-components").is_hidden()


def test_work_and_problems_are_shown(page):
    page.evaluate("receive({ working: true })")
    assert page.inner_text("#model-state") == "Computing …"
    page.evaluate("receive({ working: false, problem: 'no component 9 <b>' })")
    assert page.inner_text("#problem") == "no component 9 <b>"
    assert page.inner_text("#model-state") == "They sum up."


def test_styles_and_keys_stay_inside(page):
    style = "getComputedStyle(document.getElementById('outside'))"
    assert page.evaluate(f"{style}.borderRadius") != "7px"
    page.evaluate("""() => {
        globalThis.keys = [];
        document.addEventListener('keydown', (event) => keys.push(event.key));
    }""")
    page.locator("#play").focus()
    page.keyboard.press("b")
    assert page.get_attribute("#ab", "aria-pressed") == "true"
    assert page.evaluate("keys") == []
    page.locator("#outside").focus()
    page.keyboard.press("b")
    assert page.evaluate("keys") == ["b"]
    assert page.get_attribute("#ab", "aria-pressed") == "true"


def test_theme_of_the_notebook_is_followed(page):
    report = "document.getElementById('el').shadowRoot.querySelector('.report')"
    colour = f"getComputedStyle({report}).backgroundColor"
    light = page.evaluate(colour)
    page.evaluate("document.body.dataset.jpThemeLight = 'false'")
    wait_for(page, f"{colour} !== {light!r}")


def test_closed_widget_is_silent(page):
    page.click("#play")
    wait_for(page, "nmfaudioReport.player.position > 0.2")
    page.evaluate("globalThis.player = nmfaudioReport.player; close()")
    assert not page.evaluate("player.playing")
    assert page.evaluate("listeners.size") == 0
