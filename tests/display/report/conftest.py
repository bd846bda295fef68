"""Short recording with two stems, two notes, its report, and a browser that opens it."""

import base64
import io
import json
import re
import shutil

import numpy as np
import pytest
import soundfile
from scipy.signal import resample_poly

import nmfaudio as na
from nmfaudio.display.report import write_report
from nmfaudio.display.report.contents import ComponentSound, ReportContents

SR = 16000
SECONDS = 3
TONES = (220.0, 880.0, 1760.0, 3520.0)  # Hz, of the components
HOSTILE = "</script><img src=x onerror=hacked=1>'\"&\u2028"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
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


def tone(k):
    """A component: beeps of one frequency, at times of its own."""
    time = np.arange(SECONDS * SR) / SR
    envelope = np.maximum(0, np.sin(2 * np.pi * (1 + 0.4 * k) * time)) ** 4
    return (0.2 * envelope * np.sin(2 * np.pi * TONES[k] * time)).astype(np.float32)


def contents(names=("low", "high"), title="beeps", **settings):
    """Contents of a report of four components in two stems."""
    parts = [tone(k) for k in range(4)]
    stems = {names[0]: (parts[0] + parts[1])[None], names[1]: (parts[2] + parts[3])[None]}
    mixture = sum(stems.values())
    stft = na.Stft(SR, 1024)
    V = np.abs(stft.forward(mixture))[0]
    W = np.stack([np.abs(stft.forward(part[None]))[0].mean(1) for part in parts], axis=1)
    return ReportContents(
        title=title,
        sr=SR,
        mixture=mixture,
        stems=stems,
        groups={names[0]: (0, 1), names[1]: (2, 3)},
        decomposition=na.nmf(V, W=W, max_iter=20, rng=0),
        transform=stft,
        sounds={k: ComponentSound(0.0, part) for k, part in enumerate(parts)},
        settings={"max_iter": 20},
        notes=(na.Note(0.2, 0.6, 57), na.Note(1.0, 1.5, 81, 0.4)),
        recording="beeps in a row.wav",
        **settings,
    )


@pytest.fixture(scope="session")
def beeps():
    return contents()


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright drives the browser: pip install playwright"
    )
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
