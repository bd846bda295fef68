"""Deep NMF: a product of several layers of templates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from nmfaudio._common.equality import EqualByContent
from nmfaudio._common.figures import draw
from nmfaudio._common.validation import as_count
from nmfaudio.errors import ParameterError, ShapeError
from nmfaudio.factorisation.checks import as_spectrogram
from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.factorisation.divergences import Divergence, divergence_named
from nmfaudio.factorisation.engine import Callback, decompose, generator, nmf
from nmfaudio.factorisation.factors import Factor
from nmfaudio.factorisation.recipes.warm_start import solver_without_zeros
from nmfaudio.factorisation.structures import Product


@dataclass(frozen=True, eq=False)
class DeepDecomposition(EqualByContent):
    """Layers of a deep NMF, ``V ≈ W₁ W₂ … W_L H``.

    Parameters
    ----------
    joint : Decomposition
        All factors after joint training. The columns of every W sum to 1, so H has the scale of V.
        The first loss is the objective after layer-wise training.
    layerwise : tuple of Decomposition
        Layers after layer-wise training: the first a decomposition of V, each other one of the
        activations of the layer before it.
    layer_losses : np.ndarray [shape=(2, layer)]
        Divergence of the factors from each layer on from the input of that layer, before and after
        joint training: ``D(H_{l−1} | W_l … W_L H)`` with H_{l−1} of `layerwise`. For the first
        layer it is the objective.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> V = np.random.default_rng(0).random((12, 50))
    >>> deep = na.recipes.deep_nmf(V, [4, 2], rng=0)
    >>> [W.shape for W in deep.joint.factors], deep.layer_losses.shape
    ([(12, 4), (4, 2), (2, 50)], (2, 2))
    """

    joint: Decomposition
    layerwise: tuple[Decomposition, ...]
    layer_losses: np.ndarray

    def layer(self, number: int) -> Decomposition:
        """Return the model of one layer: templates ``W₁ … W_l`` and their activations.

        Parameters
        ----------
        number : int
            From 1, the layer of most components, to the number of layers.

        Returns
        -------
        Decomposition
            Plain NMF of two factors, with the losses of `joint`.

        Raises
        ------
        ParameterError
            There is no layer of this number.
        """
        number = as_count(number, "layer", low=1, high=len(self.layerwise))
        factors, product = self.joint.factors, Product()
        sides = (factors[:number], factors[number:])
        W_and_H = tuple(side[0] if len(side) == 1 else product.forward(side) for side in sides)
        return replace(self.joint, factors=tuple(np.ascontiguousarray(F) for F in W_and_H))

    def plot(self, **options: Any) -> Any:
        """Draw the layers as a tree.

        Parameters
        ----------
        **options
            Further arguments of `nmfaudio.display.plot_layers`.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        MissingExtraError
            matplotlib is not installed.
        """
        return draw("plot_layers", self, **options)


def deep_nmf(
    V: Any,
    n_components: Sequence[int],
    *,
    beta_loss: str | float | Divergence = "kl",
    init: str = "random",
    weights: Any = None,
    missing: str | None = None,
    max_iter: int = 200,
    tol: float = 1e-4,
    check_every: int = 10,
    callback: Callback | None = None,
    rng: int | np.random.Generator | None = None,
) -> DeepDecomposition:
    r"""Factorise V into a product of several layers, ``V ≈ W₁ W₂ … W_L H``.

    From one layer to the next, components that are active together are merged, such as notes into
    chords. The rank of the model is that of the last layer; the layers before it describe how its
    templates are composed. A joint iteration takes about as long as one of plain NMF of that rank.

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]
        Non-negative magnitudes or powers.
    n_components : sequence of int
        Number of components of each layer, at least two, decreasing, e.g. ``[40, 20, 8]``.
    beta_loss : str, float or Divergence
        As in `nmf`, for each layer and jointly.
    init : "random", "nndsvdar" or "spa"
        Initialisation of each layer, as in `nmf`.
    weights : np.ndarray, optional
        Weights of the bins of V, as in `decompose`, for the first layer and jointly.
    missing : "nan" or None
        As in `decompose`.
    max_iter : int
        Largest number of iterations, for each layer and jointly.
    tol : float
        As in `decompose`, for each layer and jointly.
    check_every : int
        Iterations between checks.
    callback : callable, optional
        As in `decompose`; returning True stops the current layer only.
    rng : int, np.random.Generator or None
        Random generator or seed.

    Returns
    -------
    DeepDecomposition
        Jointly trained factors, and the layers before joint training.

    Raises
    ------
    ParameterError, ShapeError, ContentError
        An argument is invalid.

    Notes
    -----
    Layer-wise training decomposes V and then, in turn, the activations of the layer before, with
    :math:`H_0 = V`,

    .. math::
        \min_{W_l, H_l \ge 0} \; D_\beta(H_{l-1} \mid W_l H_l), \qquad l = 1, \ldots, L.

    From there, joint training minimises by multiplicative updates

    .. math::
        \min_{W_1, \ldots, W_L, H \ge 0} \; D_\beta(V \mid W_1 W_2 \cdots W_L H).

    References
    ----------
    V. Leplat, L. T. K. Hien, A. Onwunta and N. Gillis, "Deep nonnegative matrix factorization with
    beta divergences", Neural Computation 36(11), 2024, doi:10.1162/neco_a_01679,
    arXiv:2309.08249. (Their objective is a sum over layers with separate activations; here it
    is that of a single product.)

    G. Trigeorgis, K. Bousmalis, S. Zafeiriou and B. W. Schuller, "A deep matrix factorization
    method for learning attribute representations", IEEE TPAMI 39(3), 2017,
    doi:10.1109/TPAMI.2016.2554555.

    Examples
    --------
    Two chords of two notes each:

    >>> import numpy as np, nmfaudio as na
    >>> rng = np.random.default_rng(0)
    >>> notes, chords = np.repeat(np.eye(4), 3, axis=0), np.repeat(np.eye(2), 2, axis=0)
    >>> deep = na.recipes.deep_nmf(notes @ chords @ rng.random((2, 50)), [4, 2], rng=0)
    >>> deep.layer(1).W.shape, deep.layer(2).W.shape
    ((12, 4), (12, 2))
    >>> bool(deep.joint.losses[-1] <= deep.joint.losses[0])
    True
    """
    counts = _counts(n_components)
    data, weights = as_spectrogram(V, weights=weights, missing=missing)
    if data.ndim != 2:
        raise ShapeError(f"V has shape {data.shape}; deep_nmf needs (freq, time)")
    divergence = divergence_named(beta_loss)
    schedule: dict[str, Any] = {
        "max_iter": max_iter,
        "tol": tol,
        "check_every": check_every,
        "callback": callback,
    }
    layers = _layer_by_layer(data, counts, divergence, init, weights, generator(rng), schedule)
    starts = [*(layer.W for layer in layers), layers[-1].H]
    joint = decompose(
        data, _free_factors(starts), divergence=divergence, weights=weights, **schedule
    )
    joint = replace(joint, factors=_summing_to_one(joint.factors))
    losses = [
        [_loss(layer.H, X[number:], divergence) for number, layer in enumerate(layers[:-1], 1)]
        for X in (starts, joint.factors)
    ]
    return DeepDecomposition(
        joint, tuple(layers), np.column_stack([joint.losses[[0, -1]], np.array(losses)])
    )


def _layer_by_layer(
    V: np.ndarray,
    ranks: Sequence[int],
    divergence: Divergence,
    init: str,
    weights: np.ndarray | None,
    rng: np.random.Generator,
    schedule: dict[str, Any],
) -> list[Decomposition]:
    """Decompose V, then the activations of each layer in turn."""
    layers: list[Decomposition] = []
    for rank in ranks:
        fitted = nmf(
            layers[-1].H if layers else V,
            rank,
            beta_loss=divergence,
            solver=solver_without_zeros(divergence),
            init=init,
            weights=None if layers else weights,
            rng=rng,
            **schedule,
        )
        layers.append(replace(fitted, factors=_summing_to_one(fitted.factors)))
    return layers


def _free_factors(X: Sequence[np.ndarray]) -> list[Factor]:
    """Free factors without penalties."""
    return [Factor(F) for F in X]


def _loss(V: np.ndarray, X: Sequence[np.ndarray], divergence: Divergence) -> float:
    """Divergence of the product of X from V."""
    return float(decompose(V, _free_factors(X), divergence=divergence, max_iter=0).losses[0])


def _counts(n_components: Sequence[int]) -> list[int]:
    """Validated numbers of components of the layers."""
    layers = n_components if np.iterable(n_components) else [n_components]
    counts = [as_count(count, "each of n_components", low=1) for count in layers]
    if len(counts) < 2 or any(after >= before for before, after in pairwise(counts)):
        raise ParameterError(
            f"n_components is {counts}; it must be at least two decreasing numbers, e.g. "
            "[40, 20, 8]"
        )
    return counts


def _summing_to_one(factors: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
    """Normalise columns to a sum of 1 and multiply the rows of the next factor by their sums.

    The activations of a layer then have the scale of its components, and so weigh them by energy in
    the next layer.
    """
    out = list(factors)
    for i in range(len(out) - 1):
        sums = out[i].sum(0)
        out[i] = np.divide(out[i], sums, out=out[i].copy(), where=sums > 0)
        out[i + 1] = out[i + 1] * sums[:, None]
    return tuple(out)
