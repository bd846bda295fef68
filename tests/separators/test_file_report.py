"""Report page of stems that were written to files."""

import base64
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

import nmfaudio as na
from nmfaudio.display.report import page as page_module
from nmfaudio.display.report import sound
from nmfaudio.display.report.sound import SoundCoding
from nmfaudio.separators import written_stems

SR = 8000
SECONDS = 5
QUICK = na.BlindSeparator(n_fft=256, n_components=4, max_iter=5)


@pytest.fixture
def song(tmp_path):
    y = np.random.default_rng(0).uniform(-0.5, 0.5, (2, SECONDS * SR)).astype(np.float32)
    y[:, : 2 * SR] *= 0.1
    na.write(tmp_path / "song.wav", y, SR)
    return tmp_path / "song.wav"


@pytest.fixture
def written(song, tmp_path):
    return na.separate_file(song, tmp_path / "stems", QUICK)


@pytest.fixture(autouse=True)
def lossless(monkeypatch):
    """Sounds of pages as 16-bit integers, to be compared sample by sample."""
    monkeypatch.setattr(page_module, "choose_sound_coding", lambda: SoundCoding("FLAC", "PCM_16"))


def data(page):
    text = Path(page).read_text("utf-8")
    return json.loads(re.search(r'id="report-data">(.*?)</script>', text, re.DOTALL)[1])


def decoded(page, name):
    shown = data(page)
    y, sr = soundfile.read(io.BytesIO(base64.b64decode(shown["sounds"][name])), always_2d=True)
    assert sr == SR
    return y.T / shown["coding"]["gain"]


def fact(page, label):
    return dict(data(page)["facts"]).get(label)


def test_page_has_the_sounds_of_the_files(song, written, tmp_path):
    (page,) = written.report(tmp_path / "page.html", title="Song")
    for i, y in enumerate(written.values()):
        np.testing.assert_allclose(decoded(page, f"stem-{i}"), y, atol=1e-4)
    np.testing.assert_allclose(decoded(page, "mixture"), na.read(song).samples, atol=1e-4)
    assert data(page)["title"] == "Song"
    assert data(page)["remarks"] == []
    assert fact(page, "Sum error").startswith(f"{written.largest_residual:.1e}")


def test_page_is_that_of_the_model_in_memory(song, written, tmp_path):
    saved = written.decomposition
    y, sr = na.read(song)
    whole = na.RegroupSeparator(saved=saved)(y, sr)
    (expected,) = whole.report(tmp_path / "memory.html")
    (page,) = written.report(tmp_path / "blocks.html")
    order = [stem["name"] for stem in data(expected)["stems"]]
    assert sorted(order) == sorted(written)
    for ours, theirs in zip(data(page)["components"], data(expected)["components"], strict=True):
        assert ours["share"] == pytest.approx(theirs["share"], rel=1e-3)
        steps = [np.frombuffer(base64.b64decode(e["activation"]), np.uint8) for e in (ours, theirs)]
        np.testing.assert_allclose(*(each.astype(int) for each in steps), atol=2)
    for k in range(4):
        ours, theirs = (decoded(each, f"component-{k}") for each in (page, expected))
        assert np.std(ours - theirs) < 0.02 * np.std(y)  # blocks are fitted apart


def test_activations_of_templates_of_several_frames_are_in_their_place(song, tmp_path):
    y, sr = na.read(song)
    y[:, ::SR] += 3  # hits, once a second
    na.write(song, y / 4, sr, overwrite=True)
    drums = na.DrumSeparator(parts=("kick", "snare"), n_fft=256, max_iter=5)
    written = na.separate_file(song, tmp_path / "stems", drums)
    whole = na.RegroupSeparator(saved=written.decomposition)(y / 4, sr).decomposition
    with written_stems.opened_stems(written, 0.0) as stems:
        fitted = stems.decomposition
    assert fitted.H.shape == whole.H.shape
    assert np.corrcoef(fitted.H.ravel(), whole.H.ravel())[0, 1] > 0.99


def test_gain_of_the_files_is_undone(song, tmp_path):
    y, sr = na.read(song)
    na.write(song, 3 * y, sr, overwrite=True)
    written = na.separate_file(song, tmp_path / "stems", QUICK, subtype="PCM_16")
    assert written.gain < 1
    (page,) = written.report(tmp_path / "page.html")
    np.testing.assert_allclose(decoded(page, "mixture"), 3 * y, atol=1e-3)


def test_long_recording_shows_its_beginning_and_says_so(written, tmp_path, monkeypatch):
    seconds = 2
    monkeypatch.setattr(written_stems, "MOST_DECODED", 4 * 2 * 3 * seconds * SR)
    notes = [na.Note(0.5, 1, 60), na.Note(4, 4.5, 62)]
    (page,) = written.report(tmp_path / "page.html", notes=notes)
    assert data(page)["seconds"] == seconds
    assert len(data(page)["notes"]) == 1
    for i, y in enumerate(written.values()):
        np.testing.assert_allclose(decoded(page, f"stem-{i}"), y[:, : seconds * SR], atol=1e-4)
    (remark,) = data(page)["remarks"]
    assert "first 0:02 of 0:05" in remark


def test_references_are_measured(song, written, tmp_path):
    (page,) = written.report(tmp_path / "page.html", references=dict(written))
    assert float(data(page)["scores"]["harmonic"]["SI-SDR"]) > 50


def test_model_without_its_fit_has_no_page(written, tmp_path):
    del written.decomposition.metadata["fit"]
    with pytest.raises(na.ParameterError, match="lacks the fit"):
        written.report(tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


@pytest.mark.parametrize("sr", [8000, 16000, 44100, 48000, 96000])
def test_blocks_are_resampled_as_the_whole(sr):
    from scipy.signal import resample_poly

    y = np.random.default_rng(0).standard_normal((1, 50_001)).astype(np.float32)
    joined = np.concatenate(list(sound._resampled_blocks(y, sr, 48000)), axis=1)
    np.testing.assert_array_equal(joined, resample_poly(y, 48000, sr, axis=-1))
