"""Recordings of another kind than the dictionary's are told from those of its kind."""

import math

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.transcription.suitability import drum_suitability, piano_suitability

TIMES = np.arange(200) * 0.02
DECAY = np.exp(-(TIMES % 1) / 0.3)


def value(rows, pitches=(60, 62)):
    salience = na.transcription.Salience(np.array(rows), np.array(pitches, float), TIMES)
    return piano_suitability(salience, is_piano=True).value


def test_notes_that_decay_count_and_steady_ones_do_not():
    assert value([DECAY, 0 * DECAY]) > 0.95
    assert value([np.ones(200), 0 * DECAY]) == 0
    assert value([DECAY, np.ones(200)]) < 0.5


def test_sound_spread_over_neighbouring_semitones_does_not_count():
    assert value([DECAY, DECAY]) > 0.95  # two semitones apart
    assert value([DECAY, DECAY], pitches=(60, 61)) == 0


def test_the_value_does_not_depend_on_the_level():
    rows = np.random.default_rng(0).random((2, 200))
    assert value(rows) == pytest.approx(value(1000 * rows))


def test_silence_is_not_judged():
    silent = value([0 * DECAY, 0 * DECAY])
    assert math.isnan(silent)
    assert na.transcription.Suitability(silent, 0.5).suits
    assert drum_suitability(0.0, np.zeros((3, 4)), is_shipped=True).suits


def test_a_piano_suits_the_piano_and_drums_suit_the_drums():
    assert na.Transcriber()(na.example("piano")).suitability.suits
    assert na.DrumTranscriber()(na.example("drums")).suitability.suits


@pytest.mark.parametrize(
    ("transcriber", "sample", "kind"),
    [
        (na.Transcriber(), "drums", "a piano"),
        (na.Transcriber(), "band", "a piano"),
        (na.DrumTranscriber(), "piano", "drums"),
    ],
)
def test_others_are_warned_of(transcriber, sample, kind):
    with pytest.warns(na.errors.AudioWarning, match=f"does not sound like {kind}: "):
        found = transcriber(na.example(sample))
    assert not found.suitability.suits


def test_a_dictionary_of_another_instrument_has_no_limit():
    oboe = na.dictionaries.harmonic_notes(na.Stft(8000, 1024), pitches=[60], instrument="oboe")
    t = np.arange(6 * 8000) / 8000
    found = na.Transcriber(oboe)(np.sin(2 * np.pi * 261.63 * t), 8000)
    assert found.suitability.limit is None
