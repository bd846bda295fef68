"""Stems of a stream: masks for each frame, and overlap-add."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nmfaudio.audio.masking import Masking
from nmfaudio.audio.transforms import Stft
from nmfaudio.audio.transforms.overlap_add import OverlapAdd
from nmfaudio.audio.transforms.windows import window_samples
from nmfaudio.streaming.models import FrameModel


@dataclass(frozen=True, eq=False)
class StemPlan:
    """Model of the stems of a stream, and how they are rendered.

    Parameters
    ----------
    model : FrameModel
    masking : Masking
        Kind of the masks.
    returned : float
        Share of the last stem that is given back to the first one.
    """

    model: FrameModel
    masking: Masking
    returned: float = 0.0

    def masks(self, models: np.ndarray) -> list[np.ndarray]:
        """Masks of the stems, which sum to one.

        Parameters
        ----------
        models : np.ndarray [shape=(stem, time, freq)]

        Returns
        -------
        list of np.ndarray [shape=(time, freq)]
        """
        masks = self.masking.masks(list(models))
        if self.returned:
            back = masks[-1] * masks[-1].dtype.type(self.returned)
            masks[0] += back
            masks[-1] -= back
        return masks


class StemRenderer:
    """Stems of the frames of a stream, as soon as no later frame changes them.

    Parameters
    ----------
    plan : StemPlan
    stft : Stft
        Transform of the frames.
    lookahead : int
        Frames after the one that is rendered.
    channels : int
    """

    def __init__(self, plan: StemPlan, stft: Stft, lookahead: int, channels: int) -> None:
        self.names = plan.model.names
        self._plan = plan
        self._stft = stft
        self._lookahead = lookahead
        self._channels = channels
        self._adding = OverlapAdd(
            window_samples(stft.window, stft.n_fft).astype(np.float32), stft.hop
        )
        # Frames of Z without a model yet [shape=(channel, freq)].
        self._waiting: list[np.ndarray] = []
        self._steps = 0  # frames that the model has seen
        self._rendered = 0  # frames that have been added
        self._empty = np.zeros((len(plan.model.names), channels, 0), np.float32)

    def add(self, Z: np.ndarray) -> list[np.ndarray]:
        """Add frames, and return the samples that they complete.

        Parameters
        ----------
        Z : np.ndarray [shape=(channel, freq, time)]

        Returns
        -------
        list of np.ndarray [shape=(channel, sample)]
            One array for each stem.
        """
        return list(self._render(self._models(Z)))

    def finish(self, Z: np.ndarray, length: int) -> list[np.ndarray]:
        """Add the last frames, and return all samples that are left.

        Parameters
        ----------
        Z : np.ndarray [shape=(channel, freq, time)]
        length : int
            Number of samples of the stream.

        Returns
        -------
        list of np.ndarray [shape=(channel, sample)]
            One array for each stem.
        """
        silence = np.zeros((*Z.shape[:2], self._lookahead), Z.dtype)
        models = self._models(np.concatenate([Z, silence], axis=2))
        return list(self._render(models, length))

    def join(self, results: list[list[np.ndarray]]) -> list[np.ndarray]:
        """Concatenate successive results along time.

        Parameters
        ----------
        results : list of list of np.ndarray

        Returns
        -------
        list of np.ndarray [shape=(channel, sample)]
        """
        if len(results) == 1:
            return results[0]
        return [np.concatenate(parts, axis=1) for parts in zip(self._empty, *results, strict=True)]

    def _models(self, Z: np.ndarray) -> list[np.ndarray]:
        """Models of the frames that are old enough [shape=(stem, freq) each]."""
        models = []
        for v, frame in zip(self._stft.features(Z).T, Z.transpose(2, 0, 1), strict=True):
            self._waiting.append(frame)
            model = self._plan.model.step(v)
            self._steps += 1
            if self._steps > self._lookahead:
                models.append(model)
        return models

    def _render(self, models: list[np.ndarray], length: int | None = None) -> np.ndarray:
        """Samples that the frames with models complete, or all up to the length of the stream."""
        if not models:
            return self._empty
        frames, self._waiting = self._waiting[: len(models)], self._waiting[len(models) :]
        Z = np.stack(frames, axis=1)  # (channel, time, freq)
        masks = self._plan.masks(np.stack(models, axis=1))
        masked = np.concatenate([Z * mask for mask in masks])
        hop, half = self._stft.hop, self._stft.n_fft // 2
        # Samples from which these frames begin, and before which no later frame begins.
        origin = self._rendered * hop - half
        self._rendered += len(models)
        settled = self._rendered * hop - half if length is None else length
        start = max(origin, 0)
        audio = self._adding.add(
            masked.transpose(0, 2, 1), start - origin, max(settled, start) - origin
        )
        return audio.reshape(len(masks), self._channels, -1)
