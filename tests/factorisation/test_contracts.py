"""What a user's structure, divergence or penalty returns is checked before a kernel reads it."""

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.errors import ShapeError
from nmfaudio.factorisation.penalties import Terms

rng = np.random.default_rng(0)
V, W, H = rng.random((9, 14)) + 0.1, rng.random((9, 3)), rng.random((3, 14))
Product, Beta = na.structures.Product, na.Beta


def structure(**methods):
    """A subclass of `Product` with some methods replaced."""
    return type("Mine", (Product,), methods)()


def cut(i, G, factors):
    return Product().adjoint(i, G, factors)[:-1]


class MyDivergence:
    """Half the squared error, with members replaced."""

    exponents, degree = (1.0, 0.0), 2.0

    def __init__(self, **members):
        for name, member in members.items():
            setattr(self, name, member)

    def prepare(self, V, weights):
        return V

    def value(self, V, Y, weights):
        return float((0.5 * (V - Y) ** 2).sum())

    def gradient_parts(self, V, Y, weights):
        return V, Y


class MyPenalty:
    """No cost, unless told otherwise."""

    def __init__(self, terms=None, value=0.0):
        self.terms, self.cost = Terms() if terms is None else terms, value

    def value(self, F, factors):
        return self.cost

    def majorize(self, F, factors):
        return self.terms


def run(structure=None, divergence=None, penalty=None, V=V):
    penalties = () if penalty is None else (penalty,)
    factors = [na.Factor(W), na.Factor(H, penalties=penalties)]
    settings = {"structure": structure, "divergence": divergence}
    return na.decompose(V, factors, solver="mu", max_iter=2, **settings)


CASES = {
    "adjoint of another shape": (
        {"structure": structure(adjoint=lambda self, i, G, X: cut(i, G, X))},
        ShapeError,
        r"Mine.adjoint returned shape \(8, 3\); it must return \(9, 3\)",
    ),
    "adjoint transposed": (
        {"structure": structure(adjoint=lambda self, i, G, X: Product().adjoint(i, G, X).T)},
        ShapeError,
        r"Mine.adjoint returned shape \(3, 9\)",
    ),
    "adjoint is no array": (
        {"structure": structure(adjoint=lambda self, i, G, X: None)},
        na.ParameterError,
        "Mine.adjoint returned NoneType",
    ),
    "adjoint of another dtype": (
        {
            "structure": structure(
                adjoint=lambda self, i, G, X: Product().adjoint(i, G, X).astype(complex)
            )
        },
        na.ParameterError,
        "Mine.adjoint returned complex128 for float64",
    ),
    "adjoint is NaN": (
        {"structure": structure(adjoint=lambda self, i, G, X: np.full(X[i].shape, np.nan))},
        na.ParameterError,
        "Mine.adjoint .*finite and ≥ 0",
    ),
    "adjoint is negative": (
        {"structure": structure(adjoint=lambda self, i, G, X: -Product().adjoint(i, G, X))},
        na.ParameterError,
        "Mine.adjoint .*finite and ≥ 0",
    ),
    "forward of another shape": (
        {"structure": structure(forward=lambda self, X: (X[0] @ X[1])[:, 1:])},
        ShapeError,
        r"Mine.forward returned shape \(9, 13\)",
    ),
    "forward forgets float32": (
        {
            "structure": structure(forward=lambda self, X: (X[0] @ X[1]).astype(float)),
            "V": V.astype("f4"),
        },
        na.ParameterError,
        "Mine.forward returned float64 for float32; it must keep the dtype",
    ),
    "too few axes": (
        {"structure": structure(component_axes=lambda self, count: (1,))},
        na.ParameterError,
        "Mine.component_axes returned",
    ),
    "a carrier that is not there": (
        {"structure": structure(scale_carriers=lambda self, count: (2,))},
        na.ParameterError,
        "Mine.scale_carriers returned",
    ),
    "gradient of another shape": (
        {"divergence": MyDivergence(gradient_parts=lambda V, Y, m: (V[1:], Y))},
        ShapeError,
        r"MyDivergence.gradient_parts returned shape \(8, 14\)",
    ),
    "gradient is negative": (
        {"divergence": MyDivergence(gradient_parts=lambda V, Y, m: (-V, Y))},
        na.ParameterError,
        "MyDivergence.gradient_parts has values from",
    ),
    "data of another shape": (
        {"divergence": MyDivergence(prepare=lambda V, m: V[:, 1:])},
        ShapeError,
        "MyDivergence.prepare returned shape",
    ),
    "exponents the wrong way": (
        {"divergence": MyDivergence(exponents=(0.0, 1.0))},
        na.ParameterError,
        "MyDivergence.exponents is",
    ),
    "terms of another shape": (
        {"penalty": MyPenalty(Terms(linear=np.ones(5)))},
        ShapeError,
        r"MyPenalty.majorize returned a linear term of shape \(5,\)",
    ),
    "terms that are an array": (
        {"penalty": MyPenalty(np.ones((3, 14)))},
        na.ParameterError,
        "MyPenalty.majorize returned ndarray; it must return Terms",
    ),
    "curvature below 0": (
        {"penalty": MyPenalty(Terms(quadratic=-1.0))},
        na.ParameterError,
        "quadratic term of MyPenalty.majorize",
    ),
    "cost is NaN": (
        {"penalty": MyPenalty(value=np.nan)},
        na.ParameterError,
        "MyPenalty.value returned nan",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_one_line_names_the_class_and_the_method(case):
    arguments, error, words = CASES[case]
    with pytest.raises(error, match=words) as caught:
        run(**arguments)
    assert "\n" not in str(caught.value)


def test_an_adjoint_that_changes_its_shape_later_is_caught_too():
    calls = []

    def adjoint(self, i, G, X):
        calls.append(i)
        return cut(i, G, X) if len(calls) > 9 else Product().adjoint(i, G, X)

    with pytest.raises(ShapeError, match=r"Mine.adjoint"):
        run(structure(adjoint=adjoint))


@pytest.mark.parametrize("order", ["C", "F"])
def test_any_memory_order_will_do(order):
    def adjoint(self, i, G, X):
        return np.asarray(Product().adjoint(i, G, X), order=order)

    def forward(self, X):
        return np.asarray(X[0] @ X[1], order=order)

    found = run(structure(adjoint=adjoint, forward=forward))
    np.testing.assert_allclose(found.H, run().H, rtol=1e-10)
