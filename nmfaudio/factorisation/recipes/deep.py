"""Deep NMF: templates of templates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from nmfaudio._common.validation import as_count
from nmfaudio.errors import ParameterError, ShapeError
from nmfaudio.factorisation.checks import as_spectrogram
from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.factorisation.divergences import Beta, divergence_named
from nmfaudio.factorisation.engine import Callback, decompose, generator, nmf
from nmfaudio.factorisation.factors import Factor
from nmfaudio.factorisation.recipes.warm_start import solver_without_zeros
from nmfaudio.factorisation.structures import Product


@dataclass(frozen=True, eq=False)
class DeepDecomposition:
    """The layers of a deep NMF, ``V ≈ W₁ W₂ … W_L H``.

    Attributes
    ----------
    joint : Decomposition
        All factors, trained together. The columns of every W sum to 1, so H has V's loudness. Its
        first loss is the total objective that training layer by layer had reached.
    layerwise : tuple of Decomposition
        What each layer by itself had found before, with its losses: the first of V, each other of
        the activations of the one before it.
    layer_losses : np.ndarray [shape=(2, layer)]
        How well the factors from each layer on explain what that layer was given, before and after
        training together: ``D(H_{l−1} | W_l … W_L H)`` with the activations H_{l−1} of `layerwise`.
        For the first layer that is the total objective.
    """

    joint: Decomposition
    layerwise: tuple[Decomposition, ...]
    layer_losses: np.ndarray

    def layer(self, number: int) -> Decomposition:
        """The model as seen by one layer: its templates ``W₁ … W_l`` and their activations.

        Parameters
        ----------
        number : int
            From 1, the finest, up to the number of layers.

        Returns
        -------
        Decomposition
            A plain one of two factors, for masks and pictures; its losses are the joint ones.
        """
        number = as_count(number, "layer", low=1, high=len(self.layerwise))
        factors, product = self.joint.factors, Product()
        gradient_parts = (factors[:number], factors[number:])
        two = tuple(f[0] if len(f) == 1 else product.forward(f) for f in gradient_parts)
        return replace(self.joint, factors=tuple(np.ascontiguousarray(F) for F in two))


def deep_nmf(
    V: Any,
    ranks: Sequence[int],
    *,
    beta_loss: str | float = "kl",
    init: str = "random",
    weights: Any = None,
    missing: str | None = None,
    max_iter: int = 200,
    tol: float = 1e-4,
    check_every: int = 10,
    callback: Callback | None = None,
    rng: int | np.random.Generator | None = None,
) -> DeepDecomposition:
    """Factor V into templates made of templates, ``V ≈ W₁ W₂ … W_L H``.

    First layer by layer, V by W₁ H₁, then H₁ by W₂ H₂ and so on; then all factors together. Going
    from one layer to the next, parts that sound together become one: notes become chords. Note that
    the total model has no more than the last rank; the layers say how it is made up. An iteration
    of all factors together takes several times as long as one of plain NMF.

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]
        Non-negative magnitudes or powers.
    ranks : sequence of int
        Components of each layer, at least two layers, fewer from each to the next, e.g.
        ``[40, 20, 8]``.
    beta_loss : "kl", "is", "frobenius" or float
        The divergence of every layer and of all together.
    init : "random", "nndsvdar" or "spa"
        How each layer starts, as in `nmf`.
    weights, missing
        As in `decompose`; they concern V, that is the first layer and all together.
    max_iter, tol, check_every, callback
        As in `decompose`, for each layer and for all together; the callback stops only that one.
    rng : int, np.random.Generator or None
        Where randomness comes from.

    Returns
    -------
    DeepDecomposition

    Raises
    ------
    ParameterError, ShapeError, ContentError
        An argument cannot work; the message names it, its value and what is allowed.

    References
    ----------
    V. Leplat, L. T. K. Hien, A. Onwunta and N. Gillis, "Deep nonnegative matrix factorization with
    beta divergences", Neural Computation 36(11), 2024, doi:10.1162/neco_a_01679,
    arXiv:2309.08249. (There the layers keep activations of their own, and their objectives are
    summed; here all is one product.)

    G. Trigeorgis, K. Bousmalis, S. Zafeiriou and B. W. Schuller, "A deep matrix factorization
    method for learning attribute representations", IEEE TPAMI 39(3), 2017,
    doi:10.1109/TPAMI.2016.2554555.

    Examples
    --------
    Which of four notes make which of two chords:

    >>> import numpy as np, nmfaudio as na
    >>> rng = np.random.default_rng(0)
    >>> notes, chords = np.repeat(np.eye(4), 3, axis=0), np.repeat(np.eye(2), 2, axis=0)
    >>> deep = na.recipes.deep_nmf(notes @ chords @ rng.random((2, 50)), [4, 2], rng=0)
    >>> deep.layer(1).W.shape, deep.layer(2).W.shape
    ((12, 4), (12, 2))
    >>> bool(deep.joint.losses[-1] <= deep.joint.losses[0])
    True
    """
    counts = _ranks(ranks)
    data, said = as_spectrogram(V, weights=weights, missing=missing)
    if data.ndim != 2:
        raise ShapeError(f"V has shape {data.shape}; deep_nmf takes (freq, time)")
    divergence = divergence_named(beta_loss)
    schedule: dict[str, Any] = {
        "max_iter": max_iter,
        "tol": tol,
        "check_every": check_every,
        "callback": callback,
    }
    layers = _layer_by_layer(data, counts, divergence, init, said, generator(rng), schedule)
    starts = [*(layer.W for layer in layers), layers[-1].H]
    joint = decompose(data, _parts(starts), divergence=divergence, weights=said, **schedule)
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
    divergence: Beta,
    init: str,
    weights: np.ndarray | None,
    rng: np.random.Generator,
    schedule: dict[str, Any],
) -> list[Decomposition]:
    """Each layer a decomposition of the activations of the one before it."""
    layers: list[Decomposition] = []
    for rank in ranks:
        found = nmf(
            layers[-1].H if layers else V,
            rank,
            beta_loss=divergence.beta,
            solver=solver_without_zeros(divergence),
            init=init,
            weights=None if layers else weights,
            rng=rng,
            **schedule,
        )
        layers.append(replace(found, factors=_summing_to_one(found.factors)))
    return layers


def _parts(X: Sequence[np.ndarray]) -> list[Factor]:
    return [Factor(F) for F in X]


def _loss(V: np.ndarray, X: Sequence[np.ndarray], divergence: Beta) -> float:
    return float(decompose(V, _parts(X), divergence=divergence, max_iter=0).losses[0])


def _ranks(ranks: Sequence[int]) -> list[int]:
    given = ranks if np.iterable(ranks) else [ranks]
    counts = [as_count(rank, "each of ranks", low=1) for rank in given]
    if len(counts) < 2 or any(after >= before for before, after in pairwise(counts)):
        raise ParameterError(
            f"ranks is {counts}; it must be two or more, each smaller than the one before, e.g. "
            "[40, 20, 8]"
        )
    return counts


def _summing_to_one(factors: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
    """The same model with columns that sum to 1, their sums moved to the factor that follows.

    A layer is then told how loud the components of the one before it are.
    """
    out = list(factors)
    for i in range(len(out) - 1):
        sums = out[i].sum(0)
        out[i] = np.divide(out[i], sums, out=out[i].copy(), where=sums > 0)
        out[i + 1] = out[i + 1] * sums[:, None]
    return tuple(out)
