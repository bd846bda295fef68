"""The committed recordings are what `audio_samples/README.md` says they are."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import pytest
import soundfile

ROOT = Path(__file__).resolve().parent.parent / "audio_samples"
MIXTURES = sorted(ROOT.glob("*/mixture.*"))
WITH_STEMS = [path for path in MIXTURES if (path.parent / "sources").is_dir()]
SCORES = sorted(ROOT.glob("*/score.mid"))
STEP = 2.0**-15  # of 16 bits
SR = 44100
HOP = 220  # 5 ms


def inside(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def name_of(path: Path) -> str:
    return path.parent.name


def stems_of(mixture: Path) -> dict[str, np.ndarray]:
    paths = sorted((mixture.parent / "sources").glob("*.flac"))
    return {path.stem: soundfile.read(path, always_2d=True)[0].T for path in paths}


def test_samples_are_all_there() -> None:
    assert {name_of(path) for path in MIXTURES} == {"drums", "trio", "band", "piano", "real"}
    assert {name_of(path) for path in WITH_STEMS} == {"drums", "trio", "band"}
    assert {name_of(path) for path in SCORES} == {"drums", "trio", "band", "piano"}
    assert any(path.suffix == ".wav" for path in MIXTURES)


def test_samples_stay_small() -> None:
    sizes = [path.stat().st_size for path in ROOT.rglob("*") if "__pycache__" not in path.parts]
    assert sum(sizes) <= 12e6


@pytest.mark.parametrize(
    "path", sorted(ROOT.rglob("*.flac")) + sorted(ROOT.rglob("*.wav")), ids=inside
)
def test_file_is_sound_and_licensed(path: Path) -> None:
    info = soundfile.info(path)
    assert (info.samplerate, info.subtype) == (SR, "PCM_16")
    y, _ = soundfile.read(path, always_2d=True)
    assert np.sqrt(np.mean(y**2)) > 1e-3
    assert np.max(np.abs(y)) < 1 - STEP
    assert np.max(np.abs(y[-441:])) < 0.01  # it ends by itself
    patterns = re.findall(r"`(\w+/[^`]+)`", (ROOT / "LICENSES.md").read_text(encoding="utf-8"))
    assert any(fnmatch(inside(path), pattern) for pattern in patterns)


@pytest.mark.parametrize("path", WITH_STEMS, ids=name_of)
def test_stems_sum_to_the_mixture(path: Path) -> None:
    mixture = soundfile.read(path, always_2d=True)[0].T
    stems = stems_of(path)
    assert all(stem.shape == mixture.shape for stem in stems.values())
    error = np.max(np.abs(mixture - sum(stems.values())))
    assert error <= (len(stems) + 1) / 2 * STEP


@pytest.mark.parametrize("path", MIXTURES, ids=name_of)
def test_music_starts_at_once_at_full_level(path: Path) -> None:
    loudness = np.max(np.abs(soundfile.read(path, always_2d=True)[0]), axis=1)
    assert np.argmax(loudness > 0.01) < 0.2 * SR
    assert -1.5 < 20 * np.log10(np.max(loudness)) < -0.5


def starts_of(score: Path) -> dict[str, np.ndarray]:
    """Starts of the notes of each track [s]."""
    mido = pytest.importorskip("mido")
    file = mido.MidiFile(score)
    tempo, *tracks = file.tracks
    starts = {}
    for track in tracks:
        single = mido.MidiFile(ticks_per_beat=file.ticks_per_beat, tracks=[tempo, track])
        now, found = 0.0, []
        for message in single:
            now += message.time
            if message.type == "note_on" and message.velocity > 0:
                found.append(now)
        starts[track.name] = np.array(found)
    return starts


def onsets_of(y: np.ndarray) -> np.ndarray:
    """How much louder the spectrum becomes at each hop, shape (time,)."""
    window = np.hanning(1024)
    padded = np.pad(y.mean(axis=0), 512)
    frames = np.lib.stride_tricks.sliding_window_view(padded, 1024)[::HOP]
    level = np.log(np.abs(np.fft.rfft(frames * window, axis=1)) + 1e-2)
    return np.maximum(np.diff(level, axis=0), 0).sum(axis=1)


@pytest.mark.parametrize("score", SCORES, ids=name_of)
def test_score_is_in_time_with_the_sound(score: Path) -> None:
    mixture = next(score.parent.glob("mixture.*"))
    sounds = stems_of(mixture) or {"piano": soundfile.read(mixture, always_2d=True)[0].T}
    starts = starts_of(score)
    assert starts.keys() == sounds.keys()
    lags = np.arange(-20, 21)
    for name, y in sounds.items():
        rise = onsets_of(y)
        at = np.rint(starts[name] * SR / HOP - 0.5).astype(int)  # a rise lies between two frames
        matches = [rise[np.clip(at + lag, 0, len(rise) - 1)].mean() for lag in lags]
        best = int(np.argmax(matches))
        assert abs(lags[best]) * HOP / SR <= 0.015, name
        assert matches[best] > 2 * rise.mean(), name
        for start in starts[name]:
            heard = y[:, round(start * SR) : round((start + 0.1) * SR)]
            assert np.max(np.abs(heard)) > 0.003, (name, start)


def test_notes_are_those_of_the_piece() -> None:
    mido = pytest.importorskip("mido")
    messages = mido.MidiFile(ROOT / "piano" / "score.mid")
    used = {message.note for message in messages if message.type == "note_on"}
    assert used == {int(path.stem) for path in (ROOT / "piano" / "notes").glob("*.flac")}
