"""Sums of factorisations, each under a mask of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nmfaudio.errors import ShapeError
from nmfaudio.factorisation.structures.base import Factors, Structure
from nmfaudio.kernels.products import product


@dataclass(frozen=True)
class Masked(Structure):
    """``V ≈ Σ_g M_g ∘ (W_g H_g)``: groups of components, each with its say on where they sound.

    The factors are M, W and H of each group in turn: M (freq, time), normally fixed, with any
    values ≥ 0 and with one row or one column where it does not depend on frequency or time; W
    (freq, component) and H (component, time), as in plain NMF, of as many components as the group
    has. Where a mask is 0, the group is not heard, and nothing is learned about it.

    A mask can be what a person painted, or the spectrogram of a known pitch: W and H are then the
    filter of a voice of that pitch. Components are counted through the groups; `Decomposition`
    has their W and H side by side, without the masks. Scale is shared by M, W and H as it may, so
    that `unit` is refused here.

    References
    ----------
    N. J. Bryan, G. J. Mysore and G. Wang, "ISSE: an interactive source separation editor", CHI
    2014, doi:10.1145/2556288.2557253.

    J.-L. Durrieu, G. Richard, B. David and C. Févotte, "Source/filter model for unsupervised main
    melody extraction from polyphonic audio signals", IEEE Trans. Audio, Speech, and Language
    Processing 18(3), 2010, doi:10.1109/TASL.2010.2041114.

    Examples
    --------
    A partial glides upward through a chord that stays; its loudness is found where they cross too:

    >>> import numpy as np, nmfaudio as na
    >>> M = np.eye(9)  # the partial of frame t is in bin t
    >>> loudness, chord = np.linspace(1, 2, 9), np.array([0, 0, 1.0, 0, 0, 2, 0, 0, 0])[:, None]
    >>> V = M * loudness + chord
    >>> start = [na.Factor(M, free=False), na.Factor(np.ones((9, 1)), free=False),
    ...          na.Factor(np.ones((1, 9))), na.Factor(np.ones((1, 1)), free=False),
    ...          na.Factor(np.ones((9, 1))), na.Factor(np.ones((1, 9)))]
    >>> d = na.decompose(V, start, structure=na.structures.Masked(), max_iter=500, tol=0)
    >>> bool(np.allclose(d.part([0]).sum(0), loudness, atol=0.05))
    True
    """

    name: ClassVar[str] = "masked"

    def shape(self, factors: Factors) -> tuple[int, ...]:
        shapes = [F.shape for F in factors]
        if not shapes or len(shapes) % 3 or any(len(shape) != 2 for shape in shapes):
            raise ShapeError(f"factors have shapes {shapes}; {_NEEDED}")
        whole = shapes[1][0], shapes[2][1]
        for mask, W, H in zip(shapes[::3], shapes[1::3], shapes[2::3], strict=True):
            broad = all(n in (1, full) for n, full in zip(mask, whole, strict=True))
            if not (broad and W[1] == H[0] and (W[0], H[1]) == whole):
                raise ShapeError(f"factors have shapes {shapes}; {_NEEDED}")
        return whole

    def component_axes(self, count: int) -> tuple[int | None, ...]:
        return (None,) * count  # no factor has all of them

    def scale_carriers(self, count: int) -> tuple[int, ...]:
        return tuple(range(2, count, 3))

    def n_components(self, factors: Factors) -> int:
        return sum(len(H) for H in factors[2::3])

    def templates(self, factors: Factors) -> np.ndarray:
        return np.concatenate(factors[1::3], axis=1)

    def activations(self, factors: Factors) -> np.ndarray:
        return np.concatenate(factors[2::3])

    def excerpt(self, factors: Factors, frames: slice) -> tuple[Factors, int]:
        return [
            F if i % 3 == 1 or (i % 3 == 0 and F.shape[1] == 1) else F[:, frames]
            for i, F in enumerate(factors)
        ], 0

    def select(self, factors: Factors, components: Sequence[int]) -> Factors:
        chosen: list[np.ndarray] = []
        first = 0
        for M, W, H in _groups(factors):
            own = [k - first for k in components if first <= k < first + len(H)]
            first += len(H)
            chosen += M, W[:, own], H[own]
        return chosen

    def forward(self, factors: Factors) -> np.ndarray:
        out = np.zeros(self.shape(factors), factors[1].dtype, order="F")
        for M, W, H in _groups(factors):
            part = product(W, H)
            part *= M
            out += part
        return out

    def adjoint(self, i: int, G: np.ndarray, factors: Factors) -> np.ndarray:
        M, W, H = factors[i - i % 3 : i - i % 3 + 3]
        if i % 3 == 0:
            back = G * product(W, H)
            axes = tuple(axis for axis in (0, 1) if M.shape[axis] == 1)
            return np.asarray(back.sum(axes, keepdims=True))
        G = G * M
        return product(G, H.T) if i % 3 == 1 else product(W.T, G)


_NEEDED = (
    "Masked needs M (freq, time), W (freq, component) and H (component, time) of each group in "
    "turn, with the same freq and time, or 1 of it for M"
)


def _groups(factors: Factors) -> zip[tuple[np.ndarray, ...]]:
    return zip(factors[::3], factors[1::3], factors[2::3], strict=True)
