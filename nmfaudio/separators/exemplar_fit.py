"""Activations of known templates in a recording, by exemplar-based or convolutive NMF."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nmfaudio.audio.frequency_bands import FrequencyBands
from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.factorisation.divergences import Divergence, divergence_named
from nmfaudio.factorisation.engine import Callback, decompose, generator
from nmfaudio.factorisation.factors import Factor
from nmfaudio.factorisation.initialisation import RELATIVE_FLOOR
from nmfaudio.factorisation.online import activations
from nmfaudio.factorisation.penalties import Prior
from nmfaudio.factorisation.structures import Convolutive

BAND_WIDTH = 1 / 50
"""Width of a band relative to its frequency, and at least one bin.

Bands half as wide gain 0.1 dB on the tuning set and take twice as long.
"""
# Windows that a frame is in, where the number of lags is a multiple of it. SI-SDR of five
# recordings with four lags: within 0.06 dB of four windows, which take twice as long.
_WINDOWS_PER_FRAME = 2
# Iterations that refit templates with known activations.
_REFIT_ITERATIONS = 30


def fit_exemplars(
    V: np.ndarray,
    templates: np.ndarray,
    *,
    convolutive: bool = False,
    n_free: int = 0,
    adapt: float | None = None,
    refit: bool = True,
    beta_loss: str | float | Divergence = 0.5,
    max_iter: int = 60,
    tol: float = 1e-4,
    callback: Callback | None = None,
    rng: int | np.random.Generator | None = 0,
) -> Decomposition:
    """Fit known templates to a spectrogram.

    Overlapping windows of V with as many frames as the templates have are modelled independently
    as sums of templates, and the models of the windows that overlap in a frame are averaged. So a
    template must match its context in time too, but unlike in convolutive NMF its model of a frame
    need not match the remainder that earlier templates leave.

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]
        Spectrogram, ≥ 0.
    templates : np.ndarray [shape=(freq, component) or (lag, freq, component)]
        Known spectra or short spectrograms, ≥ 0.
    convolutive : bool
        Whether templates that overlap in time add up instead, as in convolutive NMF: for templates
        that are complete sounds, such as drum hits.
    n_free : int
        Number of further components with unknown templates.
    adapt : float or None
        Weight of the `Prior` on the templates while they are refitted to `V`, relative to the data
        term; None keeps them fixed.
    refit : bool
        Whether unknown templates are refitted to all bins. Without, `window_activations` of the
        result are those that `V` has in it.
    beta_loss : str, float or Divergence
        As in `nmfaudio.nmf`.
    max_iter : int
        Maximum number of iterations.
    tol : float
        Stop once ten iterations improve the fit by less than this fraction.
    callback : callable, optional
        Called with a `Progress` every ten iterations; returning True stops the iterations.
    rng : int, np.random.Generator or None
        Seed of the unknown templates.

    Returns
    -------
    Decomposition
        A `Convolutive` model: the known components first, then the unknown ones.

    Notes
    -----
    Activations are fitted to V pooled into bands about a fiftieth of their frequency wide, which
    takes a tenth of the time of all bins.

    References
    ----------
    J. F. Gemmeke, T. Virtanen, A. Hurmalainen, "Exemplar-based sparse representations for noise
    robust automatic speech recognition", IEEE TASLP 19(7), 2011, doi:10.1109/TASL.2011.2112350.

    Examples
    --------
    >>> W = np.random.default_rng(0).random((30, 3))
    >>> d = fit_exemplars(W[:, [0, 0, 2, 2]], W)
    >>> d.H.argmax(0).tolist()
    [0, 0, 2, 2]
    """
    W = _as_lags(templates, V.dtype)
    lags, _, known = W.shape
    bands = FrequencyBands.proportional(len(V), BAND_WIDTH)
    rows = bands.pool(V.T, axis=-1)  # (time, band)
    spectra = _initial_templates(W, bands, n_free, generator(rng))  # (lag, band, component)
    components = spectra.shape[2]
    overlap, begins = 1, np.arange(len(rows))
    if not convolutive:
        overlap = _overlap(lags)
        begins = _window_begins(len(rows), lags)
        # One column of the data for each window: lags become further rows of plain NMF.
        rows = _stack_windows(rows, lags, begins)
        spectra = spectra.reshape(-1, components)
    levels = rows.sum(axis=1) / components
    levels = np.maximum(levels, RELATIVE_FLOOR * max(float(levels.mean()), RELATIVE_FLOOR))
    H = np.repeat(levels[None], components, axis=0)
    fitted = decompose(
        rows.T,
        [Factor(spectra, free=_component_mask(slice(known, None), components)), Factor(H)],
        structure=Convolutive() if convolutive else None,
        divergence=divergence_named(beta_loss),
        max_iter=max_iter,
        tol=tol,
        callback=callback,
    )
    H = np.zeros((components, V.shape[1]), W.dtype)
    H[:, begins] = fitted.H
    model = _expand_bands(fitted, W, H, bands, overlap)
    if n_free and refit:
        model = _refit_templates(V, model, slice(known, None), ())
    if adapt is not None:
        # The data term of W grows with the sum of the activations, and so must the prior's weight.
        weight = adapt * float(model.H.sum(axis=1, dtype=np.float64).mean())
        model = _refit_templates(V, model, slice(0, known), (Prior(weight, model.W),))
    return model


def exemplar_model(
    templates: np.ndarray,
    dtype: np.dtype,
    *,
    convolutive: bool,
    beta_loss: str | float | Divergence,
) -> Decomposition:
    """Return the model that `fit_exemplars` has of known templates alone, without activations.

    Parameters
    ----------
    templates : np.ndarray [shape=(freq, component) or (lag, freq, component)]
        Known spectra or short spectrograms, ≥ 0.
    dtype : np.dtype
        Precision of the spectrogram.
    convolutive : bool
        As for `fit_exemplars`.
    beta_loss : str, float or Divergence
        As for `fit_exemplars`.

    Returns
    -------
    Decomposition
        A `Convolutive` model of no frames.
    """
    W = _as_lags(templates, dtype)
    if not convolutive:
        W = W / _overlap(len(W))
    H = np.zeros((W.shape[2], 0), dtype)
    return Decomposition(
        (W, H), np.zeros(1), np.zeros(1, int), False, Convolutive(), divergence_named(beta_loss)
    )


def window_activations(
    pooled: np.ndarray,
    model: Decomposition,
    *,
    start: int,
    is_end: bool,
    max_iter: int,
) -> np.ndarray:
    """Fit the windows of `fit_exemplars` that lie in a block of frames, with fixed templates.

    The windows are those of the whole recording, and each is fitted by itself, so activations do
    not depend on the division into blocks.

    Parameters
    ----------
    pooled : np.ndarray [shape=(band, time)]
        Spectrogram of the block in bands of `BAND_WIDTH`.
    model : Decomposition
        Model of `fit_exemplars`, not convolutive, or of `exemplar_model`.
    start : int
        Index of the first frame of the block in the recording.
    is_end : bool
        Whether the recording ends with the block.
    max_iter : int
        Number of iterations.

    Returns
    -------
    np.ndarray [shape=(component, time)]
        Zero in frames where no window begins.
    """
    lags, bins, components = model.W.shape
    bands = FrequencyBands.proportional(bins, BAND_WIDTH)
    spectra = _pooled_templates(model.W * model.W.dtype.type(_overlap(lags)), bands)
    begins = _window_begins(pooled.shape[1], lags, start=start, is_end=is_end)
    H = np.zeros((components, pooled.shape[1]), pooled.dtype)
    if len(begins):
        rows = _stack_windows(pooled.T, lags, begins)
        H[:, begins] = activations(
            rows.T,
            spectra.transpose(0, 2, 1).reshape(-1, components),
            model.divergence,
            initial=np.repeat(rows.sum(axis=1)[None] / components, components, axis=0),
            solver="bmme",
            max_iter=max_iter,
        )
    return H


def _as_lags(templates: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Templates of one or several frames in a given precision [shape=(lag, freq, component)]."""
    return (templates if templates.ndim == 3 else templates[None]).astype(dtype, copy=False)


