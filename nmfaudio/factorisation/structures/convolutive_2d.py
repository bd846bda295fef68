"""Two-dimensional convolutive model: templates shifted in time and in frequency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nmfaudio.errors import ShapeError
from nmfaudio.factorisation.structures.base import Factors
from nmfaudio.factorisation.structures.bilinear import Bilinear
from nmfaudio.factorisation.structures.convolutive import Convolutive


@dataclass(frozen=True)
class Convolutive2D(Bilinear):
    r"""NMF2D: templates of several frames, shifted along a logarithmic frequency axis.

    On a logarithmic frequency axis a transposition is a shift, so one template serves all notes of
    an instrument.

    Notes
    -----
    With W (lag, freq, component) and H (shift, component, time),

    .. math::

        Y_{ft} = \sum_d \sum_s \sum_k W_{d,f-s,k} H_{s,k,t-d}

    Bins shifted above the highest frequency are lost.

    References
    ----------
    M. N. Schmidt and M. Mørup, "Nonnegative matrix factor 2-D deconvolution for blind single
    channel source separation", ICA 2006, doi:10.1007/11679363_87.

    Examples
    --------
    One template at two pitches, three bins apart:

    >>> import numpy as np, nmfaudio as na
    >>> W = np.zeros((2, 12, 1))
    >>> W[0, [0, 4, 7], 0], W[1, [0, 4, 7], 0] = (4, 2, 1), (2, 1, 0)
    >>> H = np.zeros((5, 1, 9))
    >>> H[0, 0, 1] = H[3, 0, 5] = 1.0
    >>> V = na.structures.Convolutive2D().forward([W, H])
    >>> V[:, [1, 5]].argmax(axis=0).tolist()
    [0, 3]
    >>> initial = np.random.default_rng(0).random(H.shape)
    >>> d = na.decompose(V, [na.Factor(W, free=False), na.Factor(initial)],
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
                f"H has {shapes[1][0]} shifts and W {shapes[0][1]} bins; give H at most as many "
                "shifts as W has bins"
            )
        return shapes[0][1], shapes[1][2]

    def component_axes(self, count: int) -> tuple[int | None, ...]:
        return 2, 1

    def left(self, factors: Factors) -> np.ndarray:
        # The equal `Convolutive` model has all shifts of all components as components.
        W, H = factors
        shifted = np.zeros((*W.shape[:2], *H.shape[:2]), W.dtype)
        for shift in range(len(H)):
            shifted[:, shift:, shift] = W[:, : W.shape[1] - shift]
        return shifted.reshape(*W.shape[:2], -1)

    def left_adjoint(self, i: int, G: np.ndarray, factors: Factors) -> np.ndarray:
        W, H = factors
        shifted = G.reshape(*W.shape[:2], len(H), W.shape[2])  # (lag, freq, shift, component)
        out = np.zeros_like(W)
        for shift in range(len(H)):
            out[:, : W.shape[1] - shift] += shifted[:, shift:, shift]
        return out

    def excerpt(self, factors: Factors, frames: slice) -> tuple[Factors, int]:
        return Convolutive().excerpt(factors, frames)
