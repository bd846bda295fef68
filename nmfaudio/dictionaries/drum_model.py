"""Convolutive NMF model of a drum kit, shared by separation and transcription."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from nmfaudio.audio.frequency_bands import FrequencyBands
from nmfaudio.audio.masks import soft_masks
from nmfaudio.audio.transforms import Transform
from nmfaudio.dictionaries.drum_kit import convert_drum_templates
from nmfaudio.factorisation.engine import Callback, decompose
from nmfaudio.factorisation.factors import Factor
from nmfaudio.factorisation.penalties import Prior
from nmfaudio.factorisation.structures import Convolutive

if TYPE_CHECKING:
    from nmfaudio.dictionaries.dictionary import Dictionary
    from nmfaudio.factorisation.decomposition import Decomposition
    from nmfaudio.factorisation.penalties import Penalty

BAND_WIDTH = 0.06
"""Width of the frequency bands as a share of their frequency: a semitone."""
PRIOR_WEIGHT = 0.3
"""Default weight of the dictionary's templates, in units of that of the recording."""
_SILENT = 2e-4  # level of a band, relative to the loudest, that nothing was recorded in: −74 dB
_LOWEST_CUTOFF = 4000  # Hz; a recording without sound above is of low drums, not low-passed
_FULL_RESOLUTION_ITERATIONS = 6  # for W only, since the activations have been fitted in bands


def drum_bands(n_bins: int) -> FrequencyBands:
    """Return the frequency bands in which drums are modelled, about a tenth as many as bins."""
    return FrequencyBands.proportional(n_bins, BAND_WIDTH)


def nmfd(
    V: np.ndarray,
    W: np.ndarray,
    H: np.ndarray,
    *,
    free: tuple[bool, bool] = (True, True),
    penalties: tuple[Penalty, ...] = (),
    max_iter: int,
    tol: float = 0.0,
    callback: Callback | None = None,
) -> Decomposition:
    """Factorise by non-negative matrix factor deconvolution, V ≈ Σ_τ W[τ] · (H shifted by τ).

    Multiplicative updates of the Kullback–Leibler divergence.

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]
    W : np.ndarray [shape=(lag, freq, component)]
        Initial templates.
    H : np.ndarray [shape=(component, time)]
        Initial activations.
    free : (bool, bool)
        Whether W and H are updated.
    penalties : tuple of Penalty
        Penalties of W.
    max_iter : int
    tol : float
    callback : callable, optional

    Returns
    -------
    Decomposition

    References
    ----------
    P. Smaragdis, "Non-negative matrix factor deconvolution; extraction of multiple sound sources
    from monophonic inputs", ICA 2004, doi:10.1007/978-3-540-30110-3_63.
    """
    return decompose(
        V,
        [Factor(W, free[0], penalties, name="W"), Factor(H, free[1], name="H")],
        structure=Convolutive(),
        solver="mu",
        max_iter=max_iter,
        tol=tol,
        callback=callback,
    )


