"""Every solver with every structure and penalty lowers the objective or raises with a reason."""

import numpy as np
import pytest
from laws.catalogue import PENALTIES, STRUCTURES

import nmfaudio as na
from nmfaudio.factorisation.problem import Problem
from nmfaudio.factorisation.solvers import SOLVERS

BETAS = (0, 1, 2)


def penalised(model, X, place, penalty, rng):
    """The factors, with some entries fixed where there is no unit norm."""
    factors = [na.Factor(F) for F in X]
    if place == "first":
        factors[0] = na.Factor(X[0], penalties=(penalty(rng, X[0].shape),))
        factors[-1] = na.Factor(X[-1], rng.random(X[-1].shape) < 0.7)
        return factors
    able = [i for i, axis in enumerate(model.component_axes(len(X))) if axis is not None]
    last = able[-1] if able else -1
    gate = rng.random(X[last].shape) < 0.7 if place == "last" else True
    factors[last] = na.Factor(X[last], gate, (penalty(rng, X[last].shape),))
    if place == "last":
        factors[0] = na.Factor(X[0], rng.random(X[0].shape[-1]) < 0.7)
    elif able:
        factors[able[-2]] = na.Factor(X[able[-2]], unit="l2")
    return factors


def assert_done(d, factors):
    assert np.isfinite(d.losses).all()
    assert (np.diff(d.losses) <= 1e-11 * abs(d.losses[:-1])).all(), np.diff(d.losses).max()
    assert d.losses[-1] < d.losses[0]
    for F, f in zip(d.factors, factors, strict=True):
        fixed = ~np.broadcast_to(f.free, F.shape)
        assert np.isfinite(F).all()
        assert (F >= 0).all()
        assert F[fixed].tobytes() == f.initial[fixed].tobytes()


@pytest.mark.parametrize("place", ["last", "normed", "first"])
@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("solver", SOLVERS)
def test_solver_lowers_the_objective_or_raises_with_a_reason(solver, structure, place):
    for number, (name, penalty) in enumerate(PENALTIES.items()):
        rng = np.random.default_rng(number)
        model, X = STRUCTURES[structure](rng)
        V = rng.random(model.shape(X)) ** 2 + 0.01
        factors = penalised(model, X, place, penalty, rng)
        for beta in BETAS:
            settings = {"structure": model, "divergence": na.Beta(beta), "solver": solver}
            free = tuple(f.movable(F.shape) for f, F in zip(factors, X, strict=True))
            problem = Problem(V, None, model, na.Beta(beta), tuple(factors), free)
            reason = SOLVERS[solver].supports(problem)
            if reason is not None:
                with pytest.raises(na.ParameterError) as error:
                    na.decompose(V, factors, **settings)
                assert str(error.value).endswith(reason)
                assert "\n" not in reason
                continue
            d = na.decompose(V, factors, **settings, max_iter=9, check_every=3, tol=0)
            try:
                assert_done(d, factors)
            except AssertionError as failure:
                raise AssertionError(f"{name}, beta {beta}: {failure}") from failure
