"""Model of sounds at gliding pitches with a constant timbre."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from nmfaudio.errors import ShapeError
from nmfaudio.factorisation.structures.base import Factors
from nmfaudio.factorisation.structures.bilinear import Bilinear
from nmfaudio.factorisation.structures.spectra import hann_lobe
from nmfaudio.kernels.products import product

BLOCK = 64  # frames that share a set of active states

_REACH = 2  # bins on each side of a partial: half the main lobe of a Hann window


class Entries(NamedTuple):
    """Non-zero entries of P (freq, part, state), as arrays of shape (entry,)."""

    bins: np.ndarray
    parts: np.ndarray
    states: np.ndarray
    weights: np.ndarray


def partial_entries(
    fundamentals: np.ndarray, states: np.ndarray, *, n_partials: int, n_bins: int
) -> Entries:
    """Return entries of partials with the main lobe of a Hann window.

    Parameters
    ----------
    fundamentals : np.ndarray [shape=(pitched state,)]
        Fundamental frequency of each state, in bins.
    states : np.ndarray [shape=(pitched state,)]
        Indices of these states.
    n_partials : int
        Number of partials.
    n_bins : int
        Number of bins; partials above are left out.

    Returns
    -------
    Entries
        Part p is partial p + 1.
    """
    # (pitched state, partial, bin of the lobe)
    centres = fundamentals[:, None, None] * np.arange(1, n_partials + 1)[:, None]
    bins = np.rint(centres).astype(np.int64) + np.arange(-_REACH, _REACH + 1)
    weights = hann_lobe(np.abs(bins - centres))
    parts = np.broadcast_to(np.arange(n_partials)[:, None], bins.shape)
    indices = np.broadcast_to(np.asarray(states)[:, None, None], bins.shape)
    kept = (weights > 0) & (bins >= 0) & (bins < n_bins)
    return Entries(bins[kept], parts[kept], indices[kept], weights[kept])


def whole_entries(states: np.ndarray, n_bins: int) -> Entries:
    """Return entries of states of arbitrary spectra: each bin is a part."""
    bins = np.tile(np.arange(n_bins), len(states))
    return Entries(bins, bins, np.repeat(states, n_bins), np.ones(len(bins)))


@dataclass(frozen=True, eq=False)
class Gliding(Bilinear):
    r"""Gliding model: pitch states of a sound share the strengths of its partials.

    A state is a sound at one of several pitches close to one another. A sound has the same timbre
    in all its states, so vibrato cannot be mistaken for a change of timbre.

    Parameters
    ----------
    n_bins : int
        Number of frequencies of V.
    entries : Entries
        Non-zero entries of P.
    owners : np.ndarray [shape=(state,)]
        Sound of each state.
    active : np.ndarray [shape=(state, block)]
        Whether a state may be active in a block of `BLOCK` frames. H is ignored elsewhere.

    Notes
    -----
    With P (freq, part, state), fixed, strengths A (part, sound) of the parts of each sound, which
    are its partials if it is pitched, H (state, time), and :math:`o(s)` the sound of state s,

    .. math::

        Y_{ft} = \sum_s W_{fs} H_{st}, \qquad W_{fs} = \sum_p P_{fps} A_{p,o(s)}
    """

    n_bins: int
    entries: Entries
    owners: np.ndarray
    active: np.ndarray

    name: ClassVar[str] = "gliding"

    def shape(self, factors: Factors) -> tuple[int, ...]:
        shapes = [F.shape for F in factors]
        if (
            [len(s) for s in shapes] != [2, 2]
            or shapes[1][0] != len(self.owners)
            or -(-shapes[1][1] // BLOCK) != self.active.shape[1]
        ):
            raise ShapeError(
                f"factors have shapes {shapes}; Gliding needs strengths (part, sound) and H of "
                f"{len(self.owners)} states and {self.active.shape[1]} blocks of frames"
            )
        return self.n_bins, shapes[1][1]

    def component_axes(self, count: int) -> tuple[int | None, ...]:
        return None, 0

    def select(self, factors: Factors, components: Sequence[int]) -> Factors:
        # The other states are silenced, not removed: `owners` and `active` refer to all states.
        H = np.zeros_like(factors[1])
        H[list(components)] = factors[1][list(components)]
        return [factors[0], H]

    def templates(self, factors: Factors) -> np.ndarray:
        A, P = factors[0], self.entries
        values = P.weights * A[P.parts, self.owners[P.states]]
        flat = P.states * self.n_bins + P.bins  # index into (state, freq)
        count = len(self.owners)
        W = np.bincount(flat, values, count * self.n_bins).reshape(count, self.n_bins)
        return W.T.astype(A.dtype)

    def left(self, factors: Factors) -> np.ndarray:
        return self.templates(factors)

    def left_adjoint(self, i: int, G: np.ndarray, factors: Factors) -> np.ndarray:
        A, P = factors[0], self.entries
        values = P.weights * G[P.bins, P.states]
        flat = P.parts * A.shape[1] + self.owners[P.states]  # index into (part, sound)
        return np.bincount(flat, values, A.size).reshape(A.shape).astype(A.dtype)

    def right(self, factors: Factors) -> np.ndarray:
        H = factors[1]
        silenced = ~self._active_frames(H.shape[1]) & (H != 0)
        return np.where(silenced, H.dtype.type(0), H) if silenced.any() else H

    def right_adjoint(self, i: int, G: np.ndarray, factors: Factors) -> np.ndarray:
        return np.where(self._active_frames(G.shape[1]), G, G.dtype.type(0))

    def forward(self, factors: Factors) -> np.ndarray:
        W, H = self.templates(factors), factors[1]
        out = np.zeros((H.shape[1], self.n_bins), H.dtype)
        for frames, states in self._blocks(H.shape[1]):
            out[frames] = product(W[:, states], H[states, frames]).T
        return out.T

    def adjoint(self, i: int, G: np.ndarray, factors: Factors) -> np.ndarray:
        H = factors[1]
        if i == 1:
            W, back = self.templates(factors), np.zeros_like(H)
            for frames, states in self._blocks(H.shape[1]):
                back[states, frames] = product(W[:, states].T, G[:, frames])
            return back
        spectra = np.zeros((len(H), self.n_bins), H.dtype)  # Σ_t G[f, t] H[s, t], (state, freq)
        for frames, states in self._blocks(H.shape[1]):
            spectra[states] += product(G[:, frames], H[states, frames].T).T
        return self.left_adjoint(0, spectra.T, factors)

    def _active_frames(self, frames: int) -> np.ndarray:
        """Return whether each state may be active in each frame [shape=(state, time)]."""
        return np.repeat(self.active, BLOCK, axis=1)[:, :frames]

    def _blocks(self, frames: int) -> list[tuple[slice, np.ndarray]]:
        """Return the frames and the active states of each block that has any."""
        return [
            (slice(b * BLOCK, min((b + 1) * BLOCK, frames)), states)
            for b, states in enumerate(np.flatnonzero(column) for column in self.active.T)
            if len(states)
        ]
