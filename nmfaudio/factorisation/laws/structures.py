"""Laws of structures."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from nmfaudio._common.validation import shown
from nmfaudio._public import public
from nmfaudio.errors import ParameterError
from nmfaudio.factorisation.contracts import (
    as_array,
    method_of,
    require_axes,
    require_non_negative,
)
from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.factorisation.engine import decompose, generator
from nmfaudio.factorisation.factors import Factor
from nmfaudio.factorisation.laws.base import TOLERANCE, require, require_close, require_descent
from nmfaudio.factorisation.structures import STRUCTURES, Convolutive, Product, Structure
from nmfaudio.factorisation.structures.bilinear import has_bilinear_model

Law = Callable[[Structure, list[np.ndarray], np.random.Generator], None]


@public
def check_structure(
    structure: Structure,
    shapes: Sequence[tuple[int, ...]],
    *,
    rng: int | np.random.Generator | None = 0,
) -> None:
    """Check that a structure obeys the laws that solvers, masks and files rely on.

    They are: results have the shapes and the dtype of the factors, and no factor is written to; the
    model is affine in each factor, and `adjoint` is the transposed derivative; the matrices of a
    `Bilinear` structure make its model; parts of a partition sum to `forward`, in excerpts too;
    templates and activations list all components; scale carriers carry the scale; multiplicative
    updates never raise the objective; and a registered structure is equal after saving and loading.

    Parameters
    ----------
    structure : Structure
        Structure to check.
    shapes : sequence of tuple of int
        Shapes of factors that fit each other, of a few entries along each axis.
    rng : int, np.random.Generator or None
        Seed or generator of the factors.

    Raises
    ------
    ParameterError
        A law is violated; the message names the method and the size of the violation.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> na.check_structure(na.structures.Convolutive(), [(4, 9, 3), (3, 20)])
    >>> class Wrong(na.structures.Product):
    ...     def adjoint(self, i, G, factors):
    ...         return 2 * super().adjoint(i, G, factors)
    >>> na.check_structure(Wrong(), [(9, 3), (3, 20)])
    Traceback (most recent call last):
        ...
    nmfaudio.ParameterError: Wrong.adjoint is not the transposed derivative of factor 0: \
