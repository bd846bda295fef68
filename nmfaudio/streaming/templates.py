"""Activations of fixed templates, frame by frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from nmfaudio.audio.frequency_bands import FrequencyBands
from nmfaudio.kernels.frame_updates import add_templates, update_activations

# Initial share of the templates, and of the residual, in the model of a frame.
_SHARE = 0.5


@dataclass(frozen=True, eq=False)
class Templates:
    """Fixed templates, and how they are fitted to each frame.

    Parameters
    ----------
    W : np.ndarray [shape=(lag, freq, component)]
        Templates, ≥ 0.
    groups : mapping of str to sequence of int
        Components of each stem; each component in one group.
    stacked : bool
        Whether as many frames as a template has are fitted as one vector, as in `fit_exemplars`;
        otherwise templates that overlap in time add up, as in convolutive NMF.
    residual : str, optional
        Stem of the sound that no template explains.
    excess : float
        Share by which a band must exceed its model before it has a residual.
    beta : float
        Of the β-divergence.
    band_width : float
        Width of the bands in which activations are fitted, as a share of their frequency; 0 fits
        all bins.
    refitted : int
        Number of the last frames whose activations are refitted with each new frame, without
        `stacked`.
    iterations : int
        Updates of the activations with each new frame.
    faint : float
        Share of the highest activation below which activations are set to zero.
    """

    W: np.ndarray
    groups: Mapping[str, Sequence[int]]
    stacked: bool = False
    residual: str | None = None
    excess: float = 0.5
    beta: float = 1.0
    band_width: float = 0.0
    refitted: int = 1
    iterations: int = 20
    faint: float = 0.0

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the stems."""
        residual = [] if self.residual is None else [self.residual]
        return tuple(dict.fromkeys([*self.groups, *residual]))


class TemplateFit:
    """Activations of fixed templates in frames that arrive one by one.

    Each frame gets a fixed number of multiplicative updates, from activations that are equal in
    the beginning. So they depend on the frames so far alone.

    Parameters
    ----------
    templates : Templates
    lookahead : int
        Frames after the one whose activations are used.
    """

    def __init__(self, templates: Templates, lookahead: int) -> None:
        self._settings = templates
        self._lookahead = lookahead
        groups = templates.groups.values()
        order = [k for members in groups for k in members]
        ends = np.cumsum([0, *map(len, groups)]).tolist()
        # Component ranges of the stems, in the order of the components here.
        self._spans = list(pairwise(ends))
        self._W = np.ascontiguousarray(templates.W[..., order].transpose(0, 2, 1), np.float32)
        lags, components, n_bins = self._W.shape
        width = templates.band_width
        self._bands = FrequencyBands.proportional(n_bins, width) if width else None
        pooled = self._pool(self._W)
        self._scale = (_SHARE if templates.residual else 1) / (float(pooled.sum()) or 1.0)
        n_frames = max(templates.refitted, lookahead + 1)
        self._rows = np.zeros(
            (lags if templates.stacked else n_frames, pooled.shape[2]), np.float32
        )
        if templates.stacked:  # one vector of all frames of a template
            pooled = pooled.transpose(1, 0, 2).reshape(1, components, -1)
            n_frames = 1
        # The last activations, of frames, or of the stacks that begin with them.
        count = lookahead + 1 if templates.stacked else lags - 1 + n_frames
        self._H = np.zeros((count, components), np.float32)
        self._fitted = np.ascontiguousarray(pooled)
        self._residual = np.zeros(
            (n_frames if templates.residual else 0, pooled.shape[2]), np.float32
        )

        # Silence changes nothing, but the kernels are compiled or loaded before the stream begins.
        self.update(np.zeros(n_bins, np.float32))
        self.models()

    def update(self, v: np.ndarray) -> None:
        """Fit the activations of the newest frame.

        Parameters
        ----------
        v : np.ndarray [shape=(freq,)]
        """
        settings, H = self._settings, self._H
        _append(self._rows, self._pool(v))
        V = self._rows.reshape(1, -1) if settings.stacked else self._rows
        _append(H, V[-1].sum(dtype=np.float64) * self._scale)
        if len(self._residual):
            _append(self._residual, V[-1] * np.float32(_SHARE))
        update_activations(
            V,
            self._fitted,
            H[-1:] if settings.stacked else H,
            self._residual,
            settings.excess,
            settings.iterations,
            settings.beta,
            settings.faint,
        )

    @property
    def activations(self) -> np.ndarray:
        """Activations of the frame before the lookahead [shape=(component,)], in group order."""
        row: np.ndarray = self._H[len(self._H) - 1 - self._lookahead]
        return row

    def models(self) -> np.ndarray:
        """Model of each stem in the frame before the lookahead [shape=(stem, freq)]."""
        names = self._settings.names
        parts = np.zeros((len(names), self._W.shape[2]), np.float32)
        last = len(self._H) - 1
        if self._settings.stacked:
            # The newest stack begins so many frames before the newest one as a template has lags.
            used = [(len(self._W) - 1 - i, last - self._lookahead + i) for i in range(last + 1)]
        else:
            used = [(d, last - self._lookahead - d) for d in range(len(self._W))]
        for d, row in used:
            for part, (first, end) in zip(parts, self._spans, strict=False):
                add_templates(self._W[d, first:end], self._H[row, first:end], part)
        if self._settings.residual is not None:
            residual = self._residual[len(self._residual) - 1 - self._lookahead, :, None]
            spread = residual if self._bands is None else self._bands.spread(residual)
            parts[names.index(self._settings.residual)] += spread[:, 0]
        return parts

    def _pool(self, X: np.ndarray) -> np.ndarray:
        """Sums over the bins of each band, along the last axis."""
        return X if self._bands is None else self._bands.pool(X, axis=-1)


def _append(rows: np.ndarray, row: np.ndarray | float) -> None:
    """Drop the first row of an array, and add one at the end."""
    rows[:-1] = rows[1:]
    rows[-1] = row
