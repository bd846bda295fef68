"""The report page in a real browser: sound, mouse, keyboard, safety."""

import base64
import io
import json
import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import resample_poly

import nmfaudio as na
from nmfaudio.display.report import ComponentSound, write_report
from nmfaudio.display.report import page as page_module
from nmfaudio.separators.boxes import read_strokes

from .conftest import HOSTILE, SR, contents

playwright = pytest.importorskip(
    "playwright.sync_api", reason="playwright drives the browser: pip install playwright"
)
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs the browser: apt-get install chromium"),
]
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
STEMS = ["low", "high"]


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def path(tmp_path_factory, beeps):
    target = tmp_path_factory.mktemp("report") / "beeps.html"
    write_report(target, beeps)
    return target


@pytest.fixture
def open_page(browser):
    """Open a page, and check at the end that nothing failed and nothing left it."""
    contexts, errors, requests = [], [], []

    def opened(path, viewport=DESKTOP, **settings):
        context = browser.new_context(viewport=viewport, **settings)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(path.as_uri())
        return page

    opened.requests = requests
    yield opened
    for context in contexts:
        context.close()
    assert errors == []
    assert [url for url in requests if not url.startswith(("file://", "data:", "blob:"))] == []


@pytest.fixture
def page(open_page, path):
    return open_page(path)


@pytest.fixture(scope="module")
def sounds(path):
    """Decoded sounds of the page, one channel each."""
    text = re.search(r'id="report-data">(.*?)</script>', path.read_text("utf-8"))[1]
    encoded = json.loads(text)["sounds"]
    return {
        name: resample_poly(soundfile.read(io.BytesIO(base64.b64decode(sound)))[0], SR, 48000)
        for name, sound in encoded.items()
    }


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


def test_page_opens_without_an_error_or_a_request(open_page, path):
    page = open_page(path)
    assert page.inner_text("h1") == "beeps"
    assert page.locator(".card").count() == 4
    assert page.locator(".stem").count() == 2
    page.wait_for_timeout(300)
    assert {url.split(":")[0] for url in open_page.requests} <= {"file", "data"}
    assert sum(url.startswith("file:") for url in open_page.requests) == 1


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
    assert "excerpts" in page.inner_text("#changed")
    assert_same(rendered(page), sounds["stem-0"] + sounds["stem-1"])


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


def test_keyboard_alone_does_everything(page):
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
    tab_to(page, "name-0")
    keys.press("Control+a")
    keys.type("bass")
    keys.press("Enter")
    tab_to(page, "solo-0")
    keys.press("Space")
    assert page.evaluate("nmfaudioReport.groups.stems[0].solo")
    tab_to(page, "mute-0")
    keys.press("Space")
    tab_to(page, "gain-0")
    keys.press("ArrowRight")
    assert page.evaluate("nmfaudioReport.groups.stems[0].gain") == 1
    tab_to(page, "card-0")
    keys.press("ArrowUp")  # component 1 has more energy
    assert focused(page) == "card-1"
    assert page.inner_text("#chosen") == "Component 1 of bass"
    keys.press("ArrowRight")
    assert focused(page) == "card-1"
    assert page.inner_text("#announcements") == "Component 1 moved to high"
    assert command(page).endswith("--group bass=0 --group high=1-3")
    keys.press("ArrowLeft")
    keys.press("Enter")
    assert page.evaluate("nmfaudioReport.mixer.soloed") == 1
    keys.press("Enter")
    tab_to(page, "stem-of-1")
    keys.press("ArrowDown")
    assert command(page).endswith("--group bass=0 --group high=1-3")
    tab_to(page, "add-stem")
    keys.press("Enter")
    keys.type("third")
    keys.press("Enter")
    tab_to(page, "card-3")
    keys.press("ArrowRight")
    assert command(page).endswith("--group third=3")
    tab_to(page, "copy-command")
    tab_to(page, "save-groups")
    tab_to(page, "picture")
    keys.press("ArrowDown")
    assert "Spectrogram of bass" in page.get_attribute("#V", "alt")
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


def test_print_shows_the_result_without_controls(page):
    page.emulate_media(media="print")
    for hidden in (".transport", ".controls", "#save-groups"):
        assert page.locator(hidden).first.is_hidden()
    assert page.locator("#command").is_visible()
    assert len(page.pdf()) > 10_000
    assert page.get_by_text("max_iter").is_visible()


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


def test_factors_are_beside_the_spectrogram_on_a_phone(open_page, path):
    page = open_page(path, PHONE)
    W, V, H = (page.locator(each).bounding_box() for each in ("#W", "#V", "#H"))
    assert W["x"] + W["width"] < V["x"]
    assert W["y"] == pytest.approx(V["y"], abs=2)
    assert W["height"] == pytest.approx(V["height"], abs=3)
    assert (H["x"], H["width"]) == pytest.approx((V["x"], V["width"]), abs=1)
