"""Harmonic model: templates as sums of fixed atoms, such as bands of partials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nmfaudio.errors import ShapeError
from nmfaudio.factorisation.structures.base import Factors
from nmfaudio.factorisation.structures.bilinear import Bilinear


@dataclass(frozen=True)
class Harmonic(Bilinear):
    r"""Harmonic NMF: templates are non-negative sums of fixed atoms.

    Atoms are normally made by `harmonic_atoms`: bands of neighbouring partials of the pitch of the
    component. Only the spectral envelope of each pitch is then learned, and a component keeps its
    pitch.

    Notes
    -----
    With atoms P (freq, atom, component), normally fixed, envelopes E (atom, component) and H
    (component, time),

    .. math::

        Y_{ft} = \sum_k W_{fk} H_{kt}, \qquad W_{fk} = \sum_m P_{fmk} E_{mk}

    References
    ----------
    E. Vincent, N. Bertin and R. Badeau, "Adaptive harmonic spectral decomposition for multiple
    pitch estimation", IEEE Trans. Audio, Speech, and Language Processing 18(3), 2010,
    doi:10.1109/TASL.2009.2034186.

    Examples
    --------
    Active pitches among 55 to 66, for an instrument of unknown timbre:

    >>> import numpy as np, nmfaudio as na
    >>> frequencies = np.arange(513) * (8000 / 1024)
    >>> P = na.structures.harmonic_atoms(frequencies, np.arange(55, 67))
    >>> envelope = np.exp(-np.arange(P.shape[1]))
    >>> V = (np.outer(P[:, :, 3] @ envelope, [1, 1, 0])
    ...      + np.outer(P[:, :, 10] @ envelope, [0, 1, 1]))
    >>> factors = [na.Factor(P, free=False), na.Factor(np.ones(P.shape[1:])),
    ...            na.Factor(np.ones((12, 3)))]
    >>> d = na.decompose(V, factors, structure=na.structures.Harmonic(), tol=1e-6)
    >>> levels = d.W.sum(0)[:, None] * d.H
    >>> [(55 + np.flatnonzero(frame > 0.1 * levels.max())).tolist() for frame in levels.T]
    [[58], [58, 65], [65]]
    """

    name: ClassVar[str] = "harmonic"

    def shape(self, factors: Factors) -> tuple[int, ...]:
        shapes = [F.shape for F in factors]
        if [len(s) for s in shapes] != [3, 2, 2] or not (
            shapes[0][1:] == shapes[1] and shapes[1][1] == shapes[2][0]
        ):
            raise ShapeError(
                f"factors have shapes {shapes}; Harmonic needs atoms (freq, atom, component), "
                "envelopes (atom, component) and H (component, time) that agree"
            )
        return shapes[0][0], shapes[2][1]

    def component_axes(self, count: int) -> tuple[int | None, ...]:
        return 2, 1, 0

    def templates(self, factors: Factors) -> np.ndarray:
        atoms, envelopes, _ = factors
        W = np.zeros((len(atoms), envelopes.shape[1]), atoms.dtype)
        for m, gains in enumerate(envelopes):
            W += atoms[:, m] * gains
        return W

    def left(self, factors: Factors) -> np.ndarray:
        return self.templates(factors)

    def left_adjoint(self, i: int, G: np.ndarray, factors: Factors) -> np.ndarray:
        atoms, envelopes, _ = factors
        spectra = G[:, None]  # (freq, 1, component)
        if i == 0:
            return spectra * envelopes
        back: np.ndarray = (atoms * spectra).sum(0, dtype=np.float64).astype(G.dtype)
        return back
