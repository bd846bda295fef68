"""Phases that fit: projections, descent, and sums that stay."""

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.audio.consistency import Consistency
from nmfaudio.audio.phase import consistent
from nmfaudio.kernels.threads import set_threads

STFT = na.Stft(8000, 64)
LENGTH = 700
FREQ = len(STFT.frequencies)


def scene(seed=0, sources=3, channels=2, length=LENGTH, dtype=np.float64):
    """A mixture, what Wiener filters make of it, and the variances these come from."""
    rng = np.random.default_rng(seed)
    y = rng.standard_normal((channels, length)).astype(dtype)
    Z = STFT.forward(y)
    v = (rng.random((sources, *Z.shape[1:])) ** 4 + 1e-9).astype(dtype)
    return y, (v / v.sum(0))[:, None] * Z, v


def energy(A, weights=1.0):
    """Of the full spectrum, where only the half up to the Nyquist frequency is at hand."""
    twice = np.full((FREQ, 1), 2.0)
    twice[[0, -1]] = 1
    return float((np.square(np.abs(A)) * weights * twice).sum())


def consistency(X):
    return energy(X - consistent(X, STFT, LENGTH))


def test_the_projection_is_one():
    _, X, _ = scene()
    once = consistent(X, STFT, LENGTH)
    np.testing.assert_allclose(consistent(once, STFT, LENGTH), once, atol=1e-12)
    np.testing.assert_allclose(energy(X), energy(once) + energy(X - once))  # orthogonal


def corrected(audio, X, v, weight):
    """The best spectrograms C for given audio, and the objective."""
    lam = 1 / np.maximum(v / v.mean(), 1e-6)[:, None]
    E = np.stack([STFT.forward(x) for x in audio]) - X
    a = 1 / (lam + weight)
    D = a * (weight * E - weight * (a * E).sum(0) / a.sum(0))
    C = X + D
    return C, energy(D, lam) + weight * energy(E - D), lam


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("weight", [0.01, 1.0, 100.0])
def test_the_energy_never_rises_and_reaches_its_minimum(seed, weight):
    _, X, v = scene(seed)
    audio = np.stack([STFT.inverse(x, LENGTH) for x in X])
    problem, energies = Consistency(X, audio, v[:, None], weight, STFT), []
    for _ in range(400):
        C, value, lam = corrected(problem.corrected(), X, v, weight)
        energies.append(value)
        if not problem.descend():
            break
    assert (np.diff(energies) <= 1e-9 * energies[0]).all()
    assert energies[1] < energies[0]
    # The gradient is the same for all sources there: no change that keeps their sum is downhill.
    slope = lam * (C - X) + weight * (C - consistent(C, STFT, LENGTH))
    slope -= slope.mean(0)
    assert energy(slope) < 1e-3 * weight**2 * consistency(X)
    np.testing.assert_allclose(C.sum(0), X.sum(0), atol=1e-9)


def test_the_same_bytes_for_any_number_of_threads():
    _, X, v = scene(length=9000, dtype=np.float32)
    found = []
    try:
        for count in (1, 2, 3):
            set_threads(count)
            found.append(na.audio.consistent_wiener(X, v, STFT, 9000).tobytes())
    finally:
        set_threads(None)
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("method", ["consistent", "misi"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("length", [1, 20, LENGTH])
@pytest.mark.parametrize("sources", [1, 3])
def test_sources_sum_to_the_mixture_in_its_precision(method, dtype, length, sources):
    y, X, v = scene(length=length, dtype=dtype, sources=sources)
    kept = X.copy(), y.copy()
    made = (
        na.audio.misi(X, y, STFT)
        if method == "misi"
        else na.audio.consistent_wiener(X, v, STFT, length)
    )
    assert made.dtype == dtype
    assert made.shape == (sources, 2, length)
    np.testing.assert_allclose(made.sum(0), y, atol=50 * np.finfo(dtype).eps)
    np.testing.assert_array_equal(X, kept[0])
    np.testing.assert_array_equal(y, kept[1])


def test_what_fits_already_stays():
    rng = np.random.default_rng(0)
    sources = rng.standard_normal((3, 2, LENGTH))
    S = np.stack([STFT.forward(s) for s in sources])
    v = np.square(np.abs(S)).mean(1)
    np.testing.assert_allclose(na.audio.misi(S, sources.sum(0), STFT), sources, atol=1e-9)
    np.testing.assert_allclose(na.audio.consistent_wiener(S, v, STFT, LENGTH), sources, atol=1e-9)


def test_without_weight_or_iterations_wiener_filters_stay():
    y, X, v = scene()
    plain = np.stack([STFT.inverse(x, LENGTH) for x in X])
    for settings in ({"weight": 0.0}, {"iterations": 0}):
        made = na.audio.consistent_wiener(X, v, STFT, LENGTH, **settings)
        np.testing.assert_allclose(made, plain, atol=1e-12)
    np.testing.assert_allclose(na.audio.misi(X, y, STFT, iterations=0), plain, atol=1e-12)


def test_variances_have_any_unit_and_may_differ_between_channels():
    _, X, v = scene()
    made = na.audio.consistent_wiener(X, v, STFT, LENGTH)
    for same in (1e12 * v, np.stack([v, v], axis=1)):
        np.testing.assert_allclose(
            na.audio.consistent_wiener(X, same, STFT, LENGTH), made, atol=1e-9
        )


@pytest.mark.parametrize(
    "make",
    [
        lambda X, v, y: na.audio.misi(X, y, STFT),
        lambda X, v, y: na.audio.consistent_wiener(X, v, STFT, LENGTH),
    ],
)
def test_silence_stays_silence(make):
    y, X, v = scene()
    assert not make(0 * X, 0 * v, 0 * y).any()


def test_misi_has_magnitudes_and_mixture_at_once():
    """Each iteration brings the magnitudes nearer, while the sum stays."""
    y, X, _ = scene()
    far = [
        energy(np.abs(np.stack([STFT.forward(s) for s in made])) - np.abs(X))
        for made in (na.audio.misi(X, y, STFT, iterations=n) for n in (0, 1, 3, 10))
    ]
    assert (np.diff(far) < 0).all()


def test_what_does_not_fit_is_refused():
    y, X, v = scene()
    for call, words in (
        (lambda: na.audio.consistent_wiener(X[0], v, STFT, LENGTH), "source, channel, freq, time"),
        (lambda: na.audio.consistent_wiener(X, v[1:], STFT, LENGTH), "same sources"),
        (lambda: na.audio.consistent_wiener(X, v[..., 1:], STFT, LENGTH), "same sources"),
        (lambda: na.audio.misi(X, y[:1], STFT), "2 channels and the mixture 1"),
        (lambda: na.audio.misi(X, y[:, 64:], STFT), "frames"),
    ):
        with pytest.raises(na.errors.ShapeError, match=words):
            call()
    with pytest.raises(na.ParameterError, match="complex"):
        na.audio.misi(abs(X), y, STFT)
    with pytest.raises(na.ParameterError, match="weight"):
        na.audio.consistent_wiener(X, v, STFT, LENGTH, weight=-1)
