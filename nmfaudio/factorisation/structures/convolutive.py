"""Templates that last several frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nmfaudio.errors import ShapeError
from nmfaudio.factorisation.structures.base import Factors, Structure
from nmfaudio.kernels.envelopes import convolve
from nmfaudio.kernels.products import accumulate


@dataclass(frozen=True)
class Convolutive(Structure):
    """``V[f, t] ≈ Σ_d Σ_k W[d, f, k] H[k, t − d]``: each component is a short spectrogram (NMFD).

    W is (lag, freq, component) and H (component, time). Smaragdis 2004,
    doi:10.1007/978-3-540-30110-3_63.

    Examples
    --------
    A sound of two frames is one component, however often it comes:

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

    def forward(self, factors: Factors) -> np.ndarray:
        W, H = factors
        rows = np.ascontiguousarray(H.T)
        time = len(rows)
        out = np.zeros((time, W.shape[1]), W.dtype)
        for lag, template in enumerate(W[:time]):
            accumulate(rows[: time - lag], np.ascontiguousarray(template.T), out[lag:])
        return out.T

    def adjoint(self, i: int, G: np.ndarray, factors: Factors) -> np.ndarray:
        W, H = factors
        rows = np.ascontiguousarray(G.T)
        time = len(rows)
        if i == 0:
            templates = np.zeros((len(W), H.shape[0], W.shape[1]), W.dtype)
            for lag in range(min(len(W), time)):
                accumulate(np.ascontiguousarray(H[:, : time - lag]), rows[lag:], templates[lag])
            return templates.transpose(0, 2, 1)
        out = np.zeros((time, W.shape[2]), W.dtype)
        for lag, template in enumerate(W[:time]):
            accumulate(rows[lag:], np.ascontiguousarray(template), out[: time - lag])
        return out.T

    def levels(self, factors: Factors) -> np.ndarray:
        W, H = factors
        envelopes = np.ascontiguousarray(W.sum(axis=1)[None])
        levels: np.ndarray = convolve(envelopes, np.ascontiguousarray(H.T))[0].T
        return levels

    def excerpt(self, factors: Factors, frames: slice) -> tuple[Factors, int]:
        W, H = factors
        extra = min(frames.start, len(W) - 1)  # templates reach into later frames
        return (W, H[..., frames.start - extra : frames.stop]), extra
