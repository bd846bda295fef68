"""Sound and clock of the report page in a real browser."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.display.report import ComponentSound, write_report
from nmfaudio.display.report import page as page_module

from .browsing import (
    assert_same,
    command,
    drag,
    needs_browser,
    position,
    rendered,
    wait_for,
)
from .conftest import SR

pytestmark = needs_browser


def test_clock_advances_pauses_and_ends(page):
    page.click("#play")
    wait_for(page, "nmfaudioReport.player.position > 0.5")
    assert page.get_attribute("#play", "aria-label") == "Pause"
    assert float(page.input_value("#position")) > 0.3
    page.click("#play")
    paused = position(page)
    page.wait_for_timeout(200)
    assert position(page) == paused < 3
    page.evaluate("nmfaudioReport.player.seek(2.8)")
    page.click("#play")
    wait_for(page, "!nmfaudioReport.player.playing")
    assert position(page) == 0


def test_play_and_pause_while_sounds_are_decoded(page):
    script = """async () => {
        const { player, mixer } = nmfaudioReport;
        player.loads.set('stem-0', new Promise((resolve) => { globalThis.finish = resolve; }));
        mixer.toggle();
    }"""
    page.evaluate(script)
    assert page.get_attribute("#play", "aria-busy") == "true"
    page.click("#play")  # cancels
    page.evaluate("finish()")
    page.wait_for_timeout(200)
    assert page.get_attribute("#play", "aria-busy") == "false"
    assert not page.evaluate("nmfaudioReport.player.playing")
    page.click("#play")
    wait_for(page, "nmfaudioReport.player.playing")


def test_clock_is_that_of_the_sound_card(page):
    page.click("#play")
    wait_for(page, "nmfaudioReport.player.position > 0.1")
    script = """() => new Promise((resolve) => {
        const { player } = nmfaudioReport;
        const start = [player.position, player.context.currentTime];
        setTimeout(() => resolve([player.position - start[0],
                                  player.context.currentTime - start[1]]), 700);
    })"""
    moved, elapsed = page.evaluate(script)
    assert moved == pytest.approx(elapsed, abs=0.01)
    assert moved > 0.4


def test_loop_repeats_its_part(page):
    page.click("#loop")
    page.fill("#loop-from", "1")
    page.locator("#loop-from").press("Enter")
    page.fill("#loop-to", "1.4")
    page.locator("#loop-to").press("Enter")
    page.locator("#loop-to").blur()
    page.click("#play")
    wait_for(page, "nmfaudioReport.player.playing")
    times = []
    for _ in range(12):
        page.wait_for_timeout(100)
        times.append(position(page))
    assert 1 <= min(times) < max(times) <= 1.4
    assert np.diff(times).min() < 0
    page.click("#loop")
    wait_for(page, "nmfaudioReport.player.position > 1.5")


def test_clicking_the_spectrogram_seeks(page):
    page.locator(".v-box").scroll_into_view_if_needed()
    box = page.locator(".v-box").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 3, box["y"] + 40)
    assert position(page) == pytest.approx(1, abs=0.02)


def test_stems_sum_and_solo_silences_the_others(page, sounds):
    assert_same(rendered(page), sounds["stem-0"] + sounds["stem-1"])
    page.get_by_role("button", name="Solo low").click()
    assert_same(rendered(page), sounds["stem-0"])
    page.get_by_role("button", name="Solo high").click()
    assert_same(rendered(page), sounds["stem-0"] + sounds["stem-1"])
    page.get_by_role("button", name="Solo low").click()
    assert_same(rendered(page), sounds["stem-1"])


def test_mute_and_gain(page, sounds):
    page.get_by_role("button", name="Mute low").click()
    assert_same(rendered(page), sounds["stem-1"])
    slider = page.get_by_role("slider", name="Gain of high")
    slider.focus()
    for _ in range(6):
        slider.press("ArrowLeft")
    assert slider.get_attribute("aria-valuetext") == "−6 dB"
    assert_same(rendered(page), sounds["stem-1"] * 10 ** (-6 / 20))
    page.get_by_role("button", name="Mute high").click()
    assert np.abs(rendered(page)).max() == 0


def test_mixture_beside_the_stems(page, sounds):
    page.get_by_role("button", name="Solo low").click()
    page.click("#ab")
    assert_same(rendered(page), sounds["mixture"])
    page.click("#ab")
    assert_same(rendered(page), sounds["stem-0"])


def test_solo_while_playing_keeps_the_clock(page):
    page.click("#play")
    wait_for(page, "nmfaudioReport.player.position > 0.2")
    before = position(page)
    page.get_by_role("button", name="Solo low").click()
    wait_for(page, f"nmfaudioReport.player.position > {before} + 0.2")
    gain = "nmfaudioReport.player.nodes.get('stem-{}').gain.gain.value"
    wait_for(page, gain.format(1) + " < 0.001")
    assert page.evaluate(gain.format(0)) == 1


def test_card_plays_its_component_alone(page, sounds):
    page.click('[data-component="2"] .play-component')
    wait_for(page, "nmfaudioReport.player.playing")
    assert page.inner_text("#chosen") == "Component 2 of high"
    assert page.get_attribute('[data-focus="card-2"]', "aria-pressed") == "true"
    assert_same(rendered(page), sounds["component-2"])
    page.click('[data-component="2"] .play-component')
    assert not page.evaluate("nmfaudioReport.player.playing")
    assert_same(rendered(page), sounds["stem-0"] + sounds["stem-1"])


def test_excerpts_play_where_they_are(open_page, tmp_path, beeps, sounds):
    excerpts = {
        k: ComponentSound(1.0 + 0.2 * k, sound.samples[: SR // 2])
        for k, sound in beeps.sounds.items()
    }
    target = tmp_path / "excerpts.html"
    write_report(target, replace(beeps, sounds=excerpts))
    page = open_page(target)
    page.click('[data-component="1"] .play-component')
    wait_for(page, "nmfaudioReport.player.playing")
    assert position(page) >= 1.2
    sound = rendered(page)
    assert np.abs(sound[: round(1.2 * SR)]).max() == 0 < np.abs(sound[round(1.2 * SR) :]).max()
    wait_for(page, "!nmfaudioReport.player.playing")  # at the end of the excerpt
    assert 1.69 < position(page) < 2.5
    drag(page, '[data-component="1"]', '[data-stem="1"]')
    assert "not on this page" in page.inner_text("#changed")
    assert_same(rendered(page), sounds["stem-0"] + sounds["stem-1"])


def test_notes_sound_on_click(page):
    page.evaluate("""() => {
        globalThis.tones = [];
        const Original = OscillatorNode;
        globalThis.OscillatorNode = class extends Original {
            constructor(context, options) {
                super(context, options);
                tones.push(options.frequency);
            }
        };
    }""")
    page.click('[data-note="1"]')
    wait_for(page, "tones.length === 1")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    wait_for(page, "tones.length === 2")
    assert page.evaluate("tones") == [pytest.approx(880), pytest.approx(220)]


def test_sound_in_a_folder_plays_from_a_disk(open_page, tmp_path, monkeypatch, beeps, sounds):
    monkeypatch.setattr(page_module, "MOST_SECONDS", 1.0)
    target = tmp_path / "a song #1.html"
    write_report(target, beeps)
    page = open_page(target)
    assert_same(rendered(page), sounds["stem-0"] + sounds["stem-1"])
    page.click("#play")
    wait_for(page, "nmfaudioReport.player.position > 0.3")


def test_missing_folder_is_named(browser, tmp_path, monkeypatch, beeps):
    monkeypatch.setattr(page_module, "MOST_SECONDS", 1.0)
    target = tmp_path / "song.html"
    write_report(target, beeps)
    shutil.rmtree(tmp_path / "song_files")
    page = browser.new_page()
    page.goto(target.as_uri())
    page.click("#play")
    page.wait_for_selector("#problem:not([hidden])")
    assert "song_files" in page.inner_text("#problem")
    page.close()


def test_sample_rate_of_the_recording_is_used(page):
    page.click("#play")
    wait_for(page, "nmfaudioReport.player.playing")
    assert page.evaluate("nmfaudioReport.player.context.sampleRate") == SR


def test_hits_are_rows_of_drums_and_play_from_their_stems(open_page, tmp_path, beeps):
    notes = (na.Note(0.2, 0.3, 42, track="high"), na.Note(1.0, 1.1, 36, track="low"))
    target = tmp_path / "hits.html"
    write_report(target, replace(beeps, notes=notes))
    page = open_page(target)
    assert page.locator("#pitches span").all_inner_texts() == ["high", "low"]
    fills = [page.get_attribute(f'[data-note="{i}"]', "style") for i in range(2)]
    assert ["--stem-1" in fills[0], "--stem-0" in fills[1]] == [True, True]
    page.evaluate("""() => {
        globalThis.parts = [];
        nmfaudioReport.player.excerpt = async (...part) => parts.push(part);
    }""")
    page.click('[data-note="1"]')
    wait_for(page, "parts.length === 1")
    assert page.evaluate("parts[0]") == ["stem-0", 1.0, pytest.approx(0.1)]


def test_excerpt_of_a_stem_sounds(page):
    page.evaluate("""async () => {
        const { player } = nmfaudioReport;
        globalThis.started = [];
        const start = AudioBufferSourceNode.prototype.start;
        AudioBufferSourceNode.prototype.start = function (when, from, seconds) {
            started.push([from, seconds, this.buffer.duration]);
            start.call(this, when, from, seconds);
        };
        await player.excerpt('stem-0', 1, 0.1);
    }""")
    assert page.evaluate("started") == [[1, 0.3, pytest.approx(3, abs=0.05)]]
    assert not page.evaluate("nmfaudioReport.player.playing")


def test_mixture_dims_the_stems(page):
    opacity = "Number(getComputedStyle(document.querySelector('.stem .controls')).opacity)"
    page.click("#ab")
    assert page.evaluate(opacity) < 1
    page.click("#ab")
    assert page.evaluate(opacity) == 1


def test_sound_that_fails_is_tried_once(browser, path):
    page = browser.new_page()
    page.add_init_script("""
        globalThis.tries = 0;
        OfflineAudioContext.prototype.decodeAudioData = () => {
            tries += 1;
            return Promise.reject(new Error('corrupt'));
        };
    """)
    page.goto(path.as_uri())
    page.wait_for_selector("#problem:not([hidden])")
    page.wait_for_timeout(300)
    assert page.evaluate("tries") == 2  # one for each stem
    page.close()


def test_component_without_sound_is_shown_and_moved(open_page, tmp_path, beeps):
    target = tmp_path / "strongest.html"
    sounds = {k: sound for k, sound in beeps.sounds.items() if k != 3}
    write_report(target, replace(beeps, sounds=sounds, remarks=["Three of four have sounds."]))
    page = open_page(target)
    assert page.inner_text("#remarks") == "Three of four have sounds."
    card = page.locator('[data-component="3"] .play-component')
    assert "It has no sound of its own." in card.get_attribute("aria-label")
    card.click()
    assert card.get_attribute("aria-pressed") == "false"
    assert "Component 3" in page.inner_text("#chosen")
    assert page.evaluate("nmfaudioReport.mixer.soloed") is None
    card.press("ArrowLeft")
    assert "low=0-1,3" in command(page)
    assert page.locator("#problem").is_hidden()
