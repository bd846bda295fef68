"""Models of notes: what was mixed from the dictionary is found again."""

import math

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.kernels.threads import set_threads
from nmfaudio.transcription.attack_decay import AttackDecayModel
from nmfaudio.transcription.note_model import NoteModel

STFT = na.Stft(8000, 512)
FREQUENCIES = STFT.frequencies
RNG = np.random.default_rng(0)
PLAIN = {"adaptation": math.inf, "group_sparsity": 0.0, "max_frequency": None, "max_iter": 60}
FIXED = NoteModel(equaliser=None, **PLAIN)


def harmonic(pitch, tilt):
    """Partials on a floor, which is heard in every bin as windows leak."""
    f0 = 440 * 2 ** ((pitch - 69) / 12)
    spectrum = np.full(len(FREQUENCIES), 1e-3)
    for k in range(1, 1 + int(3900 / f0)):
        spectrum += k**-tilt * np.exp(-0.5 * ((FREQUENCIES - k * f0) / 12) ** 2)
    return spectrum


PITCHES = [60, 60, 64, 64, 67, 67]
W = np.stack([harmonic(p, (0.5, 1.5)[k % 2]) for k, p in enumerate(PITCHES)], axis=1)
W /= W.sum(axis=0)
H = RNG.random((6, 150)) * (RNG.random((6, 150)) > 0.6)
V = W @ H
KNOWN = na.Dictionary(W, ["piano"] * 6, STFT, PITCHES)
DULL = 1 / (1 + FREQUENCIES / 400)[:, None]


def pitch_sums(found):
    return found.reshape(3, 2, -1).sum(axis=1)


def alike(found, planted=H):
    """The least correlation of a pitch's activations with what was planted."""
    rows = zip(pitch_sums(found), pitch_sums(planted), strict=True)
    return min(np.corrcoef(x, y)[0, 1] for x, y in rows)


def test_a_fixed_dictionary_stays_and_its_activations_are_found():
    found = FIXED.activations(V, KNOWN)
    assert np.allclose(found.W, W)
    assert np.allclose(found.model(), V, atol=0.02 * V.max())
    assert alike(found.H) > 0.999


def test_defaults_do_no_harm_on_the_dictionary_itself():
    assert alike(NoteModel().activations(V, KNOWN).H) > 0.99


def test_the_equaliser_undoes_a_colour():
    plain = FIXED.activations(DULL * V, KNOWN)
    equalised = NoteModel(**PLAIN).activations(DULL * V, KNOWN)
    assert equalised.losses[-1] < 0.2 * plain.losses[-1]
    assert alike(equalised.H, H * (DULL * W).sum(axis=0)[:, None]) > 0.98


def test_adaptation_moves_templates_towards_the_recording():
    other = W * RNG.uniform(0.5, 2.0, W.shape)
    other /= other.sum(axis=0)
    known = na.Dictionary(other, ["piano"] * 6, STFT, PITCHES)
    distances = [
        np.abs(NoteModel(equaliser=None, adaptation=a).activations(V, known).W - W).sum()
        for a in (math.inf, 100.0, 1.0)
    ]
    assert distances[0] > distances[1] > distances[2]


def test_templates_sum_to_one_over_the_fitted_rows():
    found = NoteModel(max_frequency=2000.0).activations(V, KNOWN)
    assert found.W.shape == W.shape
    assert np.allclose(found.W[FREQUENCIES <= 2000].sum(axis=0), 1)


def test_rows_above_do_not_matter():
    loud = V.copy()
    loud[FREQUENCIES > 2000] *= RNG.random(((FREQUENCIES > 2000).sum(), V.shape[1]))
    model = NoteModel(equaliser=None, max_frequency=2000.0)
    assert (model.activations(loud, KNOWN).H == model.activations(V, KNOWN).H).all()


@pytest.mark.parametrize("max_frequency", [None, 2000.0])
def test_free_components_take_what_is_no_note(max_frequency):
    hum = np.exp(-0.5 * ((FREQUENCIES - 1500) / 300) ** 2)
    noisy = V + np.outer(hum, 0.01 + 0.01 * RNG.random(V.shape[1]))
    settings = {"equaliser": None, "adaptation": math.inf, "max_iter": 100}
    model = NoteModel(n_free=1, max_frequency=max_frequency, **settings)
    found = model.activations(noisy, KNOWN, rng=0)
    rows = np.searchsorted(FREQUENCIES, max_frequency or 4000, side="right")
    assert found.H.shape == (7, V.shape[1])
    assert np.allclose(found.W[:, :6] * W[:rows].sum(axis=0), W)
    assert np.corrcoef(found.W[:, 6], hum)[0, 1] > 0.9
    without = NoteModel(max_frequency=max_frequency, **settings).activations(noisy, KNOWN)
    assert alike(found.H[:6]) > alike(without.H)


def test_group_sparsity_silences_pitches():
    noisy = V + 0.002 * np.random.default_rng(1).random(V.shape)
    silent = []
    for weight in (0.0, 1.0):
        found = NoteModel(group_sparsity=weight, max_iter=100).activations(noisy, KNOWN)
        silent.append((pitch_sums(found.H) < 0.01 * found.H.max()).mean())
    assert silent[1] > silent[0] + 0.1


def test_what_is_faint_throughout_a_second_becomes_silent():
    played = H.copy()
    played[:, 60:] = 0
    played[2, 100:] = 1.0
    found = NoteModel(max_iter=20).activations(W @ played, KNOWN)
    assert not found.H[[0, 1, 4, 5], 100:].any()
    assert found.H[2, 100:].all()
    assert found.n_iter == 20
    assert (np.diff(found.losses) < 0).all()
    assert alike(found.H, played) > 0.98


