"""The network of beats, and the strokes that it reads."""

import numpy as np

import nmfaudio as na
from nmfaudio.symbolic.beat_network import bundled_network, framed, inputs
from nmfaudio.symbolic.strokes import strokes_of


def march(bars, period=0.6, later=0.0, higher=0):
    """Bass on downbeats, chords on all beats, a tune in halves of beats."""
    notes = []
    for beat in range(4 * bars):
        onset = later + beat * period
        root = higher + (0, 5, 7, 0)[beat // 4 % 4]
        for pitch in (64, 67) if beat % 4 else (43, 64, 67):
            notes.append(na.Note(onset, onset + 0.9 * period, pitch + root, 0.6))
        later_half = onset + period / 2
        notes.append(na.Note(later_half, later_half + 0.4 * period, 72 + root + beat % 3, 0.5))
    return sorted(notes, key=lambda note: (note.onset, note.pitch))


def test_frames_hold_all_inputs_at_their_times():
    strokes = strokes_of(march(8, period=0.37))
    frames, left, share = framed(strokes)
    assert np.allclose(frames.sum(axis=0), inputs(strokes).sum(axis=0))
    places = (np.arange(len(frames)) * frames[:, 0]).sum()  # the first input is 1
    assert np.isclose(places, (left + share[:, 0]).sum())


def test_strokes_on_beats_are_more_likely_on_beats():
    strokes = strokes_of(march(10))
    logits = bundled_network().logits(strokes)
    on_beats = np.abs(strokes.times / 0.6 - np.round(strokes.times / 0.6)) < 0.1
    assert logits[on_beats].mean() > logits[~on_beats].mean() + 3


def test_neither_transposition_nor_a_later_start_changes_the_odds():
    logits = bundled_network().logits(strokes_of(march(6, 0.618)))
    for notes in (march(6, 0.618, higher=5), march(6, 0.618, later=7.0)):
        assert np.allclose(bundled_network().logits(strokes_of(notes)), logits, atol=1e-6)
