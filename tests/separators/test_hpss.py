"""Tones go to one stem, clicks to the other, and all stems add up to the mixture."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nmfaudio as na

SR = 8000
QUICK = {"n_components": 4, "lags": 3, "models": 2, "max_iter": 10, "n_fft": 256}


def noise(channels=1, samples=4000, dtype=np.float32):
    return np.random.default_rng(0).standard_normal((channels, samples)).astype(dtype)


def tone_and_clicks(seconds=2):
    t = np.arange(seconds * SR) / SR
    tone = np.sin(2 * np.pi * 437 * t) / 4
    clicks = np.exp(-400 * (t % 0.5)) * np.random.default_rng(0).standard_normal(len(t)) * 4
    return tone[None], clicks[None]


@settings(max_examples=20, deadline=None)
@given(
    samples=st.integers(1, 3000),
    channels=st.sampled_from([1, 2, 8]),
    dtype=st.sampled_from([np.float32, np.float64]),
    loudness=st.sampled_from([0.0, 1e-30, 1.0, 1e30]),
    residual=st.booleans(),
    lags=st.sampled_from([1, 3, 20]),
)
def test_stems_sum_to_the_mixture(samples, channels, dtype, loudness, residual, lags):
    y = noise(channels, samples, dtype) * dtype(loudness)
    chosen = QUICK | {"lags": lags, "residual": residual}
    stems = na.HpssSeparator(**chosen)(y, SR)
    assert list(stems) == ["harmonic", "percussive"] + ["residual"] * residual
    assert all(stem.shape == y.shape and stem.dtype == y.dtype for stem in stems.values())
    assert np.abs(stems.residual()).max() <= 2e-6 * np.abs(y).max()
    members = sorted(k for group in stems.groups.values() for k in group.components)
    assert members == list(range(8))


@pytest.mark.parametrize("residual", [False, True])
def test_a_tone_is_harmonic_and_clicks_are_percussive(residual):
    tone, clicks = tone_and_clicks()
    stems = na.HpssSeparator(**QUICK | {"max_iter": 60}, residual=residual)(tone + clicks, SR)
    assert na.metrics.si_sdr(tone, stems["harmonic"]) > 15
    assert na.metrics.si_sdr(clicks, stems["percussive"]) > 15


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_each_by_itself_stays_where_it_belongs(seed, residual):
    tone, clicks = tone_and_clicks()
    both = na.HpssSeparator(**QUICK, residual=residual)
    for y, name in ((tone, "harmonic"), (clicks, "percussive")):
        stems = both(np.concatenate([y, 0.5 * y]), SR, rng=seed)
        np.testing.assert_allclose(stems[name], stems.mixture, atol=1e-6)


def test_more_models_are_averaged_not_chosen_from():
    y = noise()
    one, two = (na.HpssSeparator(**QUICK | {"models": n})(y, SR).decomposition for n in (1, 2))
    assert one.n_components == 4
    assert two.n_components == 8
    np.testing.assert_array_equal(two.W[..., :4], one.W)
    np.testing.assert_allclose(two.H[:4], one.H / 2)
    assert len(two.start_losses) == 2
    assert two.losses[-1] < two.start_losses.max()  # the mean is no worse than the worst


def test_chance_comes_from_the_seed_alone():
    y = noise()
    a, b, c = (na.HpssSeparator(**QUICK)(y, SR, rng=seed)["harmonic"] for seed in (1, 1, 2))
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)


def test_the_callback_sees_every_model_and_can_stop():
    seen = []
    na.HpssSeparator(**QUICK)(
        noise(), SR, callback=lambda p: seen.append((p.start_index, p.iteration))
    )
    assert sorted(seen) == [(0, 10), (1, 10)]  # models are fitted in parallel
    stopped = na.HpssSeparator(**QUICK | {"max_iter": 50})(noise(), SR, callback=lambda p: True)
    assert stopped.decomposition.n_iter == 10
    assert set(stopped) == {"harmonic", "percussive"}


@pytest.mark.parametrize("field", ["n_components", "lags", "models"])
def test_what_cannot_work_is_refused(field):
    with pytest.raises(na.ParameterError, match=field):
        na.HpssSeparator(**{field: 0})


def test_the_residual_takes_only_what_is_half_way_between_the_classes():
    from nmfaudio.stems.grouping import _with_middle

    classes, weights = np.array([0, 0, 0, 1, 1, 1]), np.ones(6)
    pooled = np.array([0.0, 0.1, 0.41, 0.5, 0.9, 1.0])
    assert _with_middle(classes, pooled, weights).tolist() == [0, 0, 0, 1, 2, 2]
    assert _with_middle(np.zeros(6, int), pooled, weights).tolist() == [0] * 6


def test_the_residual_of_a_song_is_soft_and_leaves_the_other_stems_as_they_are():
    y, sr = na.read(na.example("band"), stop=5)
    settings = {"models": 1, "max_iter": 30}
    two, three = (na.hpss(y, sr, residual=residual, **settings) for residual in (False, True))
    assert np.square(three["residual"]).sum() < 0.1 * np.square(y).sum()
    for name in two:
        assert na.metrics.si_sdr(two[name], three[name]) > 10


def test_a_word_is_no_bool():
    with pytest.raises(na.ParameterError, match="residual is 'no'; it must be True or False"):
        na.HpssSeparator(residual="no")
