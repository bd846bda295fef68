"""Thresholds of onsets that depend on the pitch."""

from dataclasses import replace

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.transcription.decoding import Decoding
from nmfaudio.transcription.onset_blocks import OnsetBlocks
from nmfaudio.transcription.pitch_thresholds import threshold_factors
from nmfaudio.transcription.salience import Salience

STEP = 0.02


def chords(pitches, levels, *, count=3):
    """Salience of a chord that is struck every half second, and decays."""
    values = np.zeros((len(pitches), 25 * count + 5))
    for n in range(count):
        values[:, 5 + 25 * n : 25 + 25 * n] = np.outer(levels, 0.9 ** np.arange(20))
    return Salience(values, np.array(pitches, float), np.arange(values.shape[1]) * STEP)


def test_the_middle_register_is_the_reference():
    factors = threshold_factors(np.arange(21, 109), bass=1, treble=0.5)
    keys = np.arange(21, 109)
    assert (factors[(keys >= 38) & (keys <= 65)] == 1).all()
    assert (np.diff(factors[keys <= 38]) < 0).all()
    assert (np.diff(factors[keys >= 65]) > 0).all()
    assert (threshold_factors(keys) == 1).all()


def test_only_soft_notes_of_the_outer_registers_are_lost():
    salience = chords([30, 55, 57, 95], [1.0, 10.0, 1.0, 1.0])
    plain = Decoding(threshold=0.08, ghosts=0)
    assert {note.pitch for note in plain(salience)} == {30, 55, 57, 95}
    strict = Decoding(threshold=0.08, ghosts=0, bass=2, treble=0.5)
    assert {note.pitch for note in strict(salience)} == {55, 57}
    loud = chords([30, 55, 57, 95], [10.0, 10.0, 1.0, 10.0])
    assert {note.pitch for note in strict(loud)} == {30, 55, 57, 95}


@pytest.mark.parametrize("frames", [1, 7, 30, 1000])
def test_blocks_equal_the_whole(frames):
    rng = np.random.default_rng(0)
    values, pitches = rng.random((4, 200)) ** 4, np.array([30.0, 50, 60, 90])
    times = np.arange(200) * STEP
    settings = {"balance": 0.5, "window": 0.4, "gap": 0.06}
    factors = threshold_factors(pitches, bass=2, treble=0.4)

    def found(frames, factors):
        blocks = OnsetBlocks(values, pitches, times, rise=0.07, ghosts=0.2, frames=frames)
        return blocks.onsets(0.1, factors=factors, **settings)

    assert found(frames, factors) == found(4096, factors) != found(4096, 1.0)


def test_a_piano_is_decoded_with_its_own_thresholds():
    piano = na.Transcriber().decoding
    assert min(piano.bass, piano.treble) > 0
    W = np.random.default_rng(0).random((257, 1))
    for label, selection in (("Oboe", "network"), ("harp", "auto")):
        notes = na.NoteDictionary(W, [label], na.Stft(8000, 512), [60])
        chosen = Decoding(threshold=0.07, repeat=0.3, selection=selection)
        assert na.Transcriber(notes).decoding == chosen
    upper = na.NoteDictionary(W, ["Piano"], na.Stft(8000, 512), [60])
    assert na.Transcriber(upper).decoding.bass == piano.bass


def test_the_selection_is_that_of_the_kind_of_notes():
    times = np.arange(300) * STEP
    decaying = sum(np.where(times >= t, np.exp(2 * (t - times)), 0) for t in (1, 2, 3))
    steady = (np.sin(times) > 0.2) * (1 + 0.01 * np.sin(40 * times))
    auto = Decoding(threshold=0.05, selection="auto")
    for row, same in (
        (decaying, replace(auto, selection="threshold", threshold=0.1)),
        (steady, replace(auto, selection="network")),
    ):
        salience = Salience(np.stack([row, 0.05 * row]), np.array([60.0, 67.0]), times)
        assert auto(salience) == same(salience) != []
        assert auto.onsets(salience) == same.onsets(salience)
    with pytest.raises(na.ParameterError, match="treble"):
        Decoding(treble=-1)
