"""Every structure is affine in each factor with its adjoint, and parts sum to the whole."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from laws.catalogue import STRUCTURES, TWO_KINDS
from twins import MODELS

import nmfaudio as na
from nmfaudio.errors import ParameterError, ShapeError
from nmfaudio.factorisation.laws import structures as laws
from nmfaudio.factorisation.structures import STRUCTURES as SAVED
from nmfaudio.kernels.threads import set_threads

sizes = st.integers(1, 9)


@st.composite
def factored(draw):
    """(name, structure, random factors with some zeros), more lags than frames included."""
    name = draw(st.sampled_from(sorted(STRUCTURES)))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    time = draw(st.integers(1, 70))
    structure, X = STRUCTURES[name](
        rng, freq=draw(sizes), time=time, rank=draw(sizes), lags=draw(sizes)
    )
    return name, structure, [F * (rng.random(F.shape) < 0.9) for F in X]


def close(got, want, dtype=np.float64):
    rtol = 1e-10 if dtype == np.float64 else 1e-5
    np.testing.assert_allclose(got, want, rtol=rtol, atol=rtol * np.abs(want).max())


def test_the_catalogue_has_every_structure_that_can_be_saved():
    assert {STRUCTURES[name](np.random.default_rng(0))[0].name for name in STRUCTURES} == set(SAVED)


@pytest.mark.parametrize("law", laws.LAWS, ids=lambda law: law.__name__)
@settings(max_examples=60, deadline=None)
@given(factored(), st.integers(0, 99))
def test_every_structure_obeys_every_law(law, case, seed):
    _, structure, X = case
    law(structure, X, np.random.default_rng(seed))


@pytest.mark.parametrize("name", STRUCTURES)
def test_every_structure_passes_the_public_check(name):
    structure, X = STRUCTURES[name](np.random.default_rng(0))
    na.check_structure(structure, [F.shape for F in X])


@settings(max_examples=100, deadline=None)
@given(factored())
def test_forward_equals_its_numpy_twin(case):
    name, structure, X = case
    close(structure.forward(X), MODELS[name](*X))


@pytest.mark.parametrize("name", STRUCTURES)
def test_float32_stays_and_any_number_of_threads_makes_the_same_bytes(name):
    structure, X = STRUCTURES[name](np.random.default_rng(0), freq=150, time=300)
    X = [F.astype(np.float32) for F in X]
    G = np.random.default_rng(1).random(structure.shape(X), np.float32)
    found = []
    try:
        for count in (1, 2, 3):
            set_threads(count)
            results = [structure.forward(X), *(structure.adjoint(i, G, X) for i in range(len(X)))]
            assert {R.dtype for R in results} == {np.dtype(np.float32)}
            found.append(b"".join(R.tobytes() for R in results))
    finally:
        set_threads(None)
    assert found[0] == found[1] == found[2]
    wide = [F.astype(np.float64) for F in X]
    close(structure.forward(X), structure.forward(wide), np.float32)
    for i in range(len(X)):
        close(structure.adjoint(i, G, X), structure.adjoint(i, G.astype(float), wide), np.float32)


@pytest.mark.parametrize("name", STRUCTURES)
def test_only_factors_that_do_not_fit_raise(name):
    structure, X = STRUCTURES[name](np.random.default_rng(0))
    for i, F in enumerate(X):
        others = X[:i], X[i + 1 :]
        for wrong in ([F[None]], [F[0]], [F, F]):
            with pytest.raises(ShapeError):
                structure.shape([*others[0], *wrong, *others[1]])
        for axis in range(F.ndim):
            longer = [*others[0], np.concatenate([F, F.take([0], axis)], axis), *others[1]]
            try:
                want = MODELS[name](*longer).shape
            except ValueError:
                with pytest.raises(ShapeError):
                    structure.shape(longer)
            else:
                assert structure.shape(longer) == want


def test_more_shifts_than_bins_are_refused():
    with pytest.raises(ShapeError, match="at most as many"):
        na.structures.Convolutive2D().shape([np.ones((1, 4, 2)), np.ones((5, 2, 9))])


def problem(name, dtype, *, scale=1.0):
    """(structure, V with zeros, starts)."""
    rng = np.random.default_rng(0)
    structure, X = STRUCTURES[name](rng)
    carriers = structure.scale_carriers(len(X))
    V = (rng.random(structure.shape(X)) ** 3 * scale).astype(dtype)
    V[..., 2, 3:6] = 0
    return structure, V, [F * scale if i in carriers else F for i, F in enumerate(X)]


@pytest.mark.parametrize("beta", [0, 1, 2])
@pytest.mark.parametrize("name", STRUCTURES)
def test_the_scale_of_the_data_changes_no_bit(name, beta):
    found = []
    for scale in (1.0, 2.0**40):
        structure, V, X = problem(name, np.float64, scale=scale)
        factors = [na.Factor(F) for F in X]
        factors[-1] = na.Factor(X[-1], True, (na.penalties.L2(0.1 * scale ** (beta - 2)),))
        d = na.decompose(
            V, factors, structure=structure, divergence=na.Beta(beta), solver="mu", max_iter=9
        )
        found.append([*d.factors, d.losses * scale**-beta])
        for i in structure.scale_carriers(len(X)):
            found[-1][i] = found[-1][i] / scale
    for before, after in zip(*found, strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("name", STRUCTURES)
def test_a_saved_decomposition_comes_back(name, tmp_path):
    structure, V, X = problem(name, np.float32)
    d = na.decompose(V, [na.Factor(F) for F in X], structure=structure, max_iter=2)
    d.save(tmp_path / "d.npz")
    again = na.Decomposition.load(tmp_path / "d.npz")
    assert again.structure == structure
    assert again.n_components == d.n_components == d.W.shape[-1] == d.H.shape[-2]
    np.testing.assert_array_equal(again.model(), d.model())
    close(sum(again.component(k) for k in range(d.n_components)), d.model(), np.float32)


@pytest.mark.parametrize("unit", ["l1", "l2"])
@pytest.mark.parametrize("name", sorted(set(STRUCTURES) - {"deep"} - TWO_KINDS))
def test_all_factors_but_one_can_have_unit_norm(name, unit):
    structure, V, X = problem(name, np.float64)
    factors = [na.Factor(F, unit=unit) for F in X[:-1]]
    d = na.decompose(
        V,
        [*factors, na.Factor(X[-1], True, (na.penalties.L1(0.3),))],
        structure=structure,
        max_iter=15,
        tol=0,
        check_every=1,
    )
    assert (np.diff(d.losses) <= 1e-12 * abs(d.losses[:-1])).all()
    axes = structure.component_axes(len(X))
    for F, axis in zip(d.factors[:-1], axes, strict=False):
        columns = np.moveaxis(F, axis, 0).reshape(F.shape[axis], -1)
        close(np.linalg.norm(columns, 1 if unit == "l1" else 2, axis=1), np.ones(F.shape[axis]))
    final = na.Beta(1).value(V, d.model(), None) + na.penalties.L1(0.3).value(
        d.factors[-1], d.factors
    )
    assert final == pytest.approx(d.losses[-1], rel=1e-9)


@pytest.mark.parametrize("name", sorted(TWO_KINDS))
def test_unit_norm_raises_for_components_of_two_kinds(name):
    structure, V, X = problem(name, np.float64)
    factors = [na.Factor(X[0], unit="l1"), *(na.Factor(F) for F in X[1:])]
    with pytest.raises(ParameterError, match="leave unit=None"):
        na.decompose(V, factors, structure=structure)


def test_three_axes_take_weights_gaps_and_random_starts():
    structure, V, X = problem("channels", np.float32)
    starts = [na.Factor(lambda V, weights, rng, F=F: rng.random(F.shape)) for F in X]
    gone = V.copy()
    gone[0, :, 4] = np.nan
    told = na.decompose(gone, starts, structure=structure, missing="nan", n_init=2, rng=0)
    weights = np.ones(V.shape)
    weights[0, :, 4] = 0
    same = na.decompose(V, starts, structure=structure, weights=weights, n_init=2, rng=0)
    np.testing.assert_array_equal(told.model(), same.model())
    wide = np.array([[1.0], [0.5]])[..., None]  # per channel
    assert na.decompose(V, starts, structure=structure, weights=wide, rng=0).model().shape == (
        V.shape
    )
    with pytest.raises(ShapeError, match="make a model of shape"):
        na.decompose(V[:, :, :9], [na.Factor(F) for F in X], structure=structure)
    with pytest.raises(ShapeError, match="broadcast"):
        na.decompose(V, starts, structure=structure, weights=np.ones((3, 1, 1)))


def test_a_mask_of_every_bin_has_its_adjoint_and_its_excerpt():
    rng = np.random.default_rng(0)
    shapes = (9, 12), (9, 2), (2, 12), (1, 1), (9, 3), (3, 12)
    structure, X = na.structures.Masked(), [rng.random(shape) for shape in shapes]
    G = rng.standard_normal((9, 12))
    for i, F in enumerate(X):
        D = rng.standard_normal(F.shape)
        moved = [*X[:i], F + D, *X[i + 1 :]]
        change = structure.forward(moved) - structure.forward(X)
        assert (change * G).sum() == pytest.approx((D * structure.adjoint(i, G, X)).sum())
    parts = [structure.part(X, [k], slice(3, 7)) for k in range(5)]
    close(sum(parts), structure.forward(X)[:, 3:7], np.float64)


@pytest.mark.parametrize(
    "shapes",
    [
        (),
        [(9, 12), (9, 2)],
        [(9, 12), (9, 2), (3, 12)],
        [(9, 11), (9, 2), (2, 12)],
        [(1, 12), (9, 2), (2, 12), (1, 1), (8, 2), (2, 12)],
    ],
)
def test_masks_that_do_not_fit_raise(shapes):
    with pytest.raises(ShapeError, match=r"factors have shapes .*; Masked needs M"):
        na.structures.Masked().shape([np.ones(shape) for shape in shapes])
