"""How much of each known sound is heard when: known stretches of sound laid over a recording."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.factorisation.divergences import Beta
from nmfaudio.factorisation.engine import Callback, decompose, generator
from nmfaudio.factorisation.factors import Factor
from nmfaudio.factorisation.initialisation import RELATIVE_FLOOR
from nmfaudio.factorisation.penalties import Prior
from nmfaudio.factorisation.structures import Convolutive

# Bands have this share of their frequency as width, and one bin at least. Twice as narrow gains
# 0.1 dB on the tuning set, and takes twice as long.
_WIDTH = 1 / 50
# Iterations for spectra that may move, once it is known when they sound.
_REFINING = 30


def fit_stretches(
    V: np.ndarray,
    templates: np.ndarray,
    *,
    convolutive: bool = False,
    free: int = 0,
    adapt: float | None = None,
    beta: float = 0.5,
    max_iter: int = 60,
    tol: float = 1e-4,
    callback: Callback | None = None,
    rng: int | np.random.Generator | None = 0,
) -> Decomposition:
    """Explain every stretch of a spectrogram by known ones.

    Each stretch of as many frames as the templates have, at every frame, is taken for a sum of
    templates, all by itself; what the stretches that overlap in a frame say about it is averaged.
    So a template must fit its surroundings in time too, but what it says about a frame need not
    fit what earlier templates left over, as in convolutive NMF. The activations are found from
    bands that are about a fiftieth of their frequency wide, which takes a tenth of the time.

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]
        Spectrogram, ≥ 0.
    templates : np.ndarray [shape=(freq, component) or (lag, freq, component)]
        Known spectra or stretches of spectra, ≥ 0.
    convolutive : bool
        Let templates that overlap in time add up instead, as in convolutive NMF: for those that
        are whole sounds, such as drum hits.
    free : int
        How many unknown ones there are beside them.
    adapt : float or None
        Weight of the `Prior` that holds the templates while they are fitted to `V`, as a share of
        what `V` says; None keeps them as they are.
    beta : float
        The β-divergence that is made small.
    max_iter : int
        Iterations at most.
    tol : float
        Stop when ten iterations improved the fit by less than this share.
    callback : callable, optional
        Gets a `Progress` every ten iterations; True stops iterating.
    rng : int, np.random.Generator or None
        Where the unknown ones start.

    Returns
    -------
    Decomposition
        `Convolutive`: the known components first, then the unknown ones.

    References
    ----------
    J. F. Gemmeke, T. Virtanen, A. Hurmalainen, "Exemplar-based sparse representations for noise
    robust automatic speech recognition", IEEE TASLP 19(7), 2011, doi:10.1109/TASL.2011.2112350.

    Examples
    --------
    >>> W = np.random.default_rng(0).random((30, 3))
    >>> d = fit_stretches(W[:, [0, 0, 2, 2]], W)
    >>> d.H.argmax(0).tolist()
    [0, 0, 2, 2]
    """
    W = (templates if templates.ndim == 3 else templates[None]).astype(V.dtype, copy=False)
    edges = _edges(len(V))
    rows = _pooled(V.T, edges)
    bands = np.stack([_pooled(spectra.T, edges) for spectra in W])  # (lag, component, band)
    unknown = generator(rng).uniform(0.5, 1.5, (len(W), free, len(edges))).astype(V.dtype)
    unknown /= unknown.sum(axis=(0, 2), keepdims=True)
    start = np.concatenate([bands, unknown], axis=1)
    spectra = start.transpose(0, 2, 1)
    if not convolutive:
        rows = _overlapping(rows, len(W))
        spectra = spectra.reshape(-1, start.shape[1])
    levels = rows.sum(axis=1) / start.shape[1]
    levels = np.maximum(levels, RELATIVE_FLOOR * max(float(levels.mean()), RELATIVE_FLOOR))
    H = np.repeat(levels[None], start.shape[1], axis=0)
    found = decompose(
        rows.T,
        [Factor(spectra, free=_those(slice(W.shape[2], None), H)), Factor(H)],
        structure=Convolutive() if convolutive else None,
        divergence=Beta(beta),
        max_iter=max_iter,
        tol=tol,
        callback=callback,
    )
    sound = _in_bins(found, W, V.shape[1], edges, 1 if convolutive else len(W))
    if free:
        sound = _moved(V, sound, slice(W.shape[2], None), ())
    if adapt is not None:
        weight = adapt * float(sound.H.sum(axis=1, dtype=np.float64).mean())
        sound = _moved(V, sound, slice(0, W.shape[2]), (Prior(sound.W, weight),))
    return sound


def _edges(bins: int) -> np.ndarray:
    """The first bin of each band."""
    edges = [0]
    while edges[-1] < bins:
        edges.append(edges[-1] + max(1, int(edges[-1] * _WIDTH)))
    return np.array(edges[:-1])


def _pooled(rows: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Sums over the bands of the last axis."""
    pooled: np.ndarray = np.add.reduceat(rows, edges, axis=-1)
    return pooled


def _overlapping(rows: np.ndarray, lags: int) -> np.ndarray:
    """The stretches of `lags` rows from each row on, as rows; past the end there is silence."""
    rows = np.concatenate([rows, np.zeros((max(0, lags - len(rows)), rows.shape[1]), rows.dtype)])
    windows = np.lib.stride_tricks.sliding_window_view(rows, lags, axis=0)
    return windows.transpose(0, 2, 1).reshape(len(windows), -1)


def _those(components: slice, H: np.ndarray) -> np.ndarray:
    """True for these of the components that H has."""
    chosen = np.zeros(len(H), bool)
    chosen[components] = True
    return chosen


def _in_bins(
    found: Decomposition, W: np.ndarray, frames: int, edges: np.ndarray, overlap: int
) -> Decomposition:
    """The convolutive model in bins that says the same as one in bands.

    Where `overlap` stretches are laid over each frame, it has their mean.
    """
    lags, bins, known = W.shape
    widths = np.diff(edges, append=bins)
    # What is known of the unknown components says nothing about bins within a band.
    unknown = found.W.reshape(lags, len(edges), -1)[..., known:] / widths[:, None]
    spectra = np.repeat(unknown.astype(W.dtype), widths, axis=1)
    H = np.zeros((found.n_components, frames), W.dtype)
    H[:, : found.H.shape[1]] = found.H[:, :frames]
    factors = (np.concatenate([W, spectra], axis=2) / overlap, H)
    return replace(found, factors=factors, structure=Convolutive())


def _moved(
    V: np.ndarray, sound: Decomposition, components: slice, penalties: tuple[Prior, ...]
) -> Decomposition:
    """Fit the spectra of some components, bin by bin; when they sound is known."""
    W, H = sound.factors
    moved = decompose(
        V,
        [
            Factor(W, free=_those(components, H), penalties=penalties),
            Factor(H, free=False),
        ],
        structure=sound.structure,
        divergence=sound.divergence,
        max_iter=_REFINING,
    )
    return replace(sound, factors=moved.factors)
