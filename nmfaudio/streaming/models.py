"""Models of a stream: frames of a spectrogram in, models of the stems out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

import numpy as np

from nmfaudio.kernels.median import running_median
from nmfaudio.streaming.templates import TemplateFit, Templates


class FrameModel(Protocol):
    """Model of the stems of a stream, frame by frame.

    Attributes
    ----------
    names : tuple of str
        Names of the stems.
    """

    names: tuple[str, ...]

    def step(self, v: np.ndarray) -> np.ndarray:
        """Model the frame that lies the lookahead before the newest one.

        Parameters
        ----------
        v : np.ndarray [shape=(freq,)]
            Newest frame.

        Returns
        -------
        np.ndarray [shape=(stem, freq)]
            Model of each stem; meaningless while no frame is that old.
        """
        ...


class TemplateModel:
    """Stems as sums of fixed templates.

    Parameters
    ----------
    templates : Templates
    lookahead : int
        Frames after the one that is modelled.
    """

    def __init__(self, templates: Templates, lookahead: int) -> None:
        self.names = templates.names
        self._fit = TemplateFit(templates, lookahead)

    def step(self, v: np.ndarray) -> np.ndarray:
        """Fit the newest activations, and model the frame before the lookahead."""
        self._fit.update(v)
        return self._fit.models()


class MedianModel:
    """Harmonic and percussive sound by medians over the last frames and over frequency.

    The causal form of median filtering: steady partials are the median over the last frames
    instead of those around a frame.

    Parameters
    ----------
    n_bins : int
    frames : int
        Number of frames of the median over time.
    half : int
        Number of bins of the median over frequency on either side.
    lookahead : int
        Number of those frames that come after the one that is modelled.

    References
    ----------
    D. Fitzgerald, "Harmonic/percussive separation using median filtering", DAFx 2010,
    https://arrow.tudublin.ie/argcon/67/.
    """

    names: tuple[str, ...] = ("harmonic", "percussive")

    def __init__(self, n_bins: int, frames: int, half: int, lookahead: int) -> None:
        self._rows: deque[np.ndarray] = deque(np.zeros((frames, n_bins), np.float32), frames)
        self._half = half
        self._index = frames - 1 - lookahead

    def step(self, v: np.ndarray) -> np.ndarray:
        """Medians of the frame before the lookahead."""
        self._rows.append(v)
        steady = np.median(self._rows, axis=0)
        broad = running_median(self._rows[self._index][None], self._half)[0]
        return np.stack([steady, broad])


class NoiseModel:
    """Signal and noise, whose templates are learned from a time range of the stream itself.

    Until the end of the range, its frames are noise and those before it are signal.

    Parameters
    ----------
    first, last : int
        Frames of the range, the last one excluded.
    learn : callable
        From the spectrogram of the range [shape=(freq, time)] to templates of the stems signal
        and noise.
    lookahead : int
        Frames after the one that is modelled.
    """

    names: tuple[str, ...] = ("signal", "noise")

    def __init__(
        self,
        first: int,
        last: int,
        learn: Callable[[np.ndarray], Templates],
        lookahead: int,
    ) -> None:
        self._range = first, last
        self._learn = learn
        self._lookahead = lookahead
        self._frames = 0
        self._noise: list[np.ndarray] = []
        self._recent: deque[np.ndarray] = deque(maxlen=lookahead + 1)
        self._model: TemplateModel | None = None

    def step(self, v: np.ndarray) -> np.ndarray:
        """Model the frame before the lookahead by what has been learned, if that has ended."""
        (first, last), frame = self._range, self._frames
        self._frames = min(frame + 1, last + self._lookahead)  # does not grow for ever
        if first <= frame < last:
            self._noise.append(v)
        if frame >= last and self._model is None:
            templates = self._learn(np.array(self._noise).T)
            self._model = TemplateModel(templates, self._lookahead)
            self._noise = []
        models = None if self._model is None else self._model.step(v)
        self._recent.append(v)
        modelled = frame - self._lookahead
        if models is not None and modelled >= last:
            return models
        silence = np.zeros_like(v)
        oldest = self._recent[0]
        return np.stack([silence, oldest] if modelled >= first else [oldest, silence])
