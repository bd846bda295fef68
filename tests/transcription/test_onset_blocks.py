"""Onsets found block by block are those of the whole."""

import numpy as np
import pytest

from nmfaudio.transcription.onset_blocks import OnsetBlocks
from nmfaudio.transcription.onsets import (
    adaptive_threshold,
    find_onsets,
    onset_strength,
    suppress_ghosts,
)

PITCHES = np.array([36.0, 48.0, 55.0, 60.0, 64.0, 67.0, 72.0])


def decaying_notes(seed, frames, dtype):
    rng = np.random.default_rng(seed)
    values = 0.02 * rng.random((len(PITCHES), frames)) ** 4
    for _ in range(frames // 5):
        row, first = rng.integers(len(PITCHES)), rng.integers(frames)
        note = rng.random() * np.exp(-np.arange(frames - first) / rng.uniform(2, 30))
        values[row, first:] = np.maximum(values[row, first:], note)
    return (np.round(values, 1) if seed % 2 else values).astype(dtype)  # also with equal peaks


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("block", [1, 7, 64, 1000])
@pytest.mark.parametrize("step", [0.0232, 0.01, 0.05])
def test_blocks_of_any_length_give_the_onsets_of_the_whole(block, step, dtype):
    for seed, frames in ((0, 1), (1, 2), (2, 150), (3, 301)):
        values, times = decaying_notes(seed, frames, dtype), np.arange(frames) * step
        strength = suppress_ghosts(onset_strength(values, times), PITCHES, times)
        threshold = adaptive_threshold(strength, times, 0.05, balance=0.5)
        expected = find_onsets(strength, times, threshold, gap=0.1)
        blocks = OnsetBlocks(values, PITCHES, times, rise=0.07, ghosts=0.2, frames=block)
        assert blocks.onsets(0.05, balance=0.5, window=0.4, gap=0.1) == expected
        assert frames < 100 or len(expected) > 5


def test_of_peaks_that_are_too_close_the_strongest_stay():
    strength = np.array([[0, 3, 0, 5, 0, 4, 0, 0, 2, 0, 2.0, 0]])
    onsets = find_onsets(strength, np.arange(12) * 0.1, 1.0, gap=0.3)
    assert onsets == [(0, 3), (0, 8)]


def test_a_salience_without_pitches_has_no_onsets():
    blocks = OnsetBlocks(np.zeros((0, 9)), [], np.arange(9) * 0.1, rise=0.1, ghosts=0.2)
    assert blocks.onsets(0.1, balance=0.5, window=0.4, gap=0.1) == []