@pytest.mark.parametrize("beta", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("sparsity", [0.0, 0.1])
def test_activations_have_the_unit_of_the_recording(beta, sparsity):
    model = NoteModel(beta_loss=beta, group_sparsity=sparsity)
    once, again = (model.activations(c * V, KNOWN).H / c for c in (1.0, 1000.0))
    assert np.allclose(once, again, rtol=1e-3, atol=1e-6 * once.max())


def test_the_order_of_templates_does_not_matter():
    order = RNG.permutation(6)
    shuffled = na.Dictionary(W[:, order], ["piano"] * 6, STFT, [PITCHES[k] for k in order])
    found, again = (NoteModel().activations(V, known).H for known in (KNOWN, shuffled))
    assert np.allclose(again, found[order], rtol=1e-6, atol=1e-9)


def test_convolutive_templates():
    lagged = np.stack([W, W * np.linspace(1, 0.2, len(W))[:, None], 0.3 * W])
    struck = (RNG.random((6, 150)) > 0.95).astype(float)
    mixture = sum(lagged[k] @ np.pad(struck, ((0, 0), (k, 0)))[:, :150] for k in range(3))
    known = na.Dictionary(lagged, ["piano"] * 6, STFT, PITCHES, kind="convolutive")
    found = NoteModel(max_iter=100).activations(mixture, known)
    assert found.W.shape == lagged.shape
    assert alike(found.H, struck) > 0.95


def test_silence_has_no_activations():
    found = NoteModel(n_free=1, group_sparsity=0.1).activations(np.zeros_like(V), KNOWN)
    assert not found.H[:6].any()
    assert np.isfinite(found.W).all()


def test_precision_seed_and_inputs_are_kept():
    data = V.astype(np.float32)
    data.flags.writeable = False
    first, second = (NoteModel(n_free=2).activations(data, KNOWN, rng=3) for _ in range(2))
    assert first.H.dtype == first.W.dtype == np.float32
    assert (first.H == second.H).all()
    assert (first.W == second.W).all()


def test_the_callback_ends_the_last_step():
    assert NoteModel(max_iter=60).activations(V, KNOWN, callback=lambda _: True).n_iter < 60


@pytest.mark.parametrize(
    "settings",
    [
        {"beta_loss": math.nan},
        {"equaliser": 0.0},
        {"adaptation": -1.0},
        {"n_free": -1},
        {"group_sparsity": -0.1},
        {"max_frequency": 0.0},
        {"max_frequency": 1},
        {"max_iter": 0},
    ],
)
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(na.ParameterError, match=next(iter(settings))):
        NoteModel(**settings)


def test_data_that_do_not_fit_are_refused():
    with pytest.raises(na.errors.ShapeError, match="rows"):
        NoteModel().activations(V[:-1], KNOWN)
    with pytest.raises(na.ParameterError, match="pitch"):
        NoteModel().activations(V, na.Dictionary(W, ["piano"] * 6, STFT))
    known = na.Dictionary(np.ones((8, 1)), ["piano"], na.Mel(8000, n_mels=8, n_fft=512), [60])
    for lowest in (8.0, 261.0):  # the fundamental is 261.6 Hz
        with pytest.raises(na.ParameterError, match=r"max_frequency is .*, but the lowest note"):
            NoteModel(max_frequency=lowest).activations(np.ones((8, 5)), known)


def test_convolutive_notes_are_heard_for_as_long_as_they_sound():
    stft, step = na.Stft(8000, 512, 128), 128 / 8000
    lags = 12
    rng = np.random.default_rng(0)
    spectra = np.eye(257)[:, [20, 40]] + 0.01
    templates = spectra * (0.9 ** np.arange(lags))[:, None, None]
    known = na.NoteDictionary(
        templates / templates.sum((0, 1)), ["harp"] * 2, stft, [60, 72], kind="convolutive"
    )
    H = np.zeros((2, 120))
    H[0, [10, 60]], H[1, 35] = (1.0, 0.7), 0.8
    V = na.structures.Convolutive().forward([known.templates, H]) * (
        1 + 0.01 * rng.random((257, 120))
    )
    found = NoteModel(adaptation=math.inf).activations(V, known)
    levels = found.structure.levels(found.factors)
    np.testing.assert_allclose(levels.sum(), H.sum(), rtol=0.1)
    salience = na.transcription.Salience.from_activations(levels, known.pitches, stft.times(120))
    notes = na.transcription.Decoding()(salience)
    assert [(n.pitch, round(n.onset / step)) for n in notes] == [(60, 10), (72, 35), (60, 60)]
    assert all(n.offset - n.onset > 0.5 * lags * step for n in notes)


@pytest.mark.parametrize(
    "model", [NoteModel(), NoteModel(beta_loss=0.5, n_free=2), AttackDecayModel()]
)
def test_any_number_of_threads_gives_the_same_bytes(model):
    rng, stft = np.random.default_rng(0), na.Stft(8000, 512, 128)
    stages = ["attack", "early", "late"] * 4
    known = na.NoteDictionary(
        rng.random((257, 12)) ** 4, ["piano"] * 12, stft, [60, 64, 67, 72] * 3, stages=stages
    )
    V = (known.templates @ rng.random((12, 300)) ** 6).astype(np.float32)
    made = []
    for count in (1, 2, 3):
        set_threads(count)
        try:
            made.append(model.activations(V, known).H.tobytes())
        finally:
            set_threads(None)
    assert made[0] == made[1] == made[2]