def _overlap(lags: int) -> int:
    """Number of windows of `lags` frames that a frame is in."""
    return lags if lags % _WINDOWS_PER_FRAME else _WINDOWS_PER_FRAME


def _initial_templates(
    W: np.ndarray, bands: FrequencyBands, n_free: int, rng: np.random.Generator
) -> np.ndarray:
    """Known templates in bands, then random ones that sum to one [shape=(lag, band, component)]."""
    pooled = _pooled_templates(W, bands)
    unknown = rng.uniform(0.5, 1.5, (len(W), n_free, len(bands.edges))).astype(W.dtype)
    unknown /= unknown.sum(axis=(0, 2), keepdims=True)
    return np.concatenate([pooled, unknown], axis=1).transpose(0, 2, 1)


def _pooled_templates(W: np.ndarray, bands: FrequencyBands) -> np.ndarray:
    """Templates in bands [shape=(lag, component, band)]."""
    pooled: np.ndarray = np.stack([bands.pool(spectra.T, axis=-1) for spectra in W])
    return pooled


def _window_begins(frames: int, lags: int, *, start: int = 0, is_end: bool = True) -> np.ndarray:
    """First frames of the windows that lie in a block of frames.

    In the recording, in which the block begins at `start`, they are evenly spaced. If it ends with
    the block, there is also a window that ends with it.
    """
    step, last = lags // _overlap(lags), frames - lags
    if is_end:
        return np.append(np.arange(-start % step, max(last, 0), step), max(last, 0))
    return np.arange(-start % step, last + 1, step)


