"""Normalising and sorting components keep the model."""

import numpy as np
import pytest
from laws.catalogue import RANK, STRUCTURES, TWO_KINDS

import nmfaudio as na

# The components of the others are of two kinds.
UNIFORM = [name for name in STRUCTURES if name not in TWO_KINDS]


def decomposition(name, dtype):
    structure, X = STRUCTURES[name](np.random.default_rng(3))
    V = structure.forward(X)
    factors = [na.Factor(F) for F in X]
    return na.decompose(V.astype(dtype), factors, structure=structure, max_iter=3)


def close(a, b, dtype):
    np.testing.assert_allclose(a, b, rtol=1e-12 if dtype == np.float64 else 2e-5)


def norm_of(F, norm):
    flat = F.reshape(-1, F.shape[-1]).astype(float)
    return {"l1": flat.sum(0), "l2": np.sqrt((flat**2).sum(0)), "max": flat.max(0)}[norm]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("templates", [True, False])
@pytest.mark.parametrize("norm", ["l1", "l2", "max"])
@pytest.mark.parametrize("name", UNIFORM)
def test_normalising_sets_the_norm_and_keeps_the_model(name, norm, templates, dtype):
    d = decomposition(name, dtype)
    kept = [F.copy() for F in d.factors]
    once = na.factorisation.normalise(d, norm=norm, templates=templates)
    close(norm_of(once.W if templates else np.moveaxis(once.H, -2, -1), norm), 1, dtype)
    close(once.model(), d.model(), dtype)
    again = na.factorisation.normalise(once, norm=norm, templates=templates)
    for F, G, original, before in zip(once.factors, again.factors, d.factors, kept, strict=True):
        assert F.dtype == dtype
        close(G, F, dtype)
        assert np.array_equal(original, before)


def test_silent_components_stay_silent():
    W, H = np.random.default_rng(0).random((6, 3)), np.random.default_rng(1).random((3, 8))
    W[:, 1] = 0
    d = na.decompose(W @ H, [na.Factor(W), na.Factor(H)], max_iter=0)
    once = na.factorisation.normalise(d)
    assert np.isfinite(once.H).all()
    assert not once.W[:, 1].any()
    assert np.isfinite(na.factorisation.sort_components(d, by="centroid").W).all()


def keys(d, by):
    if by == "energy":
        return [-d.component(k).sum() for k in range(RANK)]
    if by == "onset":
        rows = d.H.reshape(-1, *d.H.shape[-2:]).sum(0)
        return [int(np.argmax(h >= h.max() / 2)) for h in rows]
    W = d.W.reshape(-1, *d.W.shape[-2:]).sum(0)
    return [(np.arange(len(W)) * w).sum() / w.sum() for w in W.T]


@pytest.mark.parametrize("by", ["energy", "centroid", "onset"])
@pytest.mark.parametrize("name", UNIFORM)
def test_sorting_permutes_and_keeps_the_model(name, by):
    structure, X = STRUCTURES[name](np.random.default_rng(3))
    X[-1] *= np.array([1.0, 9.0, 3.0])[:, None]  # further apart than what a convolution cuts off
    for k, begin in enumerate((7, 2, 4)):
        X[-1][..., k, :begin] = 0
        X[-1][..., k, begin] = 10
    d = na.decompose(
        structure.forward(X), [na.Factor(F) for F in X], structure=structure, max_iter=0
    )
    found = na.factorisation.sort_components(d, by=by)
    close(found.model(), d.model(), np.float64)
    before, after = keys(d, by), keys(found, by)
    assert len(set(before)) == RANK
    order = np.argsort(before)
    np.testing.assert_array_equal(found.H, d.H[..., order, :])
    np.testing.assert_allclose(after, np.sort(before))
    np.testing.assert_array_equal(na.factorisation.sort_components(found, by=by).H, found.H)


@pytest.mark.parametrize("beta", [0, 1, 2, 1.5])
def test_the_divergence_grows_with_the_scale_of_the_data_to_the_power_of_beta(beta):
    V = np.random.default_rng(0).random((13, 22)) + 0.1
    a, b = (na.nmf(s * V, 3, beta_loss=beta, rng=0, max_iter=10) for s in (1, 4))
    assert b.losses[-1] == pytest.approx(4**beta * a.losses[-1])
    close(b.model(), 4 * a.model(), np.float64)


def test_invalid_arguments_raise():
    d = decomposition("product", np.float64)
    for change in (na.factorisation.normalise, na.factorisation.sort_components):
        with pytest.raises(na.ParameterError, match="of one kind"):
            change(decomposition("source-filter", np.float64))
    with pytest.raises(na.ParameterError, match="norm is 'l3'"):
        na.factorisation.normalise(d, norm="l3")
    with pytest.raises(na.ParameterError, match="by is 'name'"):
        na.factorisation.sort_components(d, by="name")
