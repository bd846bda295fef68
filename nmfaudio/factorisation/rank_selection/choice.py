"""Selection of the number of components by any method."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from nmfaudio._common.validation import as_count, as_number
from nmfaudio.errors import ParameterError, ShapeError
from nmfaudio.factorisation.checks import as_spectrogram
from nmfaudio.factorisation.divergences import Divergence, divergence_named
from nmfaudio.factorisation.engine import generator
from nmfaudio.factorisation.initialisation import power_of_two, weighted_mean
from nmfaudio.factorisation.rank_selection.ard import Relevance
from nmfaudio.factorisation.rank_selection.base import Callback, Method, Search, Stopped
from nmfaudio.factorisation.rank_selection.crossval import CrossValidation
from nmfaudio.factorisation.rank_selection.error import ErrorCurve
from nmfaudio.factorisation.rank_selection.result import RankSelection
from nmfaudio.factorisation.rank_selection.stability import Stability

METHODS = ("cv", "ard", "error", "stability")
"""Names of the methods of `select_rank`."""


def select_rank(
    V: Any,
    ranks: Iterable[int],
    *,
    method: str = "cv",
    beta_loss: str | float | Divergence = "kl",
    weights: Any = None,
    folds: int = 5,
    block: tuple[int, int] = (1, 1),
    dispersion: float | None = None,
    n_init: int | None = None,
    max_iter: int | None = None,
    tol: float | None = None,
    callback: Callback | None = None,
    rng: int | np.random.Generator | None = None,
) -> RankSelection:
    r"""Select the number of components of a plain NMF of V.

    Methods:

    - "cv", cross-validation: the rank that best predicts bins left out of the fit. The most
      reliable method; takes `folds` fits per rank.
    - "ard", automatic relevance determination: one long fit of the largest rank under a penalty
      that removes superfluous components, see `ARD`. Exact if V is a product plus noise; on
      recordings, which vary in more ways, it may keep all components.
    - "error": the elbow of the error curve. Fast, but selects a rank even if there is no elbow.
    - "stability": the largest rank at which random starts agree on the clustering of frames.

    No method measures whether components correspond to perceived sounds.

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]
        As in `nmf`; masked bins of a masked array have weight 0.
    ranks : iterable of int
        Ranks to compare, e.g. ``range(1, 11)``. "ard" fits the largest one.
    method : "cv", "ard", "error" or "stability"
        Method of selection.
    beta_loss : str, float or Divergence
        As in `nmf`. It implies a noise model, and so which variation counts as noise: the variance
        is proportional to the model under KL, to its square under IS, and constant under Frobenius.
    weights : np.ndarray, optional
        As in `nmf`.
    folds : int
        Number of folds for "cv".
    block : (int, int)
        Size in bins and frames of the blocks that "cv" leaves out. Neighbouring frames of a
        spectrogram are correlated, since windows overlap: use blocks longer than a window, e.g.
        ``(1, 8)`` for windows of four frames. Blocks of many bins can hide all partials of a low
        sound, which penalises every component.
    dispersion : float, optional
        Noise level for "ard": the variance around the model Y is ``dispersion · Y^(2 − β)``; 1 for
        counts under KL. Default: estimated from a fit of the largest rank.
    n_init : int, optional
        Starts per fit. Default: 1, 3 for "error" and 20 for "stability", which compares them.
    max_iter : int, optional
        Iterations per fit. Default: depends on the method.
    tol : float, optional
        As in `nmf`. Default: depends on the method.
    callback : callable, optional
        Called with a `Progress` after each fit, which counts fits as iterations. Returning True
        stops; ranks not reached are not considered.
    rng : int, np.random.Generator or None
        Random generator or seed. The same seed gives the same result for any number of threads.

    Returns
    -------
    RankSelection
        Selected rank and the scores of all ranks.

    Raises
    ------
    ParameterError, ShapeError, ContentError
        An argument is invalid, or the callback stopped before any rank had a score.

    Notes
    -----
    "cv" minimises the prediction error per bin, with the folds :math:`\Omega_1, \ldots` of bins and
    the factors fitted to all bins outside of each,

    .. math::
        E(K) = \frac{1}{FT} \sum_i \sum_{(f, t) \in \Omega_i}
        d_\beta\left(V_{ft} \mid (W^{(i)} H^{(i)})_{ft}\right),
        \qquad W^{(i)} \in \mathbb{R}_+^{F \times K}.

    "ard" minimises, with noise level :math:`\phi` and column sums or half sums of squares f,

    .. math::
        D_\beta(V \mid WH) + \phi \sum_k c \log\left(f(w_k) + f(h_k) + b\right).

    References
    ----------
    S. Wold, "Cross-validatory estimation of the number of components in factor and principal
    components models", Technometrics 20(4), 1978, doi:10.1080/00401706.1978.10489693.

    A. B. Owen and P. O. Perry, "Bi-cross-validation of the SVD and the nonnegative matrix
    factorization", Annals of Applied Statistics 3(2), 2009, doi:10.1214/08-AOAS227.

    V. Y. F. Tan and C. Févotte, "Automatic relevance determination in nonnegative matrix
    factorization with the β-divergence", IEEE TPAMI 35(7), 2013, doi:10.1109/TPAMI.2012.240.

    V. Satopää et al., "Finding a 'Kneedle' in a haystack", ICDCS Workshops 2011,
    doi:10.1109/ICDCSW.2011.20.

    J.-P. Brunet et al., "Metagenes and molecular pattern discovery using matrix factorization",
    PNAS 101(12), 2004, doi:10.1073/pnas.0308531101.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> rng = np.random.default_rng(0)
    >>> V = rng.poisson(rng.gamma(0.5, 20, (20, 3)) @ rng.gamma(0.5, 2, (3, 50)))
    >>> na.rank_selection.select_rank(V, range(1, 7), method="ard", rng=0).best
    3
    """
    chosen = _method(method, folds, block, dispersion)
    V, weights = as_spectrogram(V, weights=weights)
    if V.ndim != 2:
        raise ShapeError(f"V has shape {V.shape}; select_rank needs (freq, time)")
    divergence = divergence_named(beta_loss)
    # Without a degree of homogeneity, the divergence means the data as they are.
    scale = 1.0 if divergence.degree is None else power_of_two(weighted_mean(V, weights))
    search = Search(
        divergence.prepare(V / V.dtype.type(scale), weights),
        weights,
        scale,
        _ranks(ranks),
        divergence,
        as_count(chosen.n_init if n_init is None else n_init, "n_init", low=chosen.min_init),
        as_count(chosen.max_iter if max_iter is None else max_iter, "max_iter", low=1),
        as_number(chosen.tol if tol is None else tol, "tol", low=0),
        generator(rng),
        callback,
    )
    try:
        chosen.score_ranks(search)
    except Stopped:
        if not search.scores:
            raise ParameterError(
                "the callback stopped before any rank had a score; let it run longer"
            ) from None
    best = chosen.choose(search.scores)
    scores = {rank: search.scores.get(rank, float("nan")) for rank in search.ranks}
    return RankSelection(best, scores, chosen.meaning, method)


def _method(method: str, folds: int, block: tuple[int, int], dispersion: float | None) -> Method:
    """Method of this name, with its validated settings."""
    if method == "cv":
        if not np.iterable(block) or len(block) != 2:
            raise ParameterError(f"block is {block!r}; it must be (bins, frames)")
        bins, frames = (as_count(n, "block", low=1) for n in block)
        return CrossValidation(as_count(folds, "folds", low=2), (bins, frames))
    if method == "ard":
        if dispersion is not None:
            as_number(dispersion, "dispersion", above=0)
        return Relevance(dispersion)
    if method == "error":
        return ErrorCurve()
    if method == "stability":
        return Stability()
    raise ParameterError(f"method is {method!r}; it must be one of {', '.join(METHODS)}")


def _ranks(ranks: Iterable[int]) -> tuple[int, ...]:
    """Distinct ranks in ascending order."""
    if not np.iterable(ranks):
        raise ParameterError(f"ranks is {ranks!r}; it must be iterable, e.g. range(1, 11)")
    distinct = tuple(sorted({as_count(rank, "each of ranks", low=1) for rank in ranks}))
    if not distinct:
        raise ParameterError("ranks is empty; give ranks to compare, e.g. range(1, 11)")
    return distinct
