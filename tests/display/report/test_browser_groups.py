"""Cards, commands and boxes of the report page in a real browser."""

from dataclasses import replace

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.display.report import write_report
from nmfaudio.separators.boxes import read_strokes

from .browsing import (
    assert_same,
    command,
    drag,
    needs_browser,
    position,
    rendered,
    saved_json,
)
from .conftest import PHONE

pytestmark = needs_browser


def test_dragged_card_changes_command_file_and_sound(page, sounds):
    assert command(page) == (
        "nmfaudio regroup 'beeps in a row.wav' model.npz --group low=0-1 --group high=2-3"
    )
    assert page.locator("#changed").is_hidden()
    drag(page, '[data-component="1"]', '[data-stem="1"]')
    assert command(page).endswith("model.npz --group low=0 --group high=1-3")
    assert "preview" in page.inner_text("#changed")
    assert page.locator('.stem[aria-label="high"] .card').count() == 3
    assert not page.evaluate("nmfaudioReport.player.playing")  # a drag is no click
    page.get_by_role("button", name="Solo high").click()
    assert_same(rendered(page), sum(sounds[f"component-{k}"] for k in (1, 2, 3)))
    name, groups = saved_json(page, "#save-groups")
    assert (name, groups) == ("groups.json", {"low": [0], "high": [1, 2, 3]})
    drag(page, '[data-component="1"]', '[data-stem="0"]')
    assert page.locator("#changed").is_hidden()


def test_card_dragged_beside_the_stems_makes_a_new_one(page):
    drag(page, '[data-component="3"]', "#add-stem")
    assert "--group 'new stem=3'" in command(page)
    assert page.locator(".stem").count() == 3


def test_drag_that_ends_nowhere_changes_nothing(page):
    before = command(page)
    drag(page, '[data-component="3"]', "h1")
    card = page.locator('[data-component="3"]').bounding_box()
    page.mouse.move(card["x"] + 60, card["y"] + 20)
    page.mouse.down()
    page.mouse.move(card["x"] + 80, card["y"] + 10, steps=4)
    page.mouse.up()
    page.wait_for_timeout(100)
    assert command(page) == before
    assert page.locator(".ghost").count() == 0
    assert not page.evaluate("nmfaudioReport.player.playing")


def test_regrouping_is_what_the_separator_takes(page):
    drag(page, '[data-component="1"]', '[data-stem="1"]')
    _, groups = saved_json(page, "#save-groups")
    y = np.random.default_rng(0).standard_normal((1, 4000))
    saved = na.separate(y, 8000, n_components=4, max_iter=2).decomposition
    stems = na.RegroupSeparator(saved=saved, groups=groups)(y, 8000)
    assert {name: list(stems.groups[name].components) for name in groups} == groups


def test_renamed_stems_are_in_the_command(page):
    name = page.get_by_role("textbox", name="Name of stem 1")
    name.fill("bass & drum's")
    name.press("Enter")
    assert command(page).endswith("--group 'bass & drum'\\''s=0-1' --group high=2-3")
    name = page.get_by_role("textbox", name="Name of stem 2")
    name.fill("bass & drum's")
    name.press("Enter")
    assert name.input_value() == "bass & drum's-2"
    name.fill("  ")
    name.press("Enter")
    assert name.input_value() == "bass & drum's-2"


def test_brush_makes_boxes_that_paint_takes(page):
    page.click("#paint")
    page.locator(".v-box").scroll_into_view_if_needed()
    box = page.locator(".v-box").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 3, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 2 / 3, box["y"] + box["height"] / 4, steps=4)
    page.mouse.up()
    name, boxes = saved_json(page, "#save-boxes")
    assert name == "boxes.json"
    (stroke,) = read_strokes(boxes)
    assert stroke.source == "low"
    assert (stroke.start, stroke.end) == (pytest.approx(1, abs=0.02), pytest.approx(2, abs=0.02))
    octaves = np.log2(8000 / 40)
    assert stroke.low == pytest.approx(40 * 2 ** (octaves / 2), rel=0.03)
    assert stroke.high == pytest.approx(40 * 2 ** (octaves * 3 / 4), rel=0.03)
    assert position(page) == 0  # drawing does not seek
    assert page.inner_text("#paint-command").endswith("'beeps in a row.wav' boxes.json --rest")
    page.get_by_label("high of box 1").fill("50")
    page.get_by_label("high of box 1").press("Enter")
    (stroke,) = read_strokes(saved_json(page, "#save-boxes")[1])
    assert stroke.low == 50 < stroke.high


