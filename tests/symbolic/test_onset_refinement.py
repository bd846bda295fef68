"""Onsets of an aligned score are those of the recording, to some milliseconds."""

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.symbolic import onset_refinement
from nmfaudio.symbolic.onset_refinement import refined_onsets

SR = 8000
RNG = np.random.default_rng(0)
CHORDS = 40
TIMES = 0.3 + np.cumsum(RNG.uniform(0.25, 0.5, CHORDS))


@pytest.fixture(scope="module")
def performance():
    """Notes of a performance, whose chords are spread over some 20 ms, and their sound."""
    notes = [
        na.Note(float(t + RNG.uniform(-0.012, 0.012)), float(t) + 0.4, int(pitch))
        for t in TIMES
        for pitch in RNG.choice(np.arange(50, 80), 2, replace=False)
    ]
    y = np.zeros(int((TIMES[-1] + 1) * SR))
    for note in notes:
        first = int(note.onset * SR)
        t = np.arange(int(0.5 * SR)) / SR
        hertz = 440 * 2 ** ((note.pitch - 69) / 12)
        sound = sum(np.sin(2 * np.pi * hertz * k * t) / k for k in range(1, 5)) * np.exp(-6 * t)
        y[first : first + len(t)] += sound[: len(y) - first]
    return notes, y[None]


def score(notes, tempo=1.3):
    """The chords of the performance together, at another tempo."""
    return [
        na.Note(float(t) * tempo, float(t + 0.35) * tempo, note.pitch)
        for t, note in zip(np.repeat(TIMES, 2), notes, strict=True)
    ]


def errors(notes, found):
    return np.abs(np.array([note.onset for note in notes]) - found)


@pytest.mark.parametrize("tempo", [0.8, 1.0, 1.3, 1.8])
def test_notes_of_chords_have_onsets_of_their_own(performance, tempo):
    notes, y = performance
    found = na.symbolic.align(score(notes, tempo), y, SR)
    off = errors(notes, np.array([note.onset for note in found]))
    assert np.median(off) < 0.012
    assert np.quantile(off, 0.9) < 0.02
    assert all(note.onset <= note.offset for note in found)


def test_onsets_that_are_a_second_off_are_found(performance):
    notes, y = performance
    true = np.array([note.onset for note in notes])
    wrong = true + 0.9 * np.sin(true)
    off = errors(notes, refined_onsets(score(notes), wrong, y, SR))
    assert np.median(off) < 0.012


def test_sections_join(performance, monkeypatch):
    notes, y = performance
    true = np.array([note.onset for note in notes])
    whole = refined_onsets(score(notes), true + 0.1, y, SR)
    monkeypatch.setattr(onset_refinement, "_SECTION", 7)
    monkeypatch.setattr(onset_refinement, "_AHEAD", 5)
    monkeypatch.setattr(onset_refinement, "_BLOCK", 2.0)
    assert np.quantile(np.abs(refined_onsets(score(notes), true + 0.1, y, SR) - whole), 0.9) < 0.006


def test_silence_leaves_onsets_as_they_are(performance):
    notes, y = performance
    onsets = np.array([note.onset for note in notes])
    assert np.array_equal(refined_onsets(score(notes), onsets, np.zeros_like(y), SR), onsets)


def test_inputs_are_not_changed(performance):
    notes, y = performance
    onsets = np.array([note.onset for note in notes])
    copies = onsets.copy(), y.copy()
    refined_onsets(score(notes), onsets, y, SR)
    assert np.array_equal(onsets, copies[0])
    assert np.array_equal(y, copies[1])
