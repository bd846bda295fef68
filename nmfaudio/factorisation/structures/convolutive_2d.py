"""Templates that last several frames and sound at several pitches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nmfaudio.errors import ShapeError
from nmfaudio.factorisation.structures.base import Factors, Structure
from nmfaudio.factorisation.structures.convolutive import Convolutive

_LAGGED = Convolutive()


@dataclass(frozen=True)
class Convolutive2D(Structure):
    """``V[f, t] ≈ Σ_d Σ_s Σ_k W[d, f − s, k] H[s, k, t − d]``: templates move up and on (NMF2D).

    On a logarithmic frequency axis the same spectrum some bins higher is the same instrument at
    another pitch, so that one template does for all of its notes. W is (lag, freq, component) and
    H (shift, component, time); what a shift moves out at the top is lost.

    References
    ----------
    M. N. Schmidt and M. Mørup, "Nonnegative matrix factor 2-D deconvolution for blind single
    channel source separation", ICA 2006, doi:10.1007/11679363_87.

    Examples
    --------
    One template, two pitches: the second note sounds three bins higher.

    >>> import numpy as np, nmfaudio as na
    >>> W = np.zeros((2, 12, 1))
    >>> W[0, [0, 4, 7], 0], W[1, [0, 4, 7], 0] = (4, 2, 1), (2, 1, 0)
    >>> H = np.zeros((5, 1, 9))
    >>> H[0, 0, 1] = H[3, 0, 5] = 1.0
    >>> V = na.structures.Convolutive2D().forward([W, H])
    >>> V[:, [1, 5]].argmax(axis=0).tolist()
    [0, 3]
    >>> start = np.random.default_rng(0).random(H.shape)
    >>> d = na.decompose(V, [na.Factor(W, free=False), na.Factor(start)],
    ...                  structure=na.structures.Convolutive2D(), max_iter=500, tol=0)
    >>> bool(np.allclose(d.H, H, atol=1e-3))
    True
    """

    name: ClassVar[str] = "convolutive-2d"

    def shape(self, factors: Factors) -> tuple[int, ...]:
        shapes = [F.shape for F in factors]
        if [len(s) for s in shapes] != [3, 3] or shapes[0][2] != shapes[1][1]:
            raise ShapeError(
                f"factors have shapes {shapes}; Convolutive2D needs W (lag, freq, component) and "
                "H (shift, component, time) of one number of components"
            )
        if shapes[1][0] > shapes[0][1]:
            raise ShapeError(
                f"H has {shapes[1][0]} shifts and W {shapes[0][1]} bins; give H at most as many"
            )
        return shapes[0][1], shapes[1][2]

    def component_axes(self, count: int) -> tuple[int | None, ...]:
        return 2, 1

    def forward(self, factors: Factors) -> np.ndarray:
        return _LAGGED.forward(_as_lagged(factors))

    def adjoint(self, i: int, G: np.ndarray, factors: Factors) -> np.ndarray:
        W, H = factors
        back = _LAGGED.adjoint(i, G, _as_lagged(factors))
        if i == 1:
            return back.reshape(H.shape)
        each = back.reshape(*W.shape[:2], len(H), W.shape[2])
        out = np.zeros_like(W)
        for shift in range(len(H)):
            out[:, : W.shape[1] - shift] += each[:, shift:, shift]
        return out

    def excerpt(self, factors: Factors, frames: slice) -> tuple[Factors, int]:
        return _LAGGED.excerpt(factors, frames)


def _as_lagged(factors: Factors) -> Factors:
    """The same model of `Convolutive`, with a component for each shift of each component."""
    W, H = factors
    shifted = np.zeros((*W.shape[:2], *H.shape[:2]), W.dtype)
    for shift in range(len(H)):
        shifted[:, shift:, shift] = W[:, : W.shape[1] - shift]
    many = H.shape[0] * H.shape[1]
    return shifted.reshape(*W.shape[:2], many), H.reshape(many, H.shape[2])
