"""Voices whose pitch is known, over an accompaniment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nmfaudio.errors import ShapeError
from nmfaudio.kernels.products import product
from nmfaudio.structures.base import Factors, Structure


@dataclass(frozen=True)
class Carried(Structure):
    """``V ≈ Σ_v C_v ∘ (WF HF_v) + WM HM``: known spectrograms through filters, and all the rest.

    The factors, in this order:

    - C (voice, freq, time): carriers, normally fixed, such as the spectrogram of a buzz that has
      the pitch of a voice
    - WF (freq, filter): filters, normally fixed and made by `filter_bumps`
    - HF (voice, filter, time): the filter of each frame of each voice
    - WM (freq, component), HM (component, time): the accompaniment, as in plain NMF

    Components are the voices first, then those of the accompaniment; `Decomposition.W` has the
    mean filter of each voice, without the carrier, beside WM. Scale is shared by C, WF and HF as it
    may, so that `unit` is refused here.

    References
    ----------
    J.-L. Durrieu, G. Richard, B. David and C. Févotte, "Source/filter model for unsupervised main
    melody extraction from polyphonic audio signals", IEEE Trans. Audio, Speech, and Language
    Processing 18(3), 2010, doi:10.1109/TASL.2010.2041114: its sources, narrowed to one known
    spectrum per frame.

    Examples
    --------
    A partial glides upward through a chord that stays; its loudness is found where they cross too:

    >>> import numpy as np, nmfaudio as na
    >>> C = np.eye(9)[None]  # the partial of frame t is in bin t
    >>> WF, loudness = na.filter_bumps(np.arange(9), 2), np.linspace(1, 2, 9)
    >>> chord = np.array([0, 0, 1.0, 0, 0, 2, 0, 0, 0])[:, None]
    >>> V = C[0] * loudness + chord
    >>> start = [na.Factor(C, free=False), na.Factor(WF, free=False), na.Factor(np.ones((1, 2, 9))),
    ...          na.Factor(np.ones((9, 1))), na.Factor(np.ones((1, 9)))]
    >>> d = na.decompose(V, start, structure=na.Carried(), max_iter=500, tol=0)
    >>> bool(np.allclose(d.part([0]).sum(0), loudness, atol=0.05))
    True
    """

    name: ClassVar[str] = "carried"

    def shape(self, factors: Factors) -> tuple[int, ...]:
        shapes = [F.shape for F in factors]
        if [len(s) for s in shapes] != [3, 2, 3, 2, 2] or not (
            shapes[0] == (shapes[2][0], shapes[1][0], shapes[2][2])
            and shapes[1][1] == shapes[2][1]
            and shapes[3][1] == shapes[4][0]
            and shapes[0][1:] == (shapes[3][0], shapes[4][1])
        ):
            raise ShapeError(
                f"factors have shapes {shapes}; Carried needs C (voice, freq, time), "
                "WF (freq, filter), HF (voice, filter, time), WM (freq, component) and "
                "HM (component, time) that agree"
            )
        return shapes[0][1:]

    def component_axes(self, count: int) -> tuple[int | None, ...]:
        return (None,) * count  # no factor has all of them

    def loud(self, count: int) -> tuple[int, ...]:
        return 2, 4

    def n_components(self, factors: Factors) -> int:
        return len(factors[0]) + len(factors[4])

    def templates(self, factors: Factors) -> np.ndarray:
        _, WF, HF, WM, _ = factors
        return np.concatenate([product(WF, HF.mean(2).T), WM], axis=1)

    def activations(self, factors: Factors) -> np.ndarray:
        return np.concatenate([factors[2].sum(1), factors[4]])

    def excerpt(self, factors: Factors, frames: slice) -> tuple[Factors, int]:
        return [F[..., frames] if i in (0, 2, 4) else F for i, F in enumerate(factors)], 0

    def select(self, factors: Factors, components: Sequence[int]) -> Factors:
        C, WF, HF, WM, HM = factors
        voices = [k for k in components if k < len(C)]
        others = [k - len(C) for k in components if k >= len(C)]
        return C[voices], WF, HF[voices], WM[:, others], HM[others]

    def forward(self, factors: Factors) -> np.ndarray:
        C, WF, HF, WM, HM = factors
        out = product(WM, HM)
        for carrier, filters in zip(C, HF, strict=True):
            out += carrier * product(WF, filters)
        return out

    def adjoint(self, i: int, G: np.ndarray, factors: Factors) -> np.ndarray:
        C, WF, HF, WM, HM = factors
        if i == 0:
            return np.stack([G * product(WF, filters) for filters in HF])
        if i == 1:
            both = (product(G * c, filters.T) for c, filters in zip(C, HF, strict=True))
            return np.asarray(sum(both))
        if i == 2:
            return np.stack([product(WF.T, G * carrier) for carrier in C])
        return product(G, HM.T) if i == 3 else product(WM.T, G)