def test_boxes_and_commands_are_those_of_the_part_of_the_file(open_page, tmp_path, beeps):
    options = {name: ["--preview", "30-33"] for name in ("regroup", "paint")}
    write_report(tmp_path / "part.html", replace(beeps, options=options, start=30.0))
    page = open_page(tmp_path / "part.html")
    assert page.evaluate("nmfaudioReport.groups.command()").endswith(" --preview 30-33")
    page.click("#paint")
    page.click("#add-box")
    (stroke,) = read_strokes(saved_json(page, "#save-boxes")[1])
    assert (stroke.start, stroke.end) == (30.75, 31.5)  # a quarter and a half of three seconds
    assert "boxes.json --preview 30-33" in page.inner_text("#paint-command")


def test_many_activations_are_the_strongest_of_the_stem(open_page, tmp_path, beeps):
    rng = np.random.default_rng(0)
    V = beeps.transform.features(beeps.transform.frames(beeps.mixture, 0, 90))
    many = na.nmf(V, W=rng.random((len(V), 70)), update_W=False, max_iter=2, rng=0)
    groups = {"low": range(65), "high": range(65, 70)}
    write_report(tmp_path / "many.html", replace(beeps, decomposition=many, groups=groups))
    page = open_page(tmp_path / "many.html")
    page.evaluate("nmfaudioReport.figure.choose(66)")
    assert page.inner_text("#rows") == "those of its stem below"
    page.evaluate("nmfaudioReport.figure.choose(3)")
    assert page.inner_text("#rows") == "the 60 strongest of the 65 of its stem below"
    shown = page.evaluate("nmfaudioReport.figure.rows.rows.map((row) => row.k)")
    shares = many.W.sum(axis=0) * many.H.sum(axis=1)
    assert set(shown) == set(np.argsort(-shares[:65])[:60].tolist())


def test_finger_drags_by_the_grip(open_page, path):
    page = open_page(path, PHONE, has_touch=True, is_mobile=True)
    page.locator('[data-component="1"]').scroll_into_view_if_needed()
    grip = page.locator('[data-component="1"] .grip').bounding_box()
    target = page.locator('[data-stem="1"] header').bounding_box()
    touch = page.context.new_cdp_session(page)
    x, y = grip["x"] + grip["width"] / 2, grip["y"] + grip["height"] / 2

    def send(kind, *points):
        touch.send(
            "Input.dispatchTouchEvent",
            {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]},
        )

    send("touchStart", (x, y))
    for step in range(1, 6):
        send("touchMove", (x, y + (target["y"] + 15 - y) * step / 5))
    send("touchEnd")
    assert command(page).endswith("--group low=0 --group high=1-3")


def test_paint_command_is_shown_once_it_can_run(page):
    page.click("#paint")
    assert page.locator("#paint-command").is_hidden()
    name = page.get_by_role("textbox", name="Name of stem 1")
    name.fill("rest")
    name.press("Enter")
    page.click("#add-box")
    assert page.locator("#paint-command").is_hidden()  # `paint` makes a stem of that name
    assert page.locator("#paint-more").is_visible()
    page.select_option("#box-stem", index=1)
    page.click("#add-box")
    assert page.inner_text("#paint-command").endswith("'beeps in a row.wav' boxes.json")


def test_long_name_does_not_widen_the_page_of_a_phone(open_page, path):
    page = open_page(path, PHONE)
    name = page.get_by_role("textbox", name="Name of stem 1")
    name.fill("bass drum and low tom-toms with a very long name")
    name.press("Enter")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_solo_and_cards_leave_the_mixture(page):
    page.click("#ab")
    page.get_by_role("button", name="Solo low").click()
    assert page.get_attribute("#ab", "aria-pressed") == "false"
    page.click("#ab")
    page.click('[data-component="2"] .play-component')
    assert page.get_attribute("#ab", "aria-pressed") == "false"


def test_saving_is_told(page):
    with page.expect_download():
        page.get_by_role("button", name="Save low as WAV").click()
    page.get_by_text("low.wav saved").wait_for()
