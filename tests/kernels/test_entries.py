"""Steps of `kernels.majorisation`, `hals` and `ccd`: each entry moves as SciPy says."""

import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar
from scipy.special import xlogy

from nmfaudio.kernels.bundles import StepTerms
from nmfaudio.kernels.ccd import descend_entries
from nmfaudio.kernels.hals import Factors, descend_rows, sweep_rows
from nmfaudio.kernels.majorisation import step

TERMS = ("linear", "quadratic", "log", "inverse", "free")
CHOICES = [(), *((term,) for term in TERMS), TERMS, ("linear", "inverse"), ("log", "free")]


def some_terms(rng, shape, chosen):
    """Penalty terms, of size 0 where they are not chosen; some entries have no pole."""
    values = {
        "linear": rng.uniform(-0.3, 0.5, shape),
        "quadratic": rng.uniform(0, 2, shape),
        "log": rng.uniform(0, 1, shape) * (rng.random(shape) < 0.7),
        "inverse": rng.uniform(0, 1, shape) * (rng.random(shape) < 0.7),
        "free": rng.random(shape) < 0.7,
    }
    absent = {name: np.zeros((0, 0), value.dtype) for name, value in values.items()}
    return StepTerms(**(absent | {name: values[name] for name in chosen}))


def minimum(terms, at, x, data):
    """Entry `at`, now x, where `data` and its penalty have their minimum over x ≥ 0."""
    linear, quadratic, log, inverse = (term[at] if term.size else 0.0 for term in terms[:4])
    has_pole = log > 0 or inverse > 0
    if (terms.free.size and not terms.free[at]) or (has_pole and x == 0):
        return x

    def objective(x):
        with np.errstate(divide="ignore"):
            poles = inverse / x - log * np.log(x) if has_pole else 0.0
        return data(x) + linear * x + quadratic * x**2 / 2 + poles

    options = {"xatol": 1e-11}
    found = minimize_scalar(objective, bounds=(0, 50), method="bounded", options=options).x
    return 0.0 if not has_pole and objective(0.0) <= objective(found) else found


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0, 1.5, 2.0, 3.0])
@pytest.mark.parametrize("chosen", CHOICES, ids="+".join)
def test_entries_move_to_the_zero_of_the_derivative(chosen, beta):
    rng = np.random.default_rng(len(chosen))
    F, negative, positive = rng.uniform(0.2, 1, (3, 3, 4))
    F[1, 2], negative[2, 2] = 0, 0
    terms = some_terms(rng, F.shape, chosen)
    p, q, floor, expected = max(beta - 1, 0), min(beta - 2, 0), 1e-6, F.copy()
    for at, x in np.ndenumerate(F):
        if x == 0 or (terms.free.size and not terms.free[at]):
            continue
        linear, quadratic, log, inverse = (term[at] if term.size else 0.0 for term in terms[:4])

        def derivative(u, at=at, x=x, linear=linear, quadratic=quadratic, log=log, inverse=inverse):
            data = positive[at] * u**p - negative[at] * u**q
            return data + linear + quadratic * x * u - log / (x * u) - inverse / (x * u) ** 2

        nearly_zero = derivative(1e-9) > 0  # so is the minimum
        expected[at] = floor if nearly_zero else x * brentq(derivative, 1e-9, 900, xtol=1e-12)
    step(F, negative, positive, terms, p, q, floor)
    np.testing.assert_allclose(F, np.where(expected > 0, np.maximum(expected, floor), 0), rtol=1e-6)


@pytest.mark.parametrize("chosen", CHOICES, ids="+".join)
def test_rows_move_to_their_minima(chosen):
    rng = np.random.default_rng(len(chosen))
    A, X = rng.random((3, 5)), rng.random((3, 4))
    A[2, :3] = A[1, 3:] = 0  # these two are orthogonal
    X[1, 2] = 0
    cross, gram = A @ A.T @ rng.random((3, 4)), A @ A.T
    terms = some_terms(rng, X.shape, chosen)
    expected = X.copy()
    for k, j in 2 * list(np.ndindex(X.shape)):
        a, x = gram[k, k], expected[k, j]
        b = cross[k, j] - gram[k] @ expected[:, j] + a * x
        expected[k, j] = minimum(terms, (k, j), x, lambda x, a=a, b=b: a * x**2 / 2 - b * x)
    descend_rows(X, cross, gram, terms, 2)
    np.testing.assert_allclose(X, expected, atol=2e-6)


@pytest.mark.parametrize("chosen", [(), TERMS], ids="+".join)
def test_frames_are_updated_block_by_block(chosen):
    rng = np.random.default_rng(0)
    V, W, H = rng.random((150, 6)), rng.random((3, 6)), rng.random((3, 150))
    terms = some_terms(rng, H.shape, chosen)
    expected, part = H.copy(), slice(5, 145)
    selected = H[:, part].copy()
    own = StepTerms(*(term[:, part].copy() if term.size else term for term in terms))
    descend_rows(selected, W @ V[part].T, W @ W.T, own, 2)
    expected[:, part] = selected
    cross = np.ones((3, 6))
    loss = sweep_rows(V, Factors(W, W @ W.T, H), terms, 2, True, cross, 5, 145)
    np.testing.assert_allclose(H, expected, rtol=1e-8)
    np.testing.assert_allclose(cross, 1 + selected @ V[part], rtol=1e-8)
    np.testing.assert_allclose(loss, np.sum((V[part] - selected.T @ W) ** 2) / 2, rtol=1e-8)
    before = H.copy()
    absent = np.zeros((0, 6))
    assert sweep_rows(V, Factors(W, W @ W.T, H), terms, 0, False, absent, 0, 150) == 0
    assert np.array_equal(H, before)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("chosen", CHOICES, ids="+".join)
def test_entries_move_to_their_minima(chosen, weighted):
    rng = np.random.default_rng(len(chosen))
    A, X = rng.random((3, 6)) * (rng.random((3, 6)) < 0.8), rng.random((4, 3))
    V = rng.random((4, 3)) @ A
    X[2, 1] = X[0, 0] = V[3, 2] = 0
    weights = rng.uniform(0.5, 2, V.shape) if weighted else np.zeros((0, 0))
    w = weights if weighted else np.ones_like(V)
    terms = some_terms(rng, X.shape, chosen)
    expected = X.copy()
    for t, k in np.ndindex(X.shape):
        if t not in (1, 2, 3):
            continue
        x, a = expected[t, k], A[k]
        rest = expected[t] @ A - x * a

        def divergence(x, t=t, a=a, rest=rest):
            y = np.maximum(rest + x * a, 1e-300)
            return np.sum(w[t] * (y - xlogy(V[t], y)))

        expected[t, k] = minimum(terms, (t, k), x, divergence)
    descend_entries(V, weights, A, X, terms, 1, 4)
    np.testing.assert_allclose(X, expected, atol=2e-6)
