"""MIDI files with a tempo map have the times of the notes, and bars where downbeats are."""

import io

import mido
import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.symbolic import Beats


def some_beats(seed, start, compound=False):
    rng = np.random.default_rng(seed)
    periods = rng.uniform(0.3, 1.4, 40)
    times = start + np.concatenate([[0.0], np.cumsum(periods)])
    return Beats(times, per_bar=3, first_downbeat=seed % 3, compound=compound)


@pytest.mark.parametrize("compound", [False, True])
@pytest.mark.parametrize("start", [-0.4, 0.0, 0.01, 0.3, 30.0])
@pytest.mark.parametrize("seed", range(3))
def test_onsets_come_back_within_one_tick(tmp_path, seed, start, compound):
    beats = some_beats(seed, start, compound)
    rng = np.random.default_rng(seed)
    notes = [na.Note(float(t), float(t + 0.5), 60) for t in np.arange(0.05, 60, rng.uniform(1, 2))]
    path = na.write_notes(tmp_path / "a.mid", notes, beats=beats)
    read = na.read_notes(path)
    # A tick of the slowest tempo, of 1.4 s a beat, and the rounding of one tempo to 1 µs.
    error = np.abs([a.onset - b.onset for a, b in zip(notes, read, strict=True)])
    assert error.max() < 1.4 / 19200 + 2e-6


@pytest.mark.parametrize("start", [-0.4, 0.0, 0.3, 5.0])
@pytest.mark.parametrize("seed", range(3))
def test_bars_begin_at_downbeats(tmp_path, seed, start):
    beats = some_beats(seed, start)
    notes = [na.Note(float(t), float(t) + 0.1, 60) for t in beats.downbeats if t >= 0]
    content = na.write_notes(tmp_path / "a.mid", notes, beats=beats).read_bytes()
    file = mido.MidiFile(file=io.BytesIO(content))
    conductor, played = file.tracks
    ticks, signatures = 0, []
    for event in conductor:
        ticks += event.time
        if event.type == "time_signature":
            signatures.append((ticks, event.numerator, event.denominator))
    begin, numerator, denominator = signatures[-1]
    assert (numerator, denominator) == beats.time_signature
    bar = 3 * file.ticks_per_beat
    onsets, now = [], 0
    for event in played:
        now += event.time
        onsets += [now] if event.type == "note_on" else []
    assert {(tick - begin) % bar for tick in onsets} <= {0, 1, bar - 1}


def test_without_beats_the_file_is_as_ever(tmp_path):
    path = na.write_notes(tmp_path / "a.mid", [na.Note(1, 2, 60)])
    assert len(mido.MidiFile(path).tracks) == 1
