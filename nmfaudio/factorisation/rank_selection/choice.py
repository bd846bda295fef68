"""Where a rank is asked for: `select_rank`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from nmfaudio._common.validation import as_count, as_number
from nmfaudio.errors import ParameterError, ShapeError
from nmfaudio.factorisation.checks import as_spectrogram
from nmfaudio.factorisation.divergences import divergence_named
from nmfaudio.factorisation.engine import generator
from nmfaudio.factorisation.initialisation import power_of_two, weighted_mean
from nmfaudio.factorisation.rank_selection.ard import Relevance
from nmfaudio.factorisation.rank_selection.base import Callback, Method, Search, Stopped
from nmfaudio.factorisation.rank_selection.crossval import CrossValidation
from nmfaudio.factorisation.rank_selection.error import ErrorCurve
from nmfaudio.factorisation.rank_selection.result import RankSelection
from nmfaudio.factorisation.rank_selection.stability import Stability

METHODS = ("cv", "ard", "error", "stability")


def select_rank(
    V: Any,
    ranks: Iterable[int],
    *,
    method: str = "cv",
    beta_loss: str | float = "kl",
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
    """Choose how many components a plain NMF of V should have.

    - "cv", cross-validation: the rank that best predicts bins which the fit did not see. The most
      to be trusted, at the price of `folds` fits per rank.
    - "ard", automatic relevance determination: one long fit from the largest rank, in which the
      components that are not needed fade away (see `ARD`). Exact where V is a product plus noise;
      real sounds vary in more ways than that, and it may keep all that it is given.
    - "error": where the curve of the error bends. Cheap; bends at something even where nothing is.
    - "stability": the largest rank at which random starts still agree on which frames belong
      together.

    Whether a component is one that ears would name is a question none of them asks.

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]
        As in `nmf`; in a masked array the masked bins have weight 0.
    ranks : iterable of int
        Those to compare, such as ``range(1, 11)``. "ard" starts the largest.
    method : "cv", "ard", "error" or "stability"
    beta_loss : "kl", "is", "frobenius" or float
        As in `nmf`. It says what kind of noise V has, and so decides what is noise: variance
        around the model that grows with it under KL, with its square under IS, not at all under
        Frobenius.
    weights : np.ndarray, optional
        As in `nmf`.
    folds : int
        For "cv": how many parts V is cut into, each left out once.
    block : (int, int)
        For "cv": bins are left out in blocks of so many bins and frames. Neighbours in a
        spectrogram tell each other what they are, since windows overlap: leave out stretches
        longer than a window there, such as ``(1, 8)`` where it is four frames long. Blocks of many
        bins may hide all that is heard of a low sound, and then count against every component.
    dispersion : float, optional
        For "ard": how noisy V is, the variance around the model Y being ``dispersion · Y^(2 − β)``;
        1 for counts under KL. By default estimated from a fit of the largest rank.
    n_init : int, optional
        Starts per fit; by default 1, for "error" 3 and for "stability", which compares them, 20.
    max_iter, tol : optional
        As in `nmf`; by default what each method needs.
    callback : callable, optional
        Gets a `Progress` after each fit, which counts fits as iterations; returning True stops, and
        ranks that were not reached are left out of the choice.
    rng : int, np.random.Generator or None
        Where randomness comes from. The same seed gives the same bytes with any number of threads.

    Returns
    -------
    RankSelection

    Raises
    ------
    ParameterError, ShapeError, ContentError
        An argument cannot work, or a callback stopped before any rank had a score.

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
    V, said = as_spectrogram(V, weights=weights)
    if V.ndim != 2:
        raise ShapeError(f"V has shape {V.shape}; select_rank takes (freq, time)")
    divergence = divergence_named(beta_loss)
    scale = power_of_two(weighted_mean(V, said))
    search = Search(
        divergence.prepare(V / V.dtype.type(scale), said),
        said,
        scale,
        _ranks(ranks),
        divergence,
        as_count(chosen.n_init if n_init is None else n_init, "n_init", low=chosen.least_init),
        as_count(chosen.max_iter if max_iter is None else max_iter, "max_iter", low=1),
        as_number(chosen.tol if tol is None else tol, "tol", low=0),
        generator(rng),
        callback,
    )
    try:
        chosen.fill(search)
    except Stopped:
        if not search.scores:
            raise ParameterError(
                "the callback stopped before any rank had a score; let it go on for longer"
            ) from None
    best = chosen.choose(search.scores)
    scores = {rank: search.scores.get(rank, float("nan")) for rank in search.ranks}
    return RankSelection(best, scores, chosen.meaning, method)


def _method(method: str, folds: int, block: tuple[int, int], dispersion: float | None) -> Method:
    if method == "cv":
        if not np.iterable(block) or len(block) != 2:
            raise ParameterError(f"block is {block!r}; it must be (bins, frames)")
        tall, wide = (as_count(n, "block", low=1) for n in block)
        return CrossValidation(as_count(folds, "folds", low=2), (tall, wide))
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
    if not np.iterable(ranks):
        raise ParameterError(f"ranks is {ranks!r}; give those to compare, such as range(1, 11)")
    found = tuple(sorted({as_count(rank, "each of ranks", low=1) for rank in ranks}))
    if not found:
        raise ParameterError("ranks is empty; give those to compare, such as range(1, 11)")
    return found
