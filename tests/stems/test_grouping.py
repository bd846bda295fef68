"""Laws of grouping, and planted sounds that it must tell apart."""

import warnings
from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmfaudio.errors import ParameterError, ShapeError
from nmfaudio.stems.grouping import ComponentGroup, group_components
from nmfaudio.stems.percussiveness import percussiveness

SR, N_FFT, HOP = 44100, 4096, 1024
FREQUENCIES = np.arange(N_FFT // 2 + 1) * SR / N_FFT
GRID = {"frequencies": FREQUENCIES, "hop_seconds": HOP / SR}


@st.composite
def models(draw):
    """V, W, H of any small shape, W with or without lags, some components silent; and a grid."""
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    lags, freq, time, k = (draw(st.integers(low, high)) for low, high in [(0, 3), *[(1, 12)] * 3])
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    H = rng.gamma(0.3, size=(k, time)) * rng.integers(0, 2, (k, 1))
    W = rng.gamma(0.3, size=(lags, freq, k) if lags else (freq, k))
    V = rng.gamma(0.3, size=(freq, time))
    grid = {"frequencies": np.linspace(0, 8000, freq), "hop_seconds": 0.02}
    return *(x.astype(dtype) for x in (V, W, H)), grid


def tone(pitch, partials=8):
    """The spectrum of a steady harmonic sound of this pitch in Hz."""
    peaks = [np.exp(-0.5 * ((FREQUENCIES - p * pitch) / 12) ** 2) / p for p in range(1, partials)]
    return np.sum(peaks, axis=0)


def noise(low, high):
    """The spectrum of a noise burst between two frequencies in Hz."""
    return ((low <= FREQUENCIES) & (high > FREQUENCIES)) / np.sqrt(high - low) * 4


def strokes(every, first, n_frames=400):
    """Activations of short strokes, in frames."""
    h = np.zeros(n_frames)
    h[first::every], h[first + 1 :: every] = 1.0, 0.3
    return h


def notes(every, first, n_frames=400):
    """Activations of notes of 25 frames, in frames."""
    return ((np.arange(n_frames) - first) % every < 25).astype(float)


def planted(*sounds):
    """V, W, H of sounds, each a spectrum and an activation; V is slightly uneven."""
    W = np.stack([w for w, _ in sounds], axis=1)
    H = np.stack([h for _, h in sounds])
    V = W @ H
    return V * np.random.default_rng(0).uniform(0.9, 1.1, V.shape), W, H


CLICKS_AND_TONES = planted(
    (tone(220), notes(100, 10)),
    (noise(100, 9000), strokes(20, 5)),
    (tone(330), notes(100, 60)),
    (noise(4000, 16000), strokes(20, 15)),
)
DRUMS = planted(
    (noise(30, 120), strokes(40, 0)),
    (noise(5000, 16000), 0.4 * strokes(20, 5)),
    (noise(150, 500), strokes(40, 20)),
    (noise(30, 150), strokes(40, 0)),
    (noise(6000, 15000), 0.4 * strokes(20, 5)),
    (noise(200, 600), strokes(40, 20)),
)


def members(groups):
    return {group.components for group in groups.values()}


@settings(deadline=None)
@given(models(), st.data())
def test_groups_are_a_partition_into_as_many_as_asked_for(model, data):
    V, W, H, grid = model
    sources = data.draw(st.sampled_from([*range(1, len(H) + 1), "auto"]))
    before = [x.copy() for x in (V, W, H, grid["frequencies"])]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        groups = group_components(V, W, H, n_sources=sources, **grid)
    assert sorted(k for g in groups.values() for k in g.components) == list(range(len(H)))
    assert all(g.components for g in groups.values())
    assert 1 <= len(groups) <= 6 if sources == "auto" else len(groups) == sources
    shares = [g.energy_share for g in groups.values()]
    assert sum(shares) == pytest.approx(1) or not any(shares)
    if sources != 2:
        assert list(groups) == [f"source-{i + 1}" for i in range(len(groups))]
        assert shares == sorted(shares, reverse=True)
    for g in groups.values():
        assert 0 <= g.percussiveness <= 1
        assert 0 <= g.centre_hz <= grid["frequencies"][-1] * (1 + 1e-9)
    for now, then in zip((V, W, H, grid["frequencies"]), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_two_sources_are_harmonic_and_percussive():
    groups = group_components(*CLICKS_AND_TONES, **GRID)
    assert list(groups) == ["harmonic", "percussive"]
    assert groups["harmonic"].components == (0, 2)
    assert groups["percussive"].components == (1, 3)
    assert groups["harmonic"].percussiveness < 0.1
    assert groups["percussive"].percussiveness > 0.9


def test_what_rings_like_a_tone_goes_with_the_strokes_it_sounds_with():
    rings = np.tile(np.exp(-np.arange(40) / 8), 10)
    model = planted(
        (tone(55, partials=2), 2 * rings),
        (noise(60, 9000), strokes(40, 0)),
        (tone(220), notes(100, 10)),
        (tone(330), notes(100, 60)),
    )
    assert percussiveness(*model, **GRID)[0] < 0.01
    assert group_components(*model, **GRID)["percussive"].components == (0, 1)


def test_drums_are_one_source_beside_pitch_ranges():
    V, W, H = planted(
        (tone(80), notes(100, 10)),
        (noise(40, 300), strokes(20, 5)),
        (tone(1200), notes(50, 20)),
        (noise(4000, 16000), strokes(20, 5)),
        (tone(90), notes(100, 60)),
    )
    groups = group_components(V, W, H, n_sources=3, **GRID)
    assert members(groups) == {(0, 4), (1, 3), (2,)}
    assert members(group_components(V, W, H, n_sources="auto", **GRID)) == {(0, 4), (1, 3), (2,)}


@pytest.mark.parametrize("sources", [3, "auto"])
def test_drums_alone_are_divided_by_pitch_range(sources):
    groups = group_components(*DRUMS, n_sources=sources, **GRID)
    assert members(groups) == {(0, 3), (1, 4), (2, 5)}


@pytest.mark.parametrize("sources", [3, "auto"])
def test_tones_alone_are_divided_by_pitch_range(sources):
    pitches = [1500, 100, 400, 105, 1600, 420]
    model = planted(*((tone(p), notes(60, 10 * i)) for i, p in enumerate(pitches)))
    groups = group_components(*model, n_sources=sources, **GRID)
    assert members(groups) == {(0, 4), (1, 3), (2, 5)}
    assert all(g.percussiveness < 0.1 for g in groups.values())


def test_auto_finds_one_source_where_all_is_at_one_pitch():
    model = planted((tone(200), notes(60, 0)), (tone(205), notes(60, 30)))
    assert members(group_components(*model, n_sources="auto", **GRID)) == {(0, 1)}


@pytest.mark.parametrize("sources", [2, 3, "auto"])
def test_a_permutation_of_the_components_permutes_the_answer(sources):
    V, W, H = DRUMS
    order = np.array([3, 5, 0, 4, 1, 2])
    plain = group_components(V, W, H, n_sources=sources, **GRID)
    permuted = group_components(V, W[:, order], H[order], n_sources=sources, **GRID)
    assert list(plain) == list(permuted)
    for name in plain:
        assert sorted(order[list(permuted[name].components)]) == list(plain[name].components)
        assert permuted[name].centre_hz == pytest.approx(plain[name].centre_hz)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sources", [2, 3, "auto"])
@pytest.mark.parametrize(("volume", "c"), [(1e-30, 1.0), (1e30, 1.0), (1.0, 1e-15), (3.0, 1e15)])
def test_scale_does_not_matter(dtype, sources, volume, c):
    V, W, H = (x.astype(dtype) for x in DRUMS)
    each = np.linspace(1, 2, len(H), dtype=dtype)
    plain = group_components(V, W, H, n_sources=sources, **GRID)
    scaled = group_components(
        V * dtype(volume),
        W * (dtype(c) * each),
        H * (dtype(volume) / dtype(c) / each)[:, None],
        n_sources=sources,
        **GRID,
    )
    for name, group in plain.items():
        assert scaled[name].components == group.components
        assert scaled[name].energy_share == pytest.approx(group.energy_share, rel=1e-4)
        assert scaled[name].centre_hz == pytest.approx(group.centre_hz, rel=1e-4)
        assert scaled[name].percussiveness == pytest.approx(group.percussiveness, rel=1e-4)


def test_float32_and_float64_agree():
    narrow = tuple(x.astype(np.float32) for x in CLICKS_AND_TONES)
    np.testing.assert_allclose(
        percussiveness(*narrow, **GRID), percussiveness(*CLICKS_AND_TONES, **GRID), atol=1e-5
    )
    assert members(group_components(*narrow, **GRID)) == {(0, 2), (1, 3)}


def test_one_lag_of_many_is_the_same_as_no_lags():
    V, W, H = CLICKS_AND_TONES
    lagged = np.stack([np.zeros_like(W), W])
    early = np.roll(H, -1, axis=1)
    early[:, -1] = 0
    inner = V.copy()
    inner[:, 0] = 0
    shifted = H.copy()
    shifted[:, 0] = 0
    expected = group_components(inner, W, shifted, **GRID)
    groups = group_components(inner, lagged, early, **GRID)
    assert list(groups) == list(expected)
    for name, group in groups.items():
        components, *features = astuple(group)
        assert components == expected[name].components
        # The sums over lags and over components may be in another order.
        assert features == pytest.approx(astuple(expected[name])[1:], rel=1e-12)


def test_silence():
    zeros = np.zeros((20, 30))
    grid = {"frequencies": np.linspace(0, 100, 20), "hop_seconds": 0.01}
    for V, W, H in [
        (zeros, np.zeros((20, 3)), np.zeros((3, 30))),
        (zeros, np.ones((20, 3)), np.ones((3, 30))),
    ]:
        assert percussiveness(V, W, H, **grid).tolist() == [0.5, 0.5, 0.5]
        groups = group_components(V, W, H, n_sources=2, **grid)
        assert groups["harmonic"] == ComponentGroup((0, 2), 0.0, 0.0, 0.5)
        assert groups["percussive"] == ComponentGroup((1,), 0.0, 0.0, 0.5)
        assert len(group_components(V, W, H, n_sources="auto", **grid)) == 1


def test_a_long_recording_is_judged_by_an_excerpt_much_as_a_whole(monkeypatch):
    V, W, H = CLICKS_AND_TONES
    long = [np.tile(x, (1, 10)) for x in (V, H)]
    excerpt = percussiveness(long[0], W, long[1], **GRID)
    monkeypatch.setattr("nmfaudio.stems.percussiveness.EXCERPT_FRAMES", long[0].shape[1])
    whole = percussiveness(long[0], W, long[1], **GRID)
    np.testing.assert_allclose(excerpt, whole, atol=0.05)
    assert (excerpt != whole).any()


def test_classes_are_the_best_of_all_intervals():
    from nmfaudio.stems.natural_classes import natural_classes

    rng = np.random.default_rng(1)
    values, weights = rng.normal(size=9), rng.uniform(0.1, 1, 9)

    def cost(labels):
        total = 0.0
        for label in set(labels):
            mine = labels == label
            mean = np.average(values[mine], weights=weights[mine])
            total += weights[mine] @ (values[mine] - mean) ** 2
        return total

    rank = values.argsort().argsort()
    cuts = [(i, j) for i in range(1, 9) for j in range(i + 1, 9)]
    best = min(cost((rank >= i).astype(int) + (rank >= j)) for i, j in cuts)
    assert cost(natural_classes(values, weights, 3)) == pytest.approx(best)


@pytest.mark.parametrize("sources", [0, -1, 5, 2.0, True, "two", None])
def test_impossible_numbers_of_sources(sources):
    with pytest.raises(ParameterError, match="sources"):
        group_components(*CLICKS_AND_TONES, n_sources=sources, **GRID)


@pytest.mark.parametrize("hop", [0, -1.0, float("nan")])
def test_impossible_hops(hop):
    with pytest.raises(ParameterError, match="hop_seconds"):
        group_components(*CLICKS_AND_TONES, frequencies=FREQUENCIES, hop_seconds=hop)


def test_shapes_that_do_not_fit():
    V, W, H = CLICKS_AND_TONES
    for wrong in [
        (V.T, W, H),
        (V, W[:, :3], H),
        (V, W, H[:, 1:]),
        (V[0], W, H),
        (V, W[None, None], H),
        (V[:, :0], W, H[:, :0]),
        (V, W[:, :0], H[:0]),
    ]:
        with pytest.raises(ShapeError, match="fit together"):
            group_components(*wrong, **GRID)
    with pytest.raises(ShapeError, match="frequencies"):
        percussiveness(V, W, H, frequencies=FREQUENCIES[1:], hop_seconds=0.01)
