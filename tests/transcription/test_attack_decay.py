"""Notes that are struck once: their spikes are found, and each is a whole note."""

import numpy as np
import pytest
from transcription.scenes import SR, tone
from transcription.standins import dictionary as tones

import nmfaudio as na
from nmfaudio.errors import ParameterError, ShapeError
from nmfaudio.transcription.attack_decay import AttackDecayModel
from nmfaudio.transcription.decoding import Decoding
from nmfaudio.transcription.note_model import NoteModel

STFT = na.Stft(8000, 512, 128)
KEYS = (48, 60, 72)
FIXED = NoteModel(equaliser=None, adaptation=float("inf"), max_frequency=None)
MODEL = AttackDecayModel(notes=FIXED, attack=0.048, decay=0.3)
STEP = 128 / 8000


def dictionary(stages=("attack", "early", "late")):
    W = np.random.default_rng(0).random((257, 3 * len(KEYS))) ** 6
    pitches = [key for key in KEYS for _ in range(3)]
    return na.NoteDictionary(W / W.sum(axis=0), ["piano"] * 9, STFT, pitches, stages=[*stages] * 3)


def planted(known, time=150, dtype=np.float64):
    """(V, H): three strokes, two of them on one pitch, with early and late alike in the decay."""
    W = known.templates.reshape(257, 3, 3)
    stages = np.stack([W[..., 0], W[..., 1:].mean(axis=2)])
    rates = STEP / (0.3 * 2.0 ** ((60 - np.array(KEYS)) / 24))
    E, H = na.structures.attack_decay_envelopes(rates, lags=150, attack=3), np.zeros((3, time))
    H[0, [20, 70]], H[2, 45] = (2.0, 1.0), 1.5
    return na.structures.AttackDecay().forward([stages, E, H]).astype(dtype), H


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sparsity", [0.0, 0.05])
def test_planted_spikes_are_found(sparsity, dtype):
    known = dictionary()
    V, H = planted(known, dtype=dtype)
    model = AttackDecayModel(notes=FIXED, attack=0.048, decay=0.3, sparsity=sparsity, max_iter=300)
    found = model.activations(V, known)
    assert found.H.dtype == dtype
    assert set(zip(*np.nonzero(found.H > 0.5), strict=True)) == set(
        zip(*np.nonzero(H), strict=True)
    )
    near = sum(np.roll(H > 0, shift, axis=1) for shift in (-1, 0, 1)) > 0
    assert found.H[near].sum() > 0.9 * found.H.sum()
    assert found.model().shape == V.shape
    assert np.abs(found.model() - V).sum() < 0.15 * V.sum()


def test_sparsity_costs_strokes():
    known = dictionary()
    V = planted(known)[0] + 0.02 * np.random.default_rng(1).random((257, 150))
    sums = [
        AttackDecayModel(notes=FIXED, sparsity=s).activations(V, known).H.sum() for s in (0, 0.1, 1)
    ]
    assert sums[0] > sums[1] > sums[2]


def test_unknown_components_stay_behind_and_sound_only_while_activated():
    known = dictionary()
    V, _ = planted(known)
    pulse_train = np.zeros(257)
    pulse_train[200:] = 0.05
    V[:, 100:120] += pulse_train[:, None]
    notes = NoteModel(equaliser=None, adaptation=float("inf"), max_frequency=None, n_free=1)
    found = AttackDecayModel(notes=notes, decay=0.3).activations(V, known)
    assert found.n_components == 4
    part = found.part([3])[200:].sum(axis=0)
    assert part[100:120].sum() > 0.8 * part.sum() > 0
    assert found.structure.delays(found.factors).tolist() == [4, 4, 4, 0]


def test_a_transcriber_makes_notes_and_stems_of_it():
    known = tones()
    strokes = [na.Note(onset, 1.2, key) for onset, key in [(0.2, 60), (0.4, 72), (0.7, 60)]]
    t = np.arange(2 * SR) / SR
    sounds = {
        f"{note.onset:g}": tone(note.pitch, 2.0)
        * np.where(t >= note.onset, np.exp((note.onset - t) / 0.2), 0)
        for note in strokes
    }
    model = AttackDecayModel(notes=FIXED, attack=0.064, decay=0.2)
    decoding = Decoding(release=0.1)
    found = na.Transcriber(known, model=model, decoding=decoding)(sum(sounds.values()), SR)
    assert found.pitches == (60, 64, 67, 72)
    assert found.salience.pitches.tolist() == [60, 64, 67, 72]
    assert [note.pitch for note in found.notes] == [60, 72, 60]
    onsets = [note.onset for note in found.notes]
    np.testing.assert_allclose(onsets, [0.2, 0.4, 0.7], atol=0.04)
    assert found.decomposition.structure == na.structures.AttackDecay()
    stems = found.stems(by="note")
    assert np.abs(stems.residual()).max() < 1e-5
    for (name, stem), sound in zip(list(stems.items())[:3], sounds.values(), strict=True):
        assert np.square(stem[0] - sound).sum() < 0.1 * np.square(sound).sum(), name


@pytest.mark.parametrize("free", [0, 2])
def test_silence_and_single_frames(free):
    known = dictionary()
    model = AttackDecayModel(notes=NoteModel(n_free=free))
    assert not model.activations(np.zeros((257, 9)), known, rng=0).H[:3].any()
    assert model.activations(np.ones((257, 1)), known, rng=0).H.shape == (3 + free, 1)


def test_rows_above_the_highest_frequency_are_modelled_too():
    known = dictionary()
    V, _ = planted(known)
    notes = NoteModel(equaliser=None, adaptation=float("inf"), max_frequency=2000.0)
    found = AttackDecayModel(notes=notes, decay=0.3).activations(V, known)
    assert np.abs(found.model() - V)[129:].sum() < 0.5 * V[129:].sum()


def test_what_cannot_be_is_refused():
    known = dictionary()
    for name, value in [("attack", -1), ("decay", 0), ("sparsity", -1), ("max_iter", 0)]:
        with pytest.raises(ParameterError, match=name):
            AttackDecayModel(**{name: value})
    with pytest.raises(ParameterError, match="NoteModel"):
        AttackDecayModel(notes=3)
    with pytest.raises(ShapeError):
        MODEL.activations(np.ones((9, 9)), known)
    lags = na.NoteDictionary(np.ones((2, 257, 1)), ["a"], STFT, [60], kind="convolutive")
    with pytest.raises(ParameterError, match="single frames"):
        MODEL.activations(np.ones((257, 9)), lags)
    for rates, more in [([-1.0], {}), ([np.nan], {}), (3.0, {}), ([1.0], {"attack": 5})]:
        with pytest.raises(ParameterError):
            na.structures.attack_decay_envelopes(rates, **{"lags": 10, **more})
