"""Convolutive model: templates of several frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nmfaudio.errors import ShapeError
from nmfaudio.factorisation.structures.base import Factors
from nmfaudio.factorisation.structures.bilinear import Bilinear
from nmfaudio.kernels.envelopes import convolve


@dataclass(frozen=True)
class Convolutive(Bilinear):
    r"""NMFD: each template is a short spectrogram of several frames.

    Notes
    -----
    With W (lag, freq, component) and H (component, time),

    .. math::

        Y_{ft} = \sum_d \sum_k W_{dfk} H_{k,t-d}

    where :math:`H_{kt} = 0` for :math:`t < 0`.

    References
    ----------
    P. Smaragdis, "Non-negative matrix factor deconvolution; extraction of multiple sound sources
    from monophonic inputs", ICA 2004, doi:10.1007/978-3-540-30110-3_63.

    Examples
    --------
    One component models every occurrence of a sound of two frames:

    >>> import numpy as np, nmfaudio as na
    >>> V = np.zeros((2, 12))
    >>> V[0, [1, 6]] = V[1, [2, 7]] = 1.0
    >>> W, H = np.ones((2, 2, 1)) + np.eye(2)[:, :, None], np.ones((1, 12))
    >>> d = na.decompose(
    ...     V, [na.Factor(W), na.Factor(H)], structure=na.structures.Convolutive(), max_iter=100
    ... )
    >>> np.flatnonzero(d.H[0] > 0.1).tolist()
    [1, 6]
    """

    name: ClassVar[str] = "convolutive"

    def shape(self, factors: Factors) -> tuple[int, ...]:
        if [F.ndim for F in factors] != [3, 2]:
            raise ShapeError(
                f"Convolutive needs W (lag, freq, component) and H (component, time), "
                f"got shapes {[F.shape for F in factors]}"
            )
        W, H = factors
        if W.shape[2] != H.shape[0]:
            raise ShapeError(
                f"W has {W.shape[2]} components (shape {W.shape}) and H has {H.shape[0]} "
                f"(shape {H.shape}); give both the same number"
            )
        return W.shape[1], H.shape[1]

    def component_axes(self, count: int) -> tuple[int | None, ...]:
        return 2, 0

    def left(self, factors: Factors) -> np.ndarray:
        return factors[0]

    def left_adjoint(self, i: int, G: np.ndarray, factors: Factors) -> np.ndarray:
        return G

    def levels(self, factors: Factors) -> np.ndarray:
        W, H = factors
        envelopes = np.ascontiguousarray(W.sum(axis=1)[None])  # (1, lag, component)
        levels: np.ndarray = convolve(envelopes, np.ascontiguousarray(H.T))[0].T
        return levels

    def excerpt(self, factors: Factors, frames: slice) -> tuple[Factors, int]:
        W, H = factors
        extra = min(frames.start, len(W) - 1)  # earlier templates extend into the excerpt
        return (W, H[..., frames.start - extra : frames.stop]), extra
