"""Stems and components saved as WAV by the report page in a real browser."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from nmfaudio.display.report import ComponentSound, write_report
from nmfaudio.display.report import page as page_module

from .browsing import assert_same, drag, needs_browser, tab_to
from .conftest import SECONDS, SR

pytestmark = needs_browser


def saved_wave(page, action):
    """Name and samples of a file that an action saves, at the length of the recording."""
    with page.expect_download() as download:
        action()
    y, sr = soundfile.read(Path(download.value.path()), always_2d=True)
    info = soundfile.info(download.value.path())
    assert (sr, len(y), info.subtype) == (SR, SECONDS * SR, "FLOAT")
    return download.value.suggested_filename, y.T


def clicked(page, name):
    return lambda: page.get_by_role("button", name=name).click()


def test_stems_are_saved_and_sum_to_the_mixture(page, sounds, beeps):
    page.get_by_role("button", name="Mute low").click()  # the mixer does not count
    name, low = saved_wave(page, clicked(page, "Save low as WAV"))
    assert name == "low.wav"
    assert low.shape[0] == 1
    assert_same(low[0, : 2 * SR], sounds["stem-0"])
    _, high = saved_wave(page, clicked(page, "Save high as WAV"))
    noise = beeps.mixture - low - high
    assert np.std(noise) < 0.03 * np.std(beeps.mixture)  # of the coding


def test_saved_stem_follows_its_cards(page, sounds):
    drag(page, '[data-component="1"]', '[data-stem="1"]')
    _, high = saved_wave(page, clicked(page, "Save high as WAV"))
    assert_same(high[0, : 2 * SR], sum(sounds[f"component-{k}"] for k in (1, 2, 3)))


def test_all_stems_are_saved(page):
    names = []
    page.on("download", lambda download: names.append(download.suggested_filename))
    page.click("#save-stems")
    for _ in range(100):
        if len(names) == 2:
            break
        page.wait_for_timeout(50)
    assert names == ["low.wav", "high.wav"]


def test_chosen_component_is_saved_with_the_keyboard(page, sounds):
    tab_to(page, "card-2")
    name, y = saved_wave(page, lambda: page.keyboard.press("s"))
    assert name == "component-2.wav"
    assert_same(y[0, : 2 * SR], sounds["component-2"])
    tab_to(page, "save-component")
    name, _ = saved_wave(page, lambda: page.keyboard.press("Enter"))
    assert name == f"component-{page.evaluate('nmfaudioReport.figure.chosen')}.wav"


def test_loud_stereo_is_saved_with_its_channels_and_level(open_page, tmp_path, beeps):
    stems = {name: np.vstack([8 * y, 2 * y]) for name, y in beeps.stems.items()}
    target = tmp_path / "loud.html"
    write_report(target, replace(beeps, stems=stems, mixture=sum(stems.values())))
    page = open_page(target)
    _, low = saved_wave(page, clicked(page, "Save low as WAV"))
    assert np.abs(low).max(1) == pytest.approx(np.abs(stems["low"]).max(1), rel=0.1)
    assert np.abs(low).max() > 1
    drag(page, '[data-component="1"]', '[data-stem="1"]')
    assert "in one channel" in page.inner_text("#changed")


def test_regrouped_stem_of_excerpts_is_not_saved(open_page, tmp_path, beeps):
    excerpts = {k: ComponentSound(1.0, y.samples[: SR // 2]) for k, y in beeps.sounds.items()}
    target = tmp_path / "excerpts.html"
    write_report(target, replace(beeps, sounds=excerpts))
    page = open_page(target)
    assert page.locator("#save-component").is_hidden()
    assert page.locator("#not-saved").is_hidden()
    saved_wave(page, clicked(page, "Save low as WAV"))
    drag(page, '[data-component="1"]', '[data-stem="1"]')
    assert page.get_by_role("button", name="Save low as WAV").is_disabled()
    assert page.locator("#save-stems").is_disabled()
    assert page.locator("#not-saved").is_visible()


def assert_near(saved, samples):
    assert np.std(saved[0] - samples) < 0.3 * np.std(samples)  # components have 33 kbit/s


def test_stem_with_whole_components_and_a_rest_is_heard_and_saved(open_page, tmp_path, beeps):
    parts = {k: beeps.sounds[k] for k in (0, 2)}  # 1 and 3 have no sound of their own
    rests = {"low": beeps.sounds[1].samples, "high": beeps.sounds[3].samples}
    target = tmp_path / "rests.html"
    write_report(target, replace(beeps, sounds=parts, rests=rests))
    page = open_page(target)
    drag(page, '[data-component="0"]', '[data-stem="1"]')
    assert "preview" in page.inner_text("#changed")
    _, low = saved_wave(page, clicked(page, "Save low as WAV"))
    assert_near(low, beeps.sounds[1].samples)
    _, high = saved_wave(page, clicked(page, "Save high as WAV"))
    assert_near(high, sum(beeps.sounds[k].samples for k in (0, 2, 3)))
    drag(page, '[data-component="1"]', '[data-stem="1"]')
    assert "not on this page" in page.inner_text("#changed")
    assert page.get_by_role("button", name="Save low as WAV").is_disabled()


def test_sound_in_a_folder_is_saved(open_page, tmp_path, monkeypatch, beeps, sounds):
    monkeypatch.setattr(page_module, "MOST_SECONDS", 1.0)
    target = tmp_path / "song.html"
    write_report(target, beeps)
    page = open_page(target)
    _, low = saved_wave(page, clicked(page, "Save low as WAV"))
    assert_same(low[0, : 2 * SR], sounds["stem-0"])
