"""Plain or convolutive NMF, fitted in frequency bands and then in bins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nmfaudio.audio.frequency_bands import FrequencyBands
from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.factorisation.engine import Callback, decompose
from nmfaudio.factorisation.factors import Factor, Start
from nmfaudio.factorisation.structures import Structure


def fit_in_bands(
    V: np.ndarray,
    bands: FrequencyBands,
    W: np.ndarray | Start,
    H: np.ndarray | Start,
    *,
    n_components: int,
    known: np.ndarray | None = None,
    structure: Structure,
    max_iter: int,
    tol: float,
    refit_iter: int,
    refit_H: bool,
    callback: Callback | None,
    rng: np.random.Generator,
) -> Decomposition:
    """Fit a model in frequency bands, then continue in bins.

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]
        Spectrogram, ≥ 0.
    bands : FrequencyBands
        Bands of the frequencies of V.
    W, H : np.ndarray or callable
        Initial templates in bands, and initial activations, as `Factor` takes them.
    n_components : int
        Number of components.
    known : np.ndarray [shape=(freq, component)] or None
        Templates in bins of the first components, which stay fixed.
    structure : Structure
        Structure of the model.
    max_iter, tol, callback, rng
        As in `nmfaudio.decompose`, of the fit in bands.
    refit_iter : int
        Number of iterations in bins, if any templates are unknown.
    refit_H : bool
        Whether they update the activations, too.

    Returns
    -------
    Decomposition
        The model in bins: its loss is that in bins, its iterations are those in bands.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> V = rng.random((20, 3)) @ rng.random((3, 50))
    >>> bands = FrequencyBands.proportional(20, 0.5)
    >>> W, H = rng.random((len(bands.edges), 3)), rng.random((3, 50))
    >>> from nmfaudio.factorisation.structures import Product
    >>> d = fit_in_bands(
    ...     V, bands, W, H, n_components=3, structure=Product(), max_iter=200, tol=0,
    ...     refit_iter=200, refit_H=True, callback=None, rng=rng)
    >>> bool(abs(d.model() - V).max() < 0.1)
    True
    """
    free: bool | np.ndarray = True
    if known is not None:
        unknown = np.arange(n_components) >= known.shape[-1]
        free = unknown if unknown.any() else False
    fitted = decompose(
        bands.pool(V.T, axis=-1).T,
        [Factor(W, free, name="W"), Factor(H, name="H")],
        structure=structure,
        max_iter=max_iter,
        tol=tol,
        callback=callback,
        rng=rng,
    )
    templates = bands.spread(fitted.W)
    if known is not None:
        templates[..., : known.shape[-1]] = known
    refitted = decompose(
        V,
        [Factor(templates, free, name="W"), Factor(fitted.H, refit_H, name="H")],
        structure=structure,
        max_iter=0 if free is False else refit_iter,
        tol=0,
    )
    return replace(
        refitted,
        losses=refitted.losses[-1:],
        checks=fitted.checks[-1:],
        converged=fitted.converged,
    )
