"""Scale and order of components, which leave the model unchanged.

The model does not change if a template is divided by a number and its activation multiplied by it,
nor if components are permuted. `normalise` and `sort_components` select one of these equivalent
decompositions.

The scale of the data, in contrast, matters as soon as there are penalties. The β-divergence of s·V
from s·Y is s^β times that of V from Y, for any factors, so without penalties the best model of
s·V is s times that of V. A penalty of degree d in the activations (1 for `L1`, 2 for `L2` and
`Smooth`) scales as s^d: keep its relative weight by multiplying it by ``s^(β − d)``.

`normalise` is applied to a finished decomposition. For penalties that apply to templates of norm 1
during the iteration, use ``Factor(unit=…)``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from nmfaudio.errors import ParameterError
from nmfaudio.factorisation.decomposition import Decomposition, require_decomposition

NORMS = ("l1", "l2", "max")
ORDERS = ("energy", "centroid", "onset")
ONSET_LEVEL = 0.5  # relative to the largest activation of the component


def normalise(
    decomposition: Decomposition,
    *,
    norm: Literal["l1", "l2", "max"] = "l1",
    templates: bool = True,
) -> Decomposition:
    """Scale each template to norm 1, and its activation inversely.

    Parameters
    ----------
    decomposition : Decomposition
        Decomposition of any structure. Its losses are kept; under penalties they are not those of
        the scaled factors.
    norm : "l1", "l2" or "max"
        Sum, root of the sum of squares, or maximum of the entries. With "l1" an activation is the
        sum of its component over frequency in each frame.
    templates : bool
        False scales each activation to norm 1, and its template inversely.

    Returns
    -------
    Decomposition
        The same model. Components that are zero are unchanged.

    Raises
    ------
    ParameterError
        `norm` is unknown, or the structure has no templates to scale.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> d = na.nmf(np.random.default_rng(0).random((20, 30)), 3, rng=0)
    >>> scaled = na.factorisation.normalise(d)
    >>> bool(np.allclose(scaled.W.sum(0), 1)), bool(np.allclose(scaled.model(), d.model()))
    (True, True)
    """
    if norm not in NORMS:
        raise ParameterError(f"norm is {norm!r}; it must be one of {', '.join(map(repr, NORMS))}")
    axes = _axes(decomposition)
    factors = list(decomposition.factors)
    W = decomposition.structure.templates(factors)
    # If W is computed from several factors, the last but one carries its scale.
    place = next((i for i, F in enumerate(factors) if F is W), -2)
    normed, scaled = (place, -1) if templates else (-1, place)
    F, axis = (W, -1) if templates else (factors[-1], axes[-1])
    norms = _norms(np.moveaxis(F, axis or 0, 0), norm)
    factors[normed] = _times(factors[normed], axes[normed], 1 / norms)
    factors[scaled] = _times(factors[scaled], axes[scaled], norms)
    return replace(decomposition, factors=tuple(factors))


def sort_components(
    decomposition: Decomposition, *, by: Literal["energy", "centroid", "onset"] = "energy"
) -> Decomposition:
    """Sort the components by energy, spectral centroid or onset.

    Parameters
    ----------
    decomposition : Decomposition
        Decomposition of any structure.
    by : "energy", "centroid" or "onset"
        By decreasing sum of the contribution of each component, by increasing mean frequency of its
        template, or by the first frame in which its activation reaches half of its maximum.

    Returns
    -------
    Decomposition
        The same model. Components with equal keys keep their order.

    Raises
    ------
    ParameterError
        `by` is unknown, or the last two factors do not have all components.

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
    """Component axis of each factor; `ParameterError` if the last two lack components."""
    require_decomposition(decomposition)
    factors = decomposition.factors
    axes = decomposition.structure.component_axes(len(factors))
    counts = [0 if axis is None else F.shape[axis] for F, axis in zip(factors, axes, strict=True)]
    if counts[-2:] != [decomposition.n_components] * 2:
        raise ParameterError(
            f"the components of {decomposition.structure} are not all of one kind, with a template "
            "and an activation each; scale or sort its factors directly"
        )
    return axes


def _keys(decomposition: Decomposition, by: str) -> np.ndarray:
    """Sort keys, ascending [shape=(component,)]."""
    if by == "energy":
        each = (decomposition.component(k) for k in range(decomposition.n_components))
        return np.array([-part.sum(dtype=np.float64) for part in each])
    if by == "centroid":
        W = decomposition.W.astype(np.float64)
        spectra = W.reshape(-1, *W.shape[-2:]).sum(0)
        total = spectra.sum(0)
        # Centroid in bins; silent components come last.
        mean = np.arange(len(spectra)) @ spectra / np.where(total > 0, total, 1)
        return np.where(total > 0, mean, np.inf)
    if by == "onset":
        H = decomposition.H.reshape(-1, *decomposition.H.shape[-2:]).sum(0)
        peaks = H.max(1, keepdims=True)
        onsets = np.argmax(H >= ONSET_LEVEL * peaks, axis=1)
        return np.asarray(np.where(peaks[:, 0] > 0, onsets, H.shape[1]))
    raise ParameterError(f"by is {by!r}; it must be one of {', '.join(map(repr, ORDERS))}")


def _norms(rows: np.ndarray, norm: str) -> np.ndarray:
    """Norm of each component (first axis), 1 where it is 0."""
    flat = rows.reshape(len(rows), -1).astype(np.float64)
    if norm == "l1":
        norms = flat.sum(1)
    else:
        norms = flat.max(1) if norm == "max" else np.sqrt(np.square(flat).sum(1))
    return np.where(norms > 0, norms, 1.0)


def _times(F: np.ndarray, axis: int | None, gains: np.ndarray) -> np.ndarray:
    """F with each component multiplied by its gain, in the dtype of F."""
    shape = [1] * F.ndim
    shape[axis or 0] = -1
    scaled: np.ndarray = (F * gains.reshape(shape)).astype(F.dtype)
    return scaled
