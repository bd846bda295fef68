"""What there is an example of comes out under its name, and nothing of the mixture is lost."""

import re

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

import nmfaudio as na
from nmfaudio.separators.exemplar_fit import fit_exemplars
from nmfaudio.separators.guided import GuidedSeparator

SR = 8000
QUICK = {"n_fft": 256, "max_iter": 20}


def noise(channels=1, samples=4000, dtype=np.float32, seed=0):
    return np.random.default_rng(seed).standard_normal((channels, samples)).astype(dtype)


def melody(seed, low, high, seconds=2):
    """Notes of three partials, of a fifth of a second each, between two pitches."""
    pitches = np.random.default_rng(seed).integers(low, high, 5 * seconds)
    notes = 440 * 2 ** ((np.repeat(pitches, SR // 5) - 69) / 12)
    phase = 2 * np.pi * np.cumsum(notes) / SR
    return sum(np.sin(h * phase) / h for h in (1, 2, 3)).astype(np.float32)


def hits(seed, seconds=2):
    """Short bursts of noise, at times of their own."""
    rng = np.random.default_rng(seed)
    y = np.zeros(SR * seconds, np.float32)
    for start in rng.integers(0, len(y) - 800, 4 * seconds):
        y[start : start + 800] += rng.standard_normal(800) * np.exp(-np.arange(800) / 200)
    return y


SOURCES = {"melody": lambda seed: melody(seed, 60, 72), "hits": hits}
EXAMPLES = {name: make(1) for name, make in SOURCES.items()}
TRUTH = {name: make(2) for name, make in SOURCES.items()}
MIX = sum(TRUTH.values())


def assert_adds_up(stems, y):
    peak = float(np.abs(y).max())
    assert all(stem.shape == y.shape and stem.dtype == y.dtype for stem in stems.values())
    assert all(np.isfinite(stem).all() for stem in stems.values())
    total = sum(stem.astype(np.float64) for stem in stems.values())
    assert np.abs(total - y).max() <= 1e-6 * peak


def gain(stems, name):
    """How many dB of SI-SDR a stem has above the mixture."""
    return na.metrics.si_sdr(TRUTH[name], stems[name][0]) - na.metrics.si_sdr(TRUTH[name], MIX)


@settings(max_examples=20, deadline=None)
@given(
    samples=st.integers(1, 1500),
    channels=st.sampled_from([1, 2]),
    dtype=st.sampled_from([np.float32, np.float64]),
    loudness=st.sampled_from([1e-30, 1.0, 1e30]),
    silent=st.booleans(),
    chosen=st.fixed_dictionaries(
        {
            "n_free": st.sampled_from([0, 2]),
            "adapt": st.sampled_from([None, 0.0, 1.0]),
            "beta_loss": st.sampled_from([None, 1.0, 2.0]),
        }
    ),
)
def test_stems_sum_to_the_mixture(samples, channels, dtype, loudness, silent, chosen):
    y = noise(channels, samples, dtype) * dtype(0 if silent else loudness)
    examples = {"a": noise(1, 700, seed=1), "b": noise(2, 100, np.float64, seed=2)}
    stems = GuidedSeparator(example=examples, n_fft=32, max_iter=4, **chosen)(y, SR)
    assert_adds_up(stems, y)
    assert list(stems) == ["a", "b"] + ["rest"] * bool(chosen["n_free"])


@pytest.mark.parametrize("kind", ["exemplars", "templates", "convolutive"])
def test_known_sounds_are_told_apart(kind):
    stft = na.Stft(SR, 256)
    known = na.learn(EXAMPLES, SR, kind=kind, transform=stft, max_iter=30)
    stems = GuidedSeparator(dictionary=known)(MIX, SR)
    assert min(gain(stems, name) for name in TRUTH) > 8


def test_examples_and_a_dictionary_of_them_stand_side_by_side():
    known = na.learn({"melody": EXAMPLES["melody"]}, SR, transform=na.Stft(SR, 256), lags=4)
    stems = GuidedSeparator(dictionary=known, example={"hits": EXAMPLES["hits"]})(MIX, SR)
    assert list(stems) == ["melody", "hits"]
    assert min(gain(stems, name) for name in TRUTH) > 8


def test_what_is_known_by_its_own_frames_is_recovered_exactly():
    W = np.random.default_rng(0).random((40, 3))
    H = np.zeros((3, 9))
    H[[0, 1, 2], [1, 4, 7]] = H[2, 2] = 1.0
    d = fit_exemplars(W @ H, W, max_iter=500, tol=0, beta_loss=1.0)
    np.testing.assert_allclose(d.model(), W @ H, atol=5e-3)


@pytest.mark.parametrize("lags", [1, 3, 4])
def test_stretches_explain_what_they_were_cut_from(lags):
    V = np.random.default_rng(0).random((40, 12))
    W = np.stack([V[:, lag : 12 - lags + 1 + lag] for lag in range(lags)])
    d = fit_exemplars(V, W, max_iter=500, tol=0, beta_loss=1.0)
    inside = slice(lags - 1, 12 - lags + 1)  # fewer stretches overlap at the ends
    np.testing.assert_allclose(d.model()[:, inside], V[:, inside], rtol=0.02, atol=0.02)


@pytest.mark.parametrize("frames", [3, 4, 5, 12, 13])
def test_windows_of_an_even_number_of_frames_overlap_by_half(frames):
    rng = np.random.default_rng(0)
    V, W = rng.random((40, frames)), rng.random((4, 40, 6))
    d = fit_exemplars(V, W, max_iter=5)
    last = max(frames - 4, 0)
    assert np.flatnonzero(d.H.any(axis=0)).tolist() == [*range(0, last, 2), last]
    assert (d.model() > 0).all()  # the last frame, too, is in a window


def test_a_sound_without_an_example_becomes_the_rest():
    stems = GuidedSeparator(example={"hits": EXAMPLES["hits"]}, n_free=8, **QUICK)(MIX, SR)
    assert list(stems) == ["hits", "rest"]
    assert gain(stems, "hits") > 3
    assert (
        na.metrics.si_sdr(TRUTH["melody"], stems["rest"][0])
        > na.metrics.si_sdr(TRUTH["melody"], MIX) + 3
    )


def test_a_single_label_leaves_a_rest():
    stems = GuidedSeparator(example={"hits": EXAMPLES["hits"]}, **QUICK)(MIX, SR)
    assert list(stems) == ["hits", "rest"]
    assert gain(stems, "hits") > 3
    known = na.learn({"hits": EXAMPLES["hits"]}, SR, transform=na.Stft(SR, 256), max_iter=5)
    separator = GuidedSeparator(dictionary=known, max_iter=3)
    assert list(separator(MIX, SR)) == ["hits", "rest"]
    assert separator.size()[1] == 2


def test_free_components_join_a_label_called_rest():
    examples = {"rest": EXAMPLES["melody"], "hits": EXAMPLES["hits"]}
    stems = GuidedSeparator(example=examples, n_free=3, **QUICK)(MIX, SR)
    assert list(stems) == ["rest", "hits"]
    assert max(stems.groups["rest"].components) == stems.decomposition.n_components - 1


def test_the_prior_holds_the_spectra():
    def moved(**chosen):
        separator = GuidedSeparator(example={"hits": EXAMPLES["hits"]}, **QUICK, **chosen)
        return separator(MIX, SR).decomposition.W

    fixed = moved()
    loose, held = (np.abs(moved(adapt=weight) - fixed).sum() for weight in (0.1, 10.0))
    assert 0 < held < loose / 3


def test_a_label_given_twice_joins_its_examples():
    pairs = tuple(TRUTH.items()) * 2
    joined = GuidedSeparator(example=pairs, **QUICK)(MIX, SR)
    listed = GuidedSeparator(example={k: [y, y] for k, y in TRUTH.items()}, **QUICK)(MIX, SR)
    assert list(joined) == list(TRUTH)
    for name in TRUTH:
        np.testing.assert_array_equal(joined[name], listed[name])


def test_the_same_seed_gives_the_same_bytes():
    guided = GuidedSeparator(example=EXAMPLES, n_free=2, **QUICK)
    one, same, other = (guided(MIX, SR, rng=seed) for seed in (0, 0, 1))
    assert all(one[name].tobytes() == same[name].tobytes() for name in one)
    assert any(one[name].tobytes() != other[name].tobytes() for name in one)


def test_stretches_of_files_and_folders_of_hits(tmp_path):
    soundfile.write(tmp_path / "mix.wav", np.concatenate(list(EXAMPLES.values())), SR)
    (tmp_path / "hits").mkdir()
    soundfile.write(tmp_path / "hits" / "1.wav", EXAMPLES["hits"][:4000], SR)
    pairs = (("melody", f"{tmp_path}/mix.wav@0-1,1.5-2"), ("hits", str(tmp_path / "hits")))
    stems = GuidedSeparator(example=pairs, **QUICK)(MIX, SR)
    assert min(gain(stems, name) for name in TRUTH) > 6


def test_windows_are_short_at_rates_of_speech():
    guided = GuidedSeparator(example={"a": "a.wav"})
    assert [guided.transform(sr).n_fft for sr in (8000, 16000, 44100)] == [256, 512, 4096]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "no example and no dictionary; give an example of each sound (--example"),
        ({"example": {"a": noise()}, "n_free": -1}, "n_free must be"),
        ({"example": {"a": noise()}, "n_free": 0}, "n_free is 0 and 'a' is the only stem"),
        ({"example": {"rest": noise()}}, "the only stem is called rest"),
        ({"example": {"a": noise()}, "adapt": -1.0}, "adapt must be"),
        ({"example": {"a": noise()}, "dictionary": "a"}, "'a' is in the dictionary and has"),
        ({"dictionary": "a", "hop": 32}, "the dictionary was learned with hop 64, not 32"),
        ({"dictionary": "a", "n_fft": 512}, "n_fft 256, not 512 and hop 64, not 128"),
        ({"example": {"a": "nowhere@1-x"}}, "'1-x' is not a time range"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(fields, message):
    if "dictionary" in fields:
        known = na.Dictionary(np.ones((129, 1)), ["a"], na.Stft(SR, 256))
        fields = fields | {"dictionary": known}
    with pytest.raises(na.ParameterError, match=re.escape(message)) as caught:
        GuidedSeparator(**fields)(noise(), SR)
    assert "\n" not in str(caught.value)


def test_another_sample_rate_is_refused():
    known = na.learn({"a": noise()}, SR, transform=na.Stft(SR, 256))
    with pytest.raises(na.ParameterError, match="sr 8000, not 16000"):
        GuidedSeparator(dictionary=known)(noise(), 16000)


@pytest.mark.parametrize("example", ["x.wav", ["x.wav"]])
def test_an_example_without_a_label_is_refused(example):
    with pytest.raises(na.ParameterError, match=r"example .*'x.wav'"):
        na.GuidedSeparator(example=example)
