"""Decomposition over a dictionary of notes, of recordings that do not fit into memory."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from nmfaudio.factorisation.initialisation import power_of_two
from nmfaudio.factorisation.loop import MAX_MEAN, MIN_MEAN
from nmfaudio.kernels.layout import FRAMES
from nmfaudio.transcription.note_fit import BLOCK, FitSettings, NoteFit, excerpt_stride

if TYPE_CHECKING:
    from nmfaudio.dictionaries.dictionary import Dictionary


@dataclass(eq=False)
class NoteBlocks:
    """Activations of `NoteModel`, bit for bit, of a spectrogram in consecutive blocks.

    The spectrogram is passed twice in the same blocks of `frames` frames: first to `survey`, then
    to `explain`.

    Parameters
    ----------
    settings : FitSettings
        Without unknown components, with a divergence whose degree is above 0.
    dictionary : Dictionary
        Templates of single frames with a pitch each.
    n_frames : int
        Frames of the recording.

    Examples
    --------
    >>> import nmfaudio as na
    >>> rng = np.random.default_rng(0)
    >>> W, V = rng.random((257, 2)), rng.random((257, 4000))
    >>> known = na.Dictionary(W, ["piano"] * 2, na.Stft(8000, 512), [60, 64])
    >>> model = na.transcription.NoteModel()
    >>> blocks = NoteBlocks(model, known, 4000)
    >>> for first in range(0, 4000, blocks.frames):
    ...     blocks.survey(first, V[:, first : first + blocks.frames])
    >>> H, divergence = blocks.explain(V[:, : blocks.frames])
    >>> bool((H == model.activations(V, known).H[:, : blocks.frames]).all())
    True
    """

    settings: FitSettings
    dictionary: Dictionary
    n_frames: int
    frames: int = field(default=BLOCK, init=False)
    """Frames of each block but the last one."""
    _fit: NoteFit | None = field(default=None, init=False)
    _sums: list[float] = field(default_factory=list, init=False)
    _excerpt: list[np.ndarray] = field(default_factory=list, init=False)

    def survey(self, first: int, V: np.ndarray) -> None:
        """Take the mean and some frames of a block, which the templates adapt to.

        Parameters
        ----------
        first : int
            First frame of the block.
        V : np.ndarray [shape=(freq, time)]
        """
        stride = excerpt_stride(self.n_frames)
        self._excerpt.append(V[:, -first % stride :: stride].copy())
        rows = NoteFit(self.settings, V, self.dictionary).rows
        self._sums.append(float(V[:rows].sum(dtype=np.float64)))

    def explain(self, V: np.ndarray) -> tuple[np.ndarray, float]:
        """Compute the activations of a block.

        Parameters
        ----------
        V : np.ndarray [shape=(freq, time)]

        Returns
        -------
        H : np.ndarray [shape=(component, time)]
        divergence : float
            Objective of these frames.
        """
        fit = self._fitted()
        level = math.fsum(self._sums) / (fit.rows * self.n_frames)
        # `decompose` rescales data whose mean is out of range. It decides by all frames here, too.
        scale = 1.0 if MIN_MEAN <= level <= MAX_MEAN else power_of_two(level)
        count = V.shape[1]
        framed = np.zeros((-(-count // FRAMES) * FRAMES + 1, fit.rows), V.dtype).T
        np.divide(V[: fit.rows], V.dtype.type(scale), out=framed[:, :count])
        framed[:, -1] = 1  # keeps the mean of a silent block in range
        W = self._W[: fit.rows]
        fitted = fit.explain(framed, W, False, level / scale)
        H = np.ascontiguousarray(fitted.H[:, :count]) * V.dtype.type(scale)
        added = fit.explain(framed[:, count:], W, False, level / scale)
        divergence = float(fitted.losses[-1] - added.losses[-1])
        return H, divergence * scale**self.settings.degree

    @property
    def templates(self) -> np.ndarray:
        """Templates after they have adapted [shape=(freq, component)]."""
        self._fitted()
        return self._W

    @property
    def detuning(self) -> float:
        """Interval in semitones by which the recording is higher than the dictionary."""
        return self._fitted().detuning

    def _fitted(self) -> NoteFit:
        """Return the fit, after its templates have adapted to the frames of the survey."""
        if self._fit is None:
            self._fit = NoteFit(
                self.settings, np.concatenate(self._excerpt, axis=1), self.dictionary
            )
            self._W = self._fit.adapted_templates()
            self._excerpt.clear()
        return self._fit
