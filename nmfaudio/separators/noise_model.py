"""Models of noise and signal with exemplars as templates, and their average."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from nmfaudio.dictionaries.exemplars import choose_exemplars
from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.factorisation.engine import Callback, decompose
from nmfaudio.factorisation.factors import Factor
from nmfaudio.factorisation.online import activations
from nmfaudio.separators.block_fits import with_activations
from nmfaudio.separators.blockwise import Block
from nmfaudio.separators.ensemble import average_models

_SMALLEST = 1e-3  # initial activation relative to the mean; multiplicative updates keep zeros


class ModelSizes(NamedTuple):
    """Sizes of a model, and the end of its iterations.

    Parameters
    ----------
    exemplars : int
        Maximum number of templates of the noise, and of the signal where it has examples.
    n_free : int
        Number of free templates of the signal where it has none.
    max_iter : int
        Maximum number of iterations.
    tol : float
        As in `decompose`.
    """

    exemplars: int
    n_free: int
    max_iter: int
    tol: float


class NoiseModel(NamedTuple):
    """Average of several models.

    Parameters
    ----------
    mean : Decomposition
        The average.
    groups : dict of str to list of int
        Components of the stems signal and noise.
    sizes : tuple of int
        Number of components of each model.
    metadata : dict
        Whether there were examples of the signal.
    """

    mean: Decomposition
    groups: dict[str, list[int]]
    sizes: tuple[int, ...]
    metadata: dict[str, bool]


@dataclass(frozen=True)
class MeanFit:
    """Fit of the activations of several models, each by itself, of which the mean is needed.

    Parameters
    ----------
    sizes : tuple of int
        Number of components of each model.
    max_iter : int
        Number of updates.
    """

    kind: ClassVar[str] = "mean"
    halo: ClassVar[int] = 0

    sizes: tuple[int, ...]
    max_iter: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "sizes", tuple(self.sizes))

    def __call__(self, learned: Decomposition, block: Block) -> Decomposition:
        """Return the mean model of all frames of a block."""
        fitted = [
            activations(
                block.V, np.ascontiguousarray(W), learned.divergence, max_iter=self.max_iter
            )
            for W in np.split(learned.W, np.cumsum(self.sizes)[:-1], axis=1)
        ]
        H = np.concatenate(fitted)
        return with_activations(learned, H / H.dtype.type(len(fitted)))


def average_noise_models(
    V: np.ndarray,
    examples: Sequence[Sequence[np.ndarray]],
    sizes: ModelSizes,
    models: int,
    *,
    callback: Callback | None,
    rng: np.random.Generator,
) -> NoiseModel:
    """Average several models with different exemplars and initialisations.

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]
        Spectrogram, ≥ 0.
    examples : sequence of sequence of np.ndarray [shape=(freq, time)]
        Spectrograms of the noise, and of the signal if there are any.
    sizes : ModelSizes
        Sizes of each model.
    models : int
        Number of models.
    callback : callable or None
        As for `average_models`.
    rng : np.random.Generator
        Random numbers.

    Returns
    -------
    NoiseModel
    """
    counts = [(0, 0)] * models  # components of the noise and of the signal

    def fit(index: int, report: Callback | None, rng: np.random.Generator) -> Decomposition:
        fitted, n_noise = fit_noise_model(V, examples, sizes, callback=report, rng=rng)
        counts[index] = n_noise, fitted.n_components - n_noise
        return fitted

    mean = average_models(V, fit, models, callback=callback, rng=rng)
    groups: dict[str, list[int]] = {"signal": [], "noise": []}
    first = 0
    for n_noise, n_signal in counts:
        middle, last = first + n_noise, first + n_noise + n_signal
        groups["noise"] += range(first, middle)
        groups["signal"] += range(middle, last)
        first = last
    return NoiseModel(mean, groups, tuple(map(sum, counts)), {"signal_examples": len(examples) > 1})


def fit_noise_model(
    V: np.ndarray,
    examples: Sequence[Sequence[np.ndarray]],
    sizes: ModelSizes,
    *,
    callback: Callback | None,
    rng: np.random.Generator,
) -> tuple[Decomposition, int]:
    """Fit one model, whose templates are fixed exemplars, then free ones.

    Parameters
    ----------
    V, examples, sizes, callback, rng
        As for `average_noise_models`; with examples of the signal there are no free templates.

    Returns
    -------
    fitted : Decomposition
        The model.
    n_noise : int
        Number of its components that are noise, which come first.
    """
    known = [choose_exemplars(each, sizes.exemplars, 1, rng)[0] for each in examples]
    n_free = sizes.n_free if len(known) == 1 else 0
    # Free templates are noise with the mean spectrum of the mixture, and sum to one.
    spectra = rng.random((len(V), n_free)) * V.mean(axis=1, dtype=np.float64)[:, None]
    sums = np.maximum(spectra.sum(axis=0), np.finfo(np.float32).tiny)
    W = np.concatenate([*known, (spectra / sums).astype(V.dtype)], axis=1)
    # Level at which all components together have the energy of a mean frame.
    level = float(V.mean(dtype=np.float64)) * len(V) / W.shape[1]
    H = ((rng.random((W.shape[1], V.shape[1])) + _SMALLEST) * level).astype(V.dtype)
    unknown = np.arange(W.shape[1]) >= W.shape[1] - n_free
    fitted = decompose(
        V,
        [Factor(W, free=unknown if n_free else False, name="W"), Factor(H, name="H")],
        max_iter=sizes.max_iter,
        tol=sizes.tol,
        callback=callback,
        rng=rng,
    )
    return fitted, known[0].shape[1]


def return_noise(block: np.ndarray, share: float) -> np.ndarray:
    """Add a share of the noise back to the signal.

    Parameters
    ----------
    block : np.ndarray [shape=(stem, channel, sample)]
        The stems signal and noise.
    share : float
        Factor of the samples, from 0 to 1.

    Returns
    -------
    np.ndarray [shape=(stem, channel, sample)]
        Stems with the same sum.
    """
    signal, noise = block
    returned = noise.dtype.type(share) * noise
    return np.stack([signal + returned, noise - returned])
