"""Sounds of one spectrum each, at pitches that may glide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from nmfaudio.errors import ShapeError
from nmfaudio.factorisation.structures.base import Factors, Structure
from nmfaudio.factorisation.structures.spectra import hann_lobe
from nmfaudio.kernels.products import product

BLOCK = 64  # frames that share which states may sound


_REACH = 2  # bins on each side of a partial that a Hann window spreads it to


class Entries(NamedTuple):
    """The entries that are not 0 of P (freq, part, state), each array of shape (entry,)."""

    bins: np.ndarray
    parts: np.ndarray
    states: np.ndarray
    weights: np.ndarray


def partial_entries(
    fundamentals: np.ndarray, states: np.ndarray, *, n_partials: int, n_bins: int
) -> Entries:
    """Partials as a Hann window shows them.

    Parameters
    ----------
    fundamentals : np.ndarray [shape=(pitched state,)]
        In bins.
    states : np.ndarray [shape=(pitched state,)]
        Which states these are.
    n_partials : int
    n_bins : int
        Partials beyond are left out.

    Returns
    -------
    Entries
        Part p is partial p + 1.
    """
    centres = fundamentals[:, None, None] * np.arange(1, n_partials + 1)[:, None]
    bins = np.rint(centres).astype(np.int64) + np.arange(-_REACH, _REACH + 1)
    weights = hann_lobe(np.abs(bins - centres))
    parts = np.broadcast_to(np.arange(n_partials)[:, None], bins.shape)
    owners = np.broadcast_to(np.asarray(states)[:, None, None], bins.shape)
    kept = (weights > 0) & (bins >= 0) & (bins < n_bins)
    return Entries(bins[kept], parts[kept], owners[kept], weights[kept])


def whole_entries(states: np.ndarray, n_bins: int) -> Entries:
    """Each bin a part of its own: states that may have any spectrum."""
    bins = np.tile(np.arange(n_bins), len(states))
    return Entries(bins, bins, np.repeat(states, n_bins), np.ones(len(bins)))


@dataclass(frozen=True, eq=False)
class Gliding(Structure):
    """``V ≈ W H`` with ``W[f, s] = Σ_p P[f, p, s] A[p, owner(s)]``: states share their strengths.

    A state is a sound at one of several pitches close to one another. The strengths A (part, sound)
    of a sound's parts, which for a pitched one are its partials, are the same in all its states,
    so that a vibrato cannot be taken for a change of timbre; H (state, time) says which state
    sounds when. P is given as the list of its entries that are not 0.

    Parameters
    ----------
    n_bins : int
        Frequencies of V.
    entries : Entries
    owners : np.ndarray [shape=(state,)]
        The sound of each state.
    active : np.ndarray [shape=(state, block)]
        In which blocks of `BLOCK` frames a state may sound at all. H outside has no influence.
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
        """The factors with all other states silent: a state alone would have lost its place."""
        H = np.zeros_like(factors[1])
        H[list(components)] = factors[1][list(components)]
        return [factors[0], H]

    def templates(self, factors: Factors) -> np.ndarray:
        A, P = factors[0], self.entries
        values = P.weights * A[P.parts, self.owners[P.states]]
        where = P.states * self.n_bins + P.bins
        count = len(self.owners)
        W = np.bincount(where, values, count * self.n_bins).reshape(count, self.n_bins)
        return W.T.astype(A.dtype)

    def forward(self, factors: Factors) -> np.ndarray:
        W, H = self.templates(factors), factors[1]
        out = np.zeros((H.shape[1], self.n_bins), H.dtype)
        for frames, some in self._blocks(H.shape[1]):
            out[frames] = product(W[:, some], H[some, frames]).T
        return out.T

    def adjoint(self, i: int, G: np.ndarray, factors: Factors) -> np.ndarray:
        A, H = factors
        if i == 1:
            W, back = self.templates(factors), np.zeros_like(H)
            for frames, some in self._blocks(H.shape[1]):
                back[some, frames] = product(W[:, some].T, G[:, frames])
            return back
        spectra = np.zeros((len(H), self.n_bins), H.dtype)
        for frames, some in self._blocks(H.shape[1]):
            spectra[some] += product(G[:, frames], H[some, frames].T).T
        P = self.entries
        values = P.weights * spectra[P.states, P.bins]
        where = P.parts * A.shape[1] + self.owners[P.states]
        return np.bincount(where, values, A.size).reshape(A.shape).astype(A.dtype)

    def _blocks(self, frames: int) -> list[tuple[slice, np.ndarray]]:
        """Each block of frames, and the states that may sound in it."""
        return [
            (slice(b * BLOCK, min((b + 1) * BLOCK, frames)), some)
            for b, some in enumerate(np.flatnonzero(on) for on in self.active.T)
            if len(some)
        ]
