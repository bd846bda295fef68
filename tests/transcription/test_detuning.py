"""Tuning: recordings between the semitones are transcribed like those on them."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nmfaudio as na
from nmfaudio.transcription.detuning import detuning
from nmfaudio.transcription.note_model import NoteModel

SR, PITCHES = 11025, (48, 55, 64, 67, 72)
NOTES = na.dictionaries.harmonic_notes(na.Stft(SR, 2048), pitches=range(45, 76))


def tone(pitch, seconds):
    f0 = 440 * 2 ** ((pitch - 69) / 12)
    t = np.arange(round(seconds * SR)) / SR
    return np.exp(-3 * t) * sum(np.sin(2 * np.pi * k * f0 * t) / k for k in range(1, 9))


def recording(cents):
    """Notes one after the other, then together."""
    y = np.zeros(6 * SR)
    for n, pitch in enumerate((*PITCHES, *PITCHES)):
        first = min(n, len(PITCHES)) * SR
        y[first : first + SR] += tone(pitch + cents / 100, 1)
    return y


@settings(max_examples=100, deadline=None)
@given(st.floats(-0.49, 0.49))
def test_the_minimum_of_a_smooth_cost_is_found(semitones):
    found = detuning(lambda interval: 1 - np.cos(2 * np.pi * (interval - semitones)), range(60, 70))
    assert found == pytest.approx(semitones if abs(semitones) >= 0.045 else 0, abs=0.045)
    assert found == 0 or abs(found) >= 0.04


@pytest.mark.parametrize(("pitches", "widest"), [((60, 60.5, 61), 0.25), ((60,), 0.5)])
def test_no_interval_reaches_the_next_note(pitches, widest):
    assert abs(detuning(lambda interval: -interval, pitches)) == pytest.approx(widest)


@pytest.mark.parametrize("cents", [-40, 25, 40])
def test_a_detuned_recording_has_the_same_notes(cents):
    y, transcriber = recording(cents), na.Transcriber(NOTES)
    found, usual = transcriber(y, SR), transcriber(recording(0), SR)
    assert 100 * found.detuning == pytest.approx(cents, abs=8)
    assert Counter(n.pitch for n in found.notes) == Counter(n.pitch for n in usual.notes)
    in_blocks = transcriber.transcribe_file(y, SR)
    assert (in_blocks.notes, in_blocks.detuning) == (found.notes, found.detuning)


def test_templates_stay_unless_they_are_to_be_retuned():
    V = abs(NOTES.transform.forward(recording(40))[0])
    as_it_is = NoteModel(adaptation=np.inf, equaliser=None, max_frequency=None)
    retuned = replace(as_it_is, retune=True)
    fitted = as_it_is.activations(V, NOTES)
    assert "detuning" not in fitted.metadata
    np.testing.assert_allclose(fitted.W, NOTES.templates, rtol=1e-5, atol=1e-9)
    moved = retuned.activations(V, NOTES)
    expected = NOTES.retune([p + moved.metadata["detuning"] for p in NOTES.pitches]).templates
    np.testing.assert_allclose(moved.W, expected, rtol=1e-5, atol=1e-9)
    assert retuned.activations(0 * V, NOTES).metadata["detuning"] == 0
