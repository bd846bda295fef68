"""SI-SDR against its definition and a peer; the assignment against brute force."""

import math
from itertools import permutations

import fast_bss_eval
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmfaudio.errors import ContentError, ParameterError, ShapeError
from nmfaudio.metrics import best_assignment, si_sdr


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("level", [0.001, 0.1, 1.0, 30.0])
def test_si_sdr_equals_fast_bss_eval(level, dtype):
    reference = noise(3, 2000).astype(dtype)
    estimate = (0.7 * reference + level * noise(3, 2000, seed=1)).astype(dtype)
    # Its NumPy half is called directly: the front door needs torch.
    theirs = fast_bss_eval.numpy.si_sdr(reference.astype(float), estimate.astype(float))
    ours = [si_sdr(r, e) for r, e in zip(reference, estimate, strict=True)]
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


@settings(deadline=None)
@given(
    scales=st.tuples(st.integers(-300, 300), st.integers(-300, 300)),
    signs=st.tuples(st.sampled_from([-1, 1]), st.sampled_from([-1, 1])),
)
def test_si_sdr_ignores_scale_and_sign(scales, signs):
    reference, estimate = noise(2, 500), noise(2, 500) + noise(2, 500, seed=1)
    r, e = (s * 10.0**x for s, x in zip(signs, scales, strict=True))
    assert si_sdr(r * reference, e * estimate) == pytest.approx(si_sdr(reference, estimate))


def test_channels_count_as_one_long_signal():
    reference, estimate = noise(2, 500), noise(2, 500) + noise(2, 500, seed=1)
    assert si_sdr(reference, estimate) == si_sdr(reference.ravel(), estimate.ravel())
    unbalanced = reference * [[1.0], [0.5]]
    assert si_sdr(reference, unbalanced) < 20


def test_limits_of_si_sdr():
    y = noise(500).astype(np.float32)
    assert si_sdr(y, y) == math.inf
    assert si_sdr(y, 4 * y) == math.inf
    assert si_sdr(y, np.zeros_like(y)) == -math.inf
    assert si_sdr(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == -math.inf
    with pytest.raises(ContentError, match="silent"):
        si_sdr(np.zeros_like(y), y)
    with pytest.raises(ContentError, match="estimate has 1 NaN"):
        si_sdr(y, np.where(np.arange(500) == 7, np.nan, y))
    with pytest.raises(ShapeError, match="must be the same"):
        si_sdr(y, y[:-1])


@settings(deadline=None)
@given(n=st.integers(1, 4), extra=st.integers(0, 2), seed=st.integers(0, 2**32))
def test_best_assignment_has_the_highest_mean(n, extra, seed):
    references = noise(n, 50, seed=seed)
    estimates = noise(n + extra, n, seed=seed + 1) @ references
    estimates += 0.1 * noise(n + extra, 50, seed=seed + 2)

    def mean(order: tuple[int, ...]) -> float:
        return np.mean([si_sdr(references[i], estimates[k]) for i, k in enumerate(order)])

    chosen = best_assignment(references, estimates)
    assert len(set(chosen)) == n
    best = max(mean(order) for order in permutations(range(n + extra), n))
    assert mean(chosen) == pytest.approx(best)


def test_best_assignment_takes_perfect_and_silent_estimates():
    references = noise(3, 2, 100)
    estimates = [references[2], np.zeros((2, 100)), references[0]]
    assert best_assignment(references, estimates) == (2, 1, 0)


def test_best_assignment_needs_enough_estimates():
    with pytest.raises(ParameterError, match="2 estimates for 3 references"):
        best_assignment(noise(3, 100), noise(2, 100))
