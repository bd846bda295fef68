"""Fit of a drum kit to a recording that does not fit into memory."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

import numpy as np

from nmfaudio._common.lazy_audio import LazyAudio
from nmfaudio.audio.feature_blocks import analysed, analysed_blocks
from nmfaudio.audio.frequency_bands import FrequencyBands
from nmfaudio.audio.transforms import Transform
from nmfaudio.dictionaries.drum_model import (
    PooledDrumModel,
    adapted_fit,
    drum_bands,
    emphasise_peaks,
    first_fit,
    nmfd,
    scaled_weight,
)
from nmfaudio.dictionaries.stroke_features import EDGES, stroke_bands
from nmfaudio.factorisation.loop import Progress
from nmfaudio.factorisation.penalties import Prior

if TYPE_CHECKING:
    from nmfaudio.dictionaries.dictionary import Dictionary
    from nmfaudio.factorisation.decomposition import Decomposition
    from nmfaudio.factorisation.engine import Callback

FRAMES = 2048
"""Frames of a block."""
ADAPTED = 2**17
"""Frames that a kit adapts to at most, 12 minutes."""
FINISHED = 2**13
"""Frames that templates of all frequencies are fitted to at most."""
_STRETCHES = 16  # of these frames, spread over a longer recording
_BESIDE = 128  # frames on either side of a block, beyond which its activations do not reach


@dataclass(frozen=True, eq=False)
class KitBlocks:
    """Explanation of a drum recording by the templates of a kit, as `fit_kit` gives, in blocks.

    Up to `ADAPTED` frames activations are those of `fit_kit`, to rounding. To a longer recording
    the kit adapts in stretches, and the activations of all frames are then computed block by block.
    The last stage, which fits templates to all frequencies with fixed activations, takes stretches
    of `FINISHED` frames in all.

    Parameters
    ----------
    y : LazyAudio [shape=(channel, sample)]
    kit : Dictionary
        Convolutive templates of an `Stft`, labelled by part.
    transform : Stft
    prior_weight, max_iter, callback
        As for `fit_kit`.
    """

    y: LazyAudio
    kit: Dictionary
    transform: Transform
    _: KW_ONLY
    prior_weight: float
    max_iter: int
    callback: Callback | None = None

    def fit(self) -> tuple[Decomposition, np.ndarray, np.ndarray, np.ndarray]:
        """Fit the kit.

        Returns
        -------
        fitted : Decomposition
            Of the last stage.
        V : np.ndarray [shape=(freq, time)]
            Spectrogram of its frames.
        H : np.ndarray [shape=(component, time)]
            Activations of all frames.
        strokes : np.ndarray [shape=(band, time)]
            `stroke_bands` of all frames.
        """
        n_frames = self.transform.n_frames(self.y.shape[1])
        adapted, finished = _stretches(n_frames, ADAPTED), _stretches(n_frames, FINISHED)
        V, pooled, strokes = self._survey(adapted, finished)
        model = PooledDrumModel(V, self.max_iter, callback=self.callback, bands_of_all=pooled.T)
        W, H = first_fit(model, self.kit, self.transform)
        if n_frames > ADAPTED:
            W, H = self._in_blocks(model, W, H, n_frames)
        else:
            W, H = adapted_fit(model, W, H, self.prior_weight)
        fitted = model.finish(self._bands.spread(W), np.ascontiguousarray(H[:, finished]))
        return fitted, V, H, strokes.T

    @property
    def _bands(self) -> FrequencyBands:
        return drum_bands(len(self.transform.frequencies))

    def _survey(
        self, adapted: np.ndarray, finished: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Spectrogram (freq, time) of some frames, bands (time, band) of others and of all."""
        bands, dtype = self._bands, self.y.dtype
        # Time-major, as the kernels need them.
        V = np.empty((finished.sum(), bands.n_bins), dtype)
        pooled = np.empty((adapted.sum(), len(bands.edges)), dtype)
        strokes = np.empty((len(adapted), len(EDGES)), dtype)
        places = np.cumsum(finished), np.cumsum(adapted)
        for first, block in analysed_blocks(self.y, self.transform, FRAMES):
            inside = slice(first, first + block.shape[1])
            strokes[inside] = stroke_bands(block, self.transform).T
            for out, chosen, place, rows in (
                (V, finished, places[0], block.T),
                (pooled, adapted, places[1], bands.pool(block).T),
            ):
                count = int(chosen[inside].sum())
                end = int(place[inside][-1])
                out[end - count : end] = rows[chosen[inside]]
        return V.T, pooled, strokes

    def _in_blocks(
        self, model: PooledDrumModel, W: np.ndarray, H: np.ndarray, n_frames: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Templates of `adapted_fit`, and activations of all frames from constant ones.

        In each iteration a block gets the templates that the stretches had in it, for activations
        of the last ones, without those before, would not be those of a fit of both.
        """
        highest, level = H.max(axis=1, keepdims=True), model.pooled.mean(dtype=np.float64)
        templates = self._course(model, W, H)
        whole = np.empty((len(H), n_frames), H.dtype)
        for begin in range(0, n_frames, FRAMES):
            end = min(begin + FRAMES, n_frames)
            low, high = max(begin - _BESIDE, 0), min(end + _BESIDE, n_frames)
            V = analysed(self.y, self.transform, low, high)
            block = PooledDrumModel(V, self.max_iter, bands_of_all=self._bands.pool(V))
            part = np.full((len(H), high - low), level, H.dtype)
            part = block.fit_activations(W, part)
            if templates:
                part = emphasise_peaks(part, highest)
            for adapted in templates:
                part = nmfd(block.pooled, adapted, part, free=(False, True), max_iter=1).H
            whole[:, begin:end] = part[:, begin - low : end - low]
            if self.callback is not None:
                self.callback(Progress(end, n_frames, 0.0))
        return templates[-1] if templates else W, whole

    def _course(self, model: PooledDrumModel, W: np.ndarray, H: np.ndarray) -> list[np.ndarray]:
        """Templates after each iteration of `adapted_fit`, none if they do not adapt."""
        if self.prior_weight == math.inf:
            return []
        H, initial, templates = emphasise_peaks(H), W, []
        penalties = (Prior(scaled_weight(self.prior_weight, H), initial),)
        for _ in range(self.max_iter):
            fitted = nmfd(model.pooled, W, H, penalties=penalties, max_iter=1)
            W, H = fitted.W, fitted.H
            templates.append(W)
        return templates


def _stretches(n_frames: int, count: int) -> np.ndarray:
    """Mask of evenly spread stretches of `count` frames in all, or of all frames if fewer."""
    chosen = np.zeros(n_frames, bool)
    length = count // _STRETCHES if n_frames > count else n_frames
    for number in range(_STRETCHES):
        first = (n_frames - length) * number // (_STRETCHES - 1)
        chosen[first : first + length] = True
    return chosen
