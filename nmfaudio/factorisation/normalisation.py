"""How loud each component is said to be where, and in which order components stand.

The model does not change when a template is divided by a number and its activation multiplied by
it, nor when components trade places. `normalise` and `sort_components` choose among such equals.

What does change the result is the scale of the data: the β-divergence of s·V is s^β times that of
V, so Kullback–Leibler grows in proportion, squared Euclidean with the square, and Itakura–Saito
not at all, which is why it hears quiet frames as well as loud ones. Without penalties the best
model of s·V is s times that of V under each of them. A penalty does not grow along: a `weight` that
suits V is to be multiplied by ``s^β / s^d`` for s·V, where d is 1 for `L1` and 2 for `L2` and
`Smooth`. `normalise` comes after the fact. Where penalties shall mean templates of norm 1 while
the model is found, give their factor a norm with ``Factor(unit=…)``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from nmfaudio.errors import ParameterError
from nmfaudio.factorisation.decomposition import Decomposition

NORMS = ("l1", "l2", "max")
ORDERS = ("energy", "centroid", "onset")
BEGUN = 0.5  # of a component's largest activation


def normalise(
    decomposition: Decomposition,
    *,
    norm: Literal["l1", "l2", "max"] = "l1",
    templates: bool = True,
) -> Decomposition:
    """Give each template norm 1 and its loudness to the activations, the model unchanged.

    Parameters
    ----------
    decomposition : Decomposition
        Of any structure. Its losses stay those of the run: where factors had penalties, they are
        not those of the factors returned.
    norm : "l1", "l2" or "max"
        The sum, the root of the sum of squares, or the largest of the entries. With "l1" an
        activation is the loudness of its component in each frame.
    templates : bool
        False gives each activation norm 1 and its loudness to the templates.

    Returns
    -------
    Decomposition
        Components that are silent stay what they are.

    Raises
    ------
    ParameterError
        `norm` is unknown, or the structure has no templates of its own to scale.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> d = na.nmf(np.random.default_rng(0).random((20, 30)), 3, rng=0)
    >>> louder = na.factorisation.normalise(d)
    >>> bool(np.allclose(louder.W.sum(0), 1)), bool(np.allclose(louder.model(), d.model()))
    (True, True)
    """
    if norm not in NORMS:
        raise ParameterError(f"norm is {norm!r}; it must be one of {', '.join(map(repr, NORMS))}")
    factors = list(decomposition.factors)
    axes = _axes(decomposition)
    W = decomposition.structure.templates(factors)
    place = next((i for i, F in enumerate(factors) if F is W), -2)
    given, taken = (place, -1) if templates else (-1, place)
    F, axis = (W, -1) if templates else (factors[-1], axes[-1])
    norms = _norms(np.moveaxis(F, axis or 0, 0), norm)
    factors[given] = _times(factors[given], axes[given], 1 / norms)
    factors[taken] = _times(factors[taken], axes[taken], norms)
    return replace(decomposition, factors=tuple(factors))


def sort_components(
    decomposition: Decomposition, *, by: Literal["energy", "centroid", "onset"] = "energy"
) -> Decomposition:
    """Put the components in an order that means something, the model unchanged.

    Parameters
    ----------
    decomposition : Decomposition
        Of any structure.
    by : "energy", "centroid" or "onset"
        The loudest first (by the sum of what each contributes), the lowest first (by the mean
        frequency of its template), or the earliest first (by the frame in which its activation
        first reaches half of its largest).

    Returns
    -------
    Decomposition
        Equals keep their order.

    Raises
    ------
    ParameterError
        `by` is unknown, or the components are not all of one kind.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> d = na.nmf(np.eye(4) + 0.01, 4, rng=0, max_iter=500)
    >>> np.argmax(na.factorisation.sort_components(d, by="centroid").W, axis=0).tolist()
    [0, 1, 2, 3]
    """
    _axes(decomposition)
    structure, factors = decomposition.structure, decomposition.factors
    order = np.argsort(_keys(decomposition, by), kind="stable")
    moved = (np.ascontiguousarray(F) for F in structure.select(factors, order.tolist()))
    return replace(decomposition, factors=tuple(moved))


def _axes(decomposition: Decomposition) -> tuple[int | None, ...]:
    """Where the factors list components; `ParameterError` where the last two do not list all."""
    factors = decomposition.factors
    axes = decomposition.structure.component_axes(len(factors))
    held = [0 if axis is None else F.shape[axis] for F, axis in zip(factors, axes, strict=True)]
    if held[-2:] != [decomposition.n_components] * 2:
        raise ParameterError(
            f"the components of {decomposition.structure} have no templates and activations of one "
            "kind to scale or sort; do so with its factors yourself"
        )
    return axes


def _keys(decomposition: Decomposition, by: str) -> np.ndarray:
    """What the components are sorted by, rising [shape=(component,)]."""
    if by == "energy":
        each = (decomposition.component(k) for k in range(decomposition.n_components))
        return np.array([-part.sum(dtype=np.float64) for part in each])
    if by == "centroid":
        W = decomposition.W.astype(np.float64)
        spectra = W.reshape(-1, *W.shape[-2:]).sum(0)
        total = spectra.sum(0)
        mean = np.arange(len(spectra)) @ spectra / np.where(total > 0, total, 1)
        return np.where(total > 0, mean, np.inf)
    if by == "onset":
        H = decomposition.H.reshape(-1, *decomposition.H.shape[-2:]).sum(0)
        loudest = H.max(1, keepdims=True)
        begun = np.argmax(H >= BEGUN * loudest, axis=1)
        return np.asarray(np.where(loudest[:, 0] > 0, begun, H.shape[1]))
    raise ParameterError(f"by is {by!r}; it must be one of {', '.join(map(repr, ORDERS))}")


def _norms(rows: np.ndarray, norm: str) -> np.ndarray:
    """Per component (first axis) the norm, 1 where it is 0."""
    flat = rows.reshape(len(rows), -1).astype(np.float64)
    if norm == "l1":
        norms = flat.sum(1)
    else:
        norms = flat.max(1) if norm == "max" else np.sqrt(np.square(flat).sum(1))
    return np.where(norms > 0, norms, 1.0)


def _times(F: np.ndarray, axis: int | None, gains: np.ndarray) -> np.ndarray:
    """F with each component multiplied by its gain, in its own precision."""
    shape = [1] * F.ndim
    shape[axis or 0] = -1
    scaled: np.ndarray = (F * gains.reshape(shape)).astype(F.dtype)
    return scaled
