"""Starts of piano notes: planted notes are found in time, whatever the level of their register."""

from dataclasses import replace

import numpy as np
import pytest

from nmfaudio.transcription.decoding import Decoding
from nmfaudio.transcription.note_starts import (
    note_starts,
    start_candidates,
    start_features,
    start_network,
)
from nmfaudio.transcription.salience import Salience

STEP = 512 / 22050
PITCHES = np.arange(21.0, 109.0)


def played(notes, seed=0):
    """Salience of notes (pitch, seconds, level) that decay, with their partials and some noise."""
    times = np.arange(300) * STEP
    values = 1e-3 * np.random.default_rng(seed).random((88, 300))
    for pitch, onset, level in notes:
        # A window of 0.19 s is filled gradually.
        envelope = np.clip((times - onset + 0.05) / 0.1, 0, 1) * np.exp(-(times - onset).clip(0))
        for interval, share in ((0, 1.0), (12, 0.05), (19, 0.03)):
            if pitch + interval <= PITCHES[-1]:
                values[int(pitch + interval) - 21] += share * level * envelope
    return values, times, PITCHES


NOTES = [(45, 0.5, 0.2), (60, 0.5, 1.0), (64, 1.2, 0.8), (45, 2.0, 0.1), (67, 2.0, 1.0)]


def test_planted_notes_are_found_and_their_partials_are_not():
    values, times, pitches = played(NOTES)
    found = note_starts(values, times, pitches)
    expected = sorted((pitch, onset) for pitch, onset, _ in NOTES)
    starts = [(pitches[row], time) for (row, _), time in found.items()]
    assert [pitch for pitch, _ in starts] == [pitch for pitch, _ in expected]
    assert all(abs(a - b) < 0.04 for (_, a), (_, b) in zip(starts, expected, strict=True))
    scaled = note_starts(1e-6 * values, times, pitches)
    assert list(scaled) == list(found)
    assert np.allclose(list(scaled.values()), list(found.values()))


def test_features_are_those_of_the_documentation():
    values, times, pitches = played(NOTES)
    peaks = start_candidates(values, times, pitches)
    (features,) = start_features(values, times, pitches, peaks)
    assert features.shape == (len(peaks.rows), 45)
    octaves = np.log2(peaks.strengths / peaks.strengths.max())
    assert np.allclose(features[:, 40] + features[:, 41], octaves)
    assert (features[:, 39] == pitches[peaks.rows]).all()
    key = [peaks.strengths[peaks.rows == row].max() for row in peaks.rows]
    assert np.allclose(features[:, 42], np.log2(peaks.strengths / key))
    trace = features[:, 4:18]
    assert (trace[:, 5:9].max(axis=1) == 0).all()
    n = int(peaks.strengths.argmax())
    level = values[peaks.rows[n], peaks.frames[n] + 2]
    floor = 1e-4 * values.max()
    octave = values[peaks.rows[n] + 12, peaks.frames[n] + 2]
    assert features[n, 36] == pytest.approx(np.log2((octave + floor) / (level + floor)))
    assert start_network()(features).shape == (len(features), 1)


def test_a_lower_threshold_finds_the_same_notes_and_others():
    salience = Salience(*played([*NOTES, (50, 2.8, 0.02)])[0::2], np.arange(300) * STEP)
    decoding = Decoding(starts="piano", threshold=0.085)
    found = [
        {(note.pitch, note.onset) for note in replace(decoding, threshold=x)(salience)}
        for x in (0.5, 0.085, 0.01)
    ]
    assert found[0] < found[1] < found[2]
    assert min(pitch for pitch, _ in found[1]) >= 45


@pytest.mark.parametrize("shape", [(88, 0), (88, 1), (0, 9), (1, 30)])
def test_silence_has_no_notes(shape):
    assert note_starts(np.zeros(shape), np.arange(shape[1]) * STEP, PITCHES[: shape[0]]) == {}