def _stack_windows(rows: np.ndarray, lags: int, begins: np.ndarray) -> np.ndarray:
    """Windows of `lags` rows, flattened; zeros follow the last row."""
    rows = np.concatenate([rows, np.zeros((max(0, lags - len(rows)), rows.shape[1]), rows.dtype)])
    windows = np.lib.stride_tricks.sliding_window_view(rows, lags, axis=0)[begins]
    stacked: np.ndarray = windows.transpose(0, 2, 1).reshape(len(windows), -1)
    return stacked


def _component_mask(components: slice, count: int) -> np.ndarray:
    """Booleans [shape=(component,)] that are True for the chosen components."""
    chosen = np.zeros(count, bool)
    chosen[components] = True
    return chosen


def _expand_bands(
    fitted: Decomposition, W: np.ndarray, H: np.ndarray, bands: FrequencyBands, overlap: int
) -> Decomposition:
    """Convert a model in bands to the convolutive model in bins, with activations H of all frames.

    Each frame is the mean over the `overlap` windows that cover it.
    """
    lags, _, known = W.shape
    # Templates learned here are in bands: distribute each band evenly over its bins.
    unknown = fitted.W.reshape(lags, len(bands.edges), -1)[..., known:]
    spectra = bands.spread(unknown).astype(W.dtype)
    templates = np.concatenate([W, spectra], axis=2) / overlap
    return replace(fitted, factors=(templates, H), structure=Convolutive())


def _refit_templates(
    V: np.ndarray, model: Decomposition, components: slice, penalties: tuple[Prior, ...]
) -> Decomposition:
    """Refit the templates of some components to all bins, with known activations."""
    W, H = model.factors
    refitted = decompose(
        V,
        [
            Factor(W, free=_component_mask(components, len(H)), penalties=penalties),
            Factor(H, free=False),
        ],
        structure=model.structure,
        divergence=model.divergence,
        max_iter=_REFIT_ITERATIONS,
    )
    return replace(model, factors=refitted.factors)