@dataclass(frozen=True, eq=False)
class DrumModel:
    """Convolutive NMF of a drum recording: fitted in frequency bands, finished in bins.

    Arrays W of the methods are templates in bands [shape=(lag, band, component)] unless their
    docstring says otherwise, arrays H activations [shape=(component, time)].

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]
        Spectrogram.
    max_iter : int
        Iterations of each stage in bands.
    tol : float
        Relative improvement over ten iterations below which a stage stops.
    callback : callable, optional
        Gets a `Progress` every ten iterations of each stage; True ends the stage.
    """

    V: np.ndarray
    max_iter: int
    tol: float = 0.0
    callback: Callback | None = None

    @cached_property
    def bands(self) -> FrequencyBands:
        """Frequency bands of the first stages."""
        return drum_bands(len(self.V))

    @cached_property
    def pooled(self) -> np.ndarray:
        """Spectrogram in bands [shape=(band, time)]."""
        return self.bands.pool(self.V)

    def pool_templates(self, W: np.ndarray) -> np.ndarray:
        """Return templates of bins in bands, in the precision of `V`."""
        return self.bands.pool(W).astype(self.V.dtype)

    def initial_activations(self, n_components: int, n_per_part: float = 1) -> np.ndarray:
        """Return constant activations, with the mean of `pooled` shared among equal parts."""
        level = self.pooled.mean() / n_per_part
        return np.full((n_components, self.pooled.shape[1]), level, self.V.dtype)

    def fit_activations(self, W: np.ndarray, H: np.ndarray) -> np.ndarray:
        """Return the activations of fixed templates."""
        return self._fit(W, H, free=(False, True)).H

    def fit_both(
        self, W: np.ndarray, H: np.ndarray, *, V: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return templates and activations fitted together, to `pooled` or to another V."""
        fit = self._fit(W, H, V=V)
        return fit.W, fit.H

    def adapt(
        self,
        W: np.ndarray,
        H: np.ndarray,
        weight: float,
        *,
        max_iter: int | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return templates adapted under a `Prior` at W of this weight, and their activations.

        Semi-adaptive NMFD: the kit of the dictionary becomes the kit of the recording, as far as
        its hits contradict the dictionary (Dittmar and Gärtner 2014; there W is blended with its
        initial value, here a gamma prior has it as its mode).
        """
        fit = self._fit(W, H, penalties=(Prior(weight, W),), max_iter=max_iter)
        return fit.W, fit.H

    def split(
        self, W: np.ndarray, H: np.ndarray, n_templates: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return several templates for each component, learned on its share of the spectrogram.

        No two hits of a part sound alike, so that one template is too few. Each component of W
        becomes `n_templates` successive ones, which are fitted to V under the component's mask.
        """
        structure = Convolutive()
        models = [structure.part((W, H), [k]) for k in range(len(H))]
        templates, activations = [], []
        # Wiener masks of squared magnitudes separate more sharply than those of magnitudes.
        for k, mask in enumerate(soft_masks(models, alpha=2.0, power=1.0)):
            # Equal templates would stay equal: multiplicative updates need them to differ.
            scatter = np.exp(0.5 * rng.standard_normal((*W.shape[:2], n_templates)))
            shares = rng.uniform(0.5 / n_templates, 1.5 / n_templates, (n_templates, H.shape[1]))
            part = self.fit_both(
                W[..., [k]] * scatter.astype(W.dtype),
                H[[k]] * shares.astype(H.dtype),
                V=self.pooled * mask,
            )
            templates.append(part[0])
            activations.append(part[1])
        return np.concatenate(templates, axis=2), np.concatenate(activations)

    def finish(
        self, W: np.ndarray, H: np.ndarray, penalties: tuple[Penalty, ...] = ()
    ) -> Decomposition:
        """Fit templates of bins [shape=(lag, freq, component)] to `V`, with H fixed."""
        return nmfd(
            self.V,
            W,
            H,
            free=(True, False),
            penalties=penalties,
            max_iter=_FULL_RESOLUTION_ITERATIONS,
            tol=self.tol,
            callback=self.callback,
        )

    def _fit(
        self,
        W: np.ndarray,
        H: np.ndarray,
        *,
        V: np.ndarray | None = None,
        free: tuple[bool, bool] = (True, True),
        penalties: tuple[Penalty, ...] = (),
        max_iter: int | None = None,
    ) -> Decomposition:
        return nmfd(
            self.pooled if V is None else V,
            W,
            H,
            free=free,
            penalties=penalties,
            max_iter=self.max_iter if max_iter is None else max_iter,
            tol=self.tol,
            callback=self.callback,
        )


@dataclass(frozen=True, eq=False)
class PooledDrumModel(DrumModel):
    """`DrumModel` of a recording of which all frames are in memory in bands only.

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]
        Spectrogram of some frames.
    max_iter, tol, callback
        As for `DrumModel`.
    bands_of_all : np.ndarray [shape=(band, time)]
        Spectrogram of all frames in bands.
    """

    bands_of_all: np.ndarray = field(kw_only=True)

    @property
    def pooled(self) -> np.ndarray:
        """Spectrogram in bands [shape=(band, time)]."""
        return self.bands_of_all


def emphasise_peaks(H: np.ndarray, highest: np.ndarray | None = None) -> np.ndarray:
    """Return activations weighted by their share of the component's highest.

    `highest` [shape=(component, 1)] is by default that of H.

    An activation that is much smaller than the loudest hit of its part may be due to another
    part. Templates that adapt should follow the hits that are certain.
    """
    highest = H.max(axis=1, keepdims=True) if highest is None else highest
    highest = np.maximum(highest, np.finfo(H.dtype).tiny)
    emphasised: np.ndarray = H * (H / highest)
    return emphasised


def scaled_weight(weight: float, H: np.ndarray) -> float:
    """Return the weight of a `Prior` that counts as `weight` times the recording."""
    return weight * float(H.sum(axis=1).mean())


def fit_kit(
    V: np.ndarray,
    kit: Dictionary,
    transform: Transform,
    *,
    prior_weight: float = PRIOR_WEIGHT,
    max_iter: int = 30,
    callback: Callback | None = None,
) -> Decomposition:
    """Explain a drum recording by the templates of a kit, adapted to it.

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]
        Spectrogram.
    kit : Dictionary
        Convolutive templates of an `Stft`, labelled by part.
    transform : Stft
        Transform of `V`.
    prior_weight : float
        Weight of the templates, in units of that of the recording; ``math.inf`` fixes them.
    max_iter : int
        Iterations of each of the two stages.
    callback : callable, optional
        Gets a `Progress` every ten iterations of each stage; True ends the stage.

    Returns
    -------
    Decomposition
        One component for each of the kit, in the same order.

    References
    ----------
    C. Dittmar and D. Gärtner, "Real-time transcription and separation of drum recordings based on
    NMF decomposition", DAFx 2014.
    """
    model = DrumModel(V, max_iter, callback=callback)
    W, H = first_fit(model, kit, transform)
    W, H = adapted_fit(model, W, H, prior_weight)
    return model.finish(model.bands.spread(W), H)


def first_fit(
    model: DrumModel, kit: Dictionary, transform: Transform
) -> tuple[np.ndarray, np.ndarray]:
    """Return the templates of a kit in bands, and their activations.

    Parameters
    ----------
    model : DrumModel
    kit : Dictionary
        Convolutive templates of an `Stft`, labelled by part.
    transform : Stft
        Transform of the recording.

    Returns
    -------
    W : np.ndarray [shape=(lag, band, component)]
    H : np.ndarray [shape=(component, time)]
    """
    W = model.pool_templates(convert_drum_templates(kit.templates, kit.transform, transform))
    W *= np.where(recorded_bands(model, transform), 1.0, _SILENT).astype(W.dtype)[:, None]
    W /= np.maximum(W.sum(axis=(0, 1)), np.finfo(W.dtype).tiny)
    H = model.initial_activations(kit.n_components, kit.n_components / len(kit.names))
    return W, model.fit_activations(W, H)


def recorded_bands(model: DrumModel, transform: Transform) -> np.ndarray:
    """Return which bands the recording has sound in, up to its highest [shape=(band,)].

    Compressed and old recordings end at 10 or 16 kHz. Templates that expect sound above would fit
    them worse than those of duller drums: a hi-hat would become a snare.
    """
    levels = model.pooled.mean(axis=1) / model.bands.widths
    audible = levels > _SILENT * levels.max()
    audible |= transform.frequencies[model.bands.edges] < _LOWEST_CUTOFF
    highest = int(np.flatnonzero(audible)[-1])
    return np.arange(len(levels)) <= highest


def adapted_fit(
    model: DrumModel, W: np.ndarray, H: np.ndarray, prior_weight: float
) -> tuple[np.ndarray, np.ndarray]:
    """Adapt the templates of `first_fit` to the recording, unless the weight is infinite.

    Parameters
    ----------
    model : DrumModel
    W : np.ndarray [shape=(lag, band, component)]
    H : np.ndarray [shape=(component, time)]
    prior_weight : float
        Weight of the templates, in units of that of the recording.

    Returns
    -------
    W : np.ndarray [shape=(lag, band, component)]
    H : np.ndarray [shape=(component, time)]
    """
    if prior_weight == math.inf:
        return W, H
    H = emphasise_peaks(H)
    return model.adapt(W, H, scaled_weight(prior_weight, H))