<D, adjoint(G)> is 2 × <change of forward, G>
    """
    if not isinstance(structure, Structure):
        raise ParameterError(f"structure is {structure!r}; it must be an instance of Structure")
    if not shapes or not all(isinstance(shape, tuple | list) for shape in shapes):
        raise ParameterError(
            f"shapes is {shown(shapes)}; it must be the shapes of small factors, e.g. "
            "[(9, 3), (3, 12)]"
        )
    rng = generator(rng)
    for law in (*LAWS, descent, saved):
        # Zeros, as in supports, but none in the first entries, so that nothing vanishes.
        X = [rng.random(shape) + 0.1 for shape in shapes]
        law(structure, [F * (rng.random(F.shape) < 0.9) for F in X], rng)


def shapes_and_dtypes(structure: Structure, X: list[np.ndarray], rng: np.random.Generator) -> None:
    """Results have the shapes and the dtype of the factors, which stay as they are."""
    require_axes(structure, X)
    for dtype in (np.float32, np.float64):
        F = [f.astype(dtype) for f in X]
        kept = [f.copy() for f in F]
        shape = structure.shape(F)
        forward, adjoint = method_of(structure, "forward"), method_of(structure, "adjoint")
        Y = as_array(structure.forward(F), forward, shape, F[0].dtype)
        require_non_negative(Y, forward)
        for order in ("C", "F"):
            G = np.asarray(rng.random(shape), dtype, order=order)
            for i, f in enumerate(F):
                back = as_array(structure.adjoint(i, G, F), adjoint, f.shape, f.dtype)
                require_non_negative(back, f"{adjoint} of a G ≥ 0")
        same = all(np.array_equal(a, b) for a, b in zip(F, kept, strict=True))
        require(same, type(structure).__name__, "wrote into its factors; copy them first")


def affinity(structure: Structure, X: list[np.ndarray], rng: np.random.Generator) -> None:
    """The model is affine in each factor."""
    label = method_of(structure, "forward")
    Y = structure.forward(X)
    for i, F in enumerate(X):
        first, second = rng.random(F.shape), rng.random(F.shape)
        a, b, both = (
            structure.forward([*X[:i], F + D, *X[i + 1 :]]) for D in (first, second, first + second)
        )
        require_close(
            both - a, b - Y, label, f"is not affine in factor {i}", size=np.abs(both).max()
        )


def transposition(structure: Structure, X: list[np.ndarray], rng: np.random.Generator) -> None:
    """The adjoint is the transposed derivative of the model."""
    Y = structure.forward(X)
    G = rng.standard_normal(Y.shape)
    for i, F in enumerate(X):
        D = rng.standard_normal(F.shape)
        change = structure.forward([*X[:i], F + D, *X[i + 1 :]]) - Y
        got, want = float((D * structure.adjoint(i, G, X)).sum()), float((change * G).sum())
        size = float((np.abs(D) * structure.adjoint(i, np.abs(G), X)).sum())
        require(
            abs(got - want) <= 1e-9 * (1 + size),
            method_of(structure, "adjoint"),
            f"is not the transposed derivative of factor {i}: <D, adjoint(G)> is "
            f"{got / want if want else np.inf:.6g} × <change of forward, G>",
        )


def bilinearity(structure: Structure, X: list[np.ndarray], rng: np.random.Generator) -> None:
    """The matrices of a bilinear structure make its model, and solvers may use them instead."""
    if not has_bilinear_model(structure):
        return
    W, H = structure.left(X), structure.right(X)
    want = structure.forward(X)
    size, name = np.abs(want).max(), type(structure).__name__
    label, law = f"{name}.forward", "is not the product of left and right"
    got = (Product() if W.ndim == 2 else Convolutive()).forward([W, H])
    require_close(got.T.reshape(want.T.shape).T, want, label, law, size=size)
    n_left = structure.n_left(len(X))
    for i, F in enumerate(X):
        D = [*X[:i], rng.random(F.shape), *X[i + 1 :]]
        side, adjoint = (
            (structure.left, structure.left_adjoint)
            if i < n_left
            else (structure.right, structure.right_adjoint)
        )
        change = side([*X[:i], F + D[i], *X[i + 1 :]]) - side(X)
        G = rng.random(change.shape)
        back = as_array(adjoint(i, G, X), method_of(structure, adjoint.__name__), F.shape, F.dtype)
        total, expected = float((D[i] * back).sum()), float((change * G).sum())
        require(
            abs(total - expected) <= 1e-9 * (1 + abs(expected)),
            method_of(structure, adjoint.__name__),
            f"is not the transposed derivative of {side.__name__} for factor {i}",
        )


def partition(structure: Structure, X: list[np.ndarray], rng: np.random.Generator) -> None:
    """Parts of a partition of the components sum to the model."""
    owner = rng.integers(3, size=structure.n_components(X))
    parts = sum(structure.part(X, np.flatnonzero(owner == s).tolist()) for s in range(3))
    label = method_of(structure, "part")
    require_close(parts, structure.forward(X), label, "of a partition does not sum to forward")


def excerpts(structure: Structure, X: list[np.ndarray], rng: np.random.Generator) -> None:
    """Frames of a part are those of the part of all frames."""
    time = structure.shape(X)[-1]
    start = int(rng.integers(time))
    frames = slice(start, int(rng.integers(start + 1, time + 1)))
    for components in (range(structure.n_components(X)), [0]):
        try:
            got = structure.part(X, list(components), frames)
        except (ValueError, IndexError) as error:
            raise ParameterError(
                f"{method_of(structure, 'excerpt')} does not fit forward, which raises: {error}; "
                "cut the time axis of every factor that has one"
            ) from error
        whole = structure.part(X, list(components))
        label = method_of(structure, "part")
        law = f"of frames {frames.start} to {frames.stop} is not that of all frames"
        require_close(got, whole[..., frames], label, law, size=np.abs(whole).max())


def listings(structure: Structure, X: list[np.ndarray], rng: np.random.Generator) -> None:
    """Templates and activations list all components, and activations all frames."""
    count, shape = structure.n_components(X), structure.shape(X)
    for i, axis in enumerate(structure.component_axes(len(X))):
        law = f"is {count}, but factor {i} of shape {X[i].shape} has its components on axis {axis}"
        holds = axis is None or X[i].shape[axis] == count
        require(holds, method_of(structure, "n_components"), law)
    W, H = structure.templates(X), structure.activations(X)
    for name, got, want in (
        ("templates", W.shape[-1:], (count,)),
        ("activations", H.shape[-2:], (count, shape[-1])),
    ):
        law = f"ends in {got}, for {count} components and {shape[-1]} frames; it must be {want}"
        require(got == want, method_of(structure, name), law)


def scaling(structure: Structure, X: list[np.ndarray], rng: np.random.Generator) -> None:
    """Multiplying each scale carrier multiplies the model."""
    carriers = structure.scale_carriers(len(X))
    scaled = [4 * F if i in carriers else F for i, F in enumerate(X)]
    label = method_of(structure, "scale_carriers")
    law = f"{carriers} do not carry the scale of the model"
    require_close(structure.forward(scaled), 4 * structure.forward(X), label, law, rtol=1e-14)


def descent(structure: Structure, X: list[np.ndarray], rng: np.random.Generator) -> None:
    """Multiplicative updates never raise the objective."""
    for dtype in TOLERANCE:
        V = (rng.random(structure.shape(X)) + 0.01).astype(dtype)
        factors = [Factor(F + 1e-3) for F in X]
        require_descent(V, factors, type(structure).__name__, structure=structure)


def saved(structure: Structure, X: list[np.ndarray], rng: np.random.Generator) -> None:
    """A registered structure is equal after saving and loading."""
    if type(structure) not in STRUCTURES.values():
        return
    d = decompose(
        rng.random(structure.shape(X)), [Factor(F) for F in X], structure=structure, max_iter=0
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "decomposition.npz")
        d.save(path)
        again = Decomposition.load(path)
    require(again.structure == structure, type(structure).__name__, "differs after loading")
    require_close(
        again.model(), d.model(), type(structure).__name__, "has another model after loading"
    )


LAWS: tuple[Law, ...] = (
    shapes_and_dtypes,
    affinity,
    transposition,
    listings,
    partition,
    excerpts,
    scaling,
    bilinearity,
)
"""Laws for factors of any sizes, zeros included."""
