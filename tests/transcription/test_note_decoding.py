"""Activations of any origin become notes."""

import numpy as np
import pytest
from transcription.standins import PlainDecoding, dictionary, piece, transcriber

import nmfaudio as na

SR = 8000
TIMES = np.arange(100) * 0.02
H = np.stack([np.where(TIMES >= t, np.exp(t - TIMES), 0) for t in (0.5, 1.0, 1.5)])


def test_decoded_activations_are_the_notes_of_a_transcription():
    one = transcriber(decoding=na.transcription.Decoding(threshold=0.2))
    found = one(piece(SR), SR)
    d = found.decomposition
    notes = na.decode_notes(d.H, found.pitches, found.salience.times, threshold=0.2)
    assert tuple(notes) == found.notes


def test_activations_of_scikit_learn_are_decoded():
    decomposition = pytest.importorskip("sklearn.decomposition")
    known = dictionary()
    V = na.audio.analyse(piece(SR)[None], known.transform)
    activations, *_ = decomposition.non_negative_factorization(
        V.T.astype(float),
        H=known.templates.T.astype(float),
        n_components=4,
        update_H=False,
        solver="mu",
        beta_loss="kullback-leibler",
        max_iter=100,
        tol=0,
    )
    notes = na.decode_notes(activations.T, known.pitches, known.transform.times(V.shape[1]))
    assert {note.pitch for note in notes} == {60, 64, 72}


def test_components_of_one_pitch_are_summed_and_others_left_out():
    notes = na.decode_notes(H, [60, 60, None], 0.02)
    assert [(note.pitch, round(note.onset, 2)) for note in notes] == [(60, 0.5), (60, 1.0)]


def test_another_decoder_is_used():
    assert na.decode_notes(H, [60, 64, 67], TIMES, decoding=PlainDecoding(2.0)) == []


@pytest.mark.parametrize(
    ("arguments", "settings", "message"),
    [
        ((H, [60], 0.02), {}, r"shape \(3, 100\) and there are 1 pitches"),
        ((H[0], [60], 0.02), {}, r"need \(component, time\)"),
        ((-H, [60, 64, 67], 0.02), {}, "negative"),
        ((H, [60, 64, 67], 0), {}, "times must be a finite number"),
        ((H, [60, 64, 67], TIMES**2), {}, "evenly spaced"),
        ((H, [None] * 3, 0.02), {}, "all None"),
        ((H, ["C4", 64, 67], 0.02), {}, "a pitch must be a finite number"),
        ((H, [60, 64, 67], 0.02), {"treshold": 1}, "did you mean threshold"),
        ((H, [60, 64, 67], 0.02), {"decoding": "hmm"}, "decoding is 'hmm'"),
        ((H, [60, 64, 67], 0.02), {"decoding": PlainDecoding(), "rise": 1}, "both given"),
    ],
)
def test_what_cannot_be_decoded_is_refused(arguments, settings, message):
    with pytest.raises(na.ParameterError, match=message):
        na.decode_notes(*arguments, **settings)
