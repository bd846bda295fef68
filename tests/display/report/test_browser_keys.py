"""The report page in a real browser, by keyboard alone."""

import pytest

from .browsing import (
    command,
    focused,
    needs_browser,
    position,
    tab_to,
    wait_for,
)

pytestmark = needs_browser


def test_keyboard_plays_and_compares(page):
    keys = page.keyboard
    tab_to(page, "play")
    keys.press("Space")
    wait_for(page, "nmfaudioReport.player.position > 0.1")
    keys.press("Space")
    tab_to(page, "position")
    before = position(page)
    for _ in range(20):
        keys.press("ArrowRight")
    assert position(page) == pytest.approx(before + 0.2, abs=0.02)
    tab_to(page, "loop")
    keys.press("Enter")
    assert page.evaluate("nmfaudioReport.player.loop.to") == 3
    keys.press("Enter")
    tab_to(page, "ab")
    keys.press("Space")
    assert page.evaluate("nmfaudioReport.mixer.mixture")
    keys.press("Space")


def test_keyboard_names_and_mixes_stems(page):
    keys = page.keyboard
    tab_to(page, "name-0")
    keys.press("Control+a")
    keys.type("bass")
    keys.press("Enter")
    assert page.evaluate("nmfaudioReport.groups.stems[0].name") == "bass"
    tab_to(page, "solo-0")
    keys.press("Space")
    assert page.evaluate("nmfaudioReport.groups.stems[0].solo")
    tab_to(page, "mute-0")
    keys.press("Space")
    tab_to(page, "gain-0")
    keys.press("ArrowRight")
    assert page.evaluate("nmfaudioReport.groups.stems[0].gain") == 1


def test_keyboard_moves_cards(page):
    keys = page.keyboard
    tab_to(page, "card-0")
    keys.press("ArrowUp")  # component 1 has more energy
    assert focused(page) == "card-1"
    assert page.inner_text("#chosen") == "Component 1 of low"
    keys.press("ArrowRight")
    assert focused(page) == "card-1"
    assert page.inner_text("#announcements") == "Component 1 moved to high"
    assert command(page).endswith("--group low=0 --group high=1-3")
    keys.press("ArrowLeft")
    keys.press("Enter")
    assert page.evaluate("nmfaudioReport.mixer.soloed") == 1
    keys.press("Enter")
    tab_to(page, "stem-of-1")
    keys.press("ArrowDown")
    assert command(page).endswith("--group low=0 --group high=1-3")
    tab_to(page, "add-stem")
    keys.press("Enter")
    keys.type("third")
    keys.press("Enter")
    tab_to(page, "card-3")
    keys.press("ArrowRight")
    assert command(page).endswith("--group third=3")
    tab_to(page, "copy-command")
    tab_to(page, "save-groups")


def test_keyboard_draws_boxes_and_reaches_notes(page):
    keys = page.keyboard
    tab_to(page, "picture")
    keys.press("ArrowDown")
    assert "Spectrogram of low" in page.get_attribute("#V", "alt")
    tab_to(page, "paint")
    keys.press("Enter")
    tab_to(page, "box-stem")
    tab_to(page, "add-box")
    keys.press("Enter")
    assert focused(page) == "start of box 1"
    keys.press("Control+a")
    keys.type("0.5")
    keys.press("Enter")
    assert page.evaluate("nmfaudioReport.boxes.json()[0].start") == 0.5
    tab_to(page, "save-boxes")
    tab_to(page, "A3, 0.20 s to 0.60 s")
    keys.press("ArrowRight")
    assert focused(page).startswith("A5")
    tab_to(page, "Settings")
    keys.press("Enter")
    assert page.get_by_text("max_iter").is_visible()


def test_keys_from_anywhere(page):
    keys = page.keyboard
    keys.press("Space")
    wait_for(page, "nmfaudioReport.player.playing")
    keys.press("k")
    assert not page.evaluate("nmfaudioReport.player.playing")
    keys.press("Home")
    keys.press("ArrowRight")
    assert position(page) == pytest.approx(1)
    keys.press("[")
    keys.press("ArrowRight")
    keys.press("]")
    assert page.evaluate("nmfaudioReport.player.loop") == {
        "from": pytest.approx(1),
        "to": pytest.approx(2),
    }
    keys.press("l")
    assert page.evaluate("nmfaudioReport.player.loop") is None
    keys.press("2")
    assert page.evaluate("nmfaudioReport.groups.stems.map((stem) => stem.solo)") == [False, True]
    keys.press("b")
    assert page.get_attribute("#ab", "aria-pressed") == "true"
    page.get_by_role("textbox", name="Name of stem 1").fill("")
    keys.type("blk 2")  # letters in a name are no commands
    assert page.get_attribute("#ab", "aria-pressed") == "true"
