"""Model of sounds at gliding pitches with a constant timbre."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from nmfaudio.errors import ShapeError
from nmfaudio.factorisation.structures.base import Factors, Structure
from nmfaudio.factorisation.structures.spectra import hann_lobe
from nmfaudio.kernels.gliding import FRAMES, WIDTH
from nmfaudio.kernels.products import product

BLOCK = FRAMES  # frames that share a set of active states


class Entries(NamedTuple):
    """Non-zero entries of P (freq, part, state), in groups of `WIDTH` neighbouring bins of a state.

    Parameters
    ----------
    bins : np.ndarray [shape=(group,)]
        First bin of each group. In a model of fewer than `WIDTH` bins, groups extend beyond them.
    parts : np.ndarray [shape=(group, WIDTH)]
        Part of each bin.
    states : np.ndarray [shape=(group,)]
        State of each group, ascending.
    weights : np.ndarray [shape=(group, WIDTH)]
        Entries; 0 where a group needs fewer bins.
    """

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
        Indices of these states, ascending.
    n_partials : int
        Number of partials.
    n_bins : int
        Number of bins; partials above are left out.

    Returns
    -------
    Entries
        A group for each partial of each state. Part p is partial p + 1.
    """
    centres = fundamentals[:, None] * np.arange(1, n_partials + 1)  # (pitched state, partial)
    # The lobe is less than `WIDTH` bins wide: two on each side.
    first = np.clip(np.floor(centres).astype(np.int64) - 1, 0, max(n_bins - WIDTH, 0))
    bins = first[..., None] + np.arange(WIDTH)
    weights = np.where(bins < n_bins, hann_lobe(np.abs(bins - centres[..., None])), 0)
    parts = np.broadcast_to(np.arange(n_partials)[:, None], bins.shape)
    owners = np.broadcast_to(np.asarray(states)[:, None], first.shape)
    kept = weights.any(axis=-1)
    return Entries(first[kept], parts[kept], owners[kept], weights[kept])


def whole_entries(states: np.ndarray, n_bins: int) -> Entries:
    """Return entries of states of arbitrary spectra: each bin is a part."""
    starts = np.arange(0, n_bins, WIDTH)
    first = np.minimum(starts, max(n_bins - WIDTH, 0))
    bins = first[:, None] + np.arange(WIDTH)
    # The last group overlaps the one before.
    weights = ((bins >= starts[:, None]) & (bins < n_bins)).astype(float)
    parts = np.minimum(bins, n_bins - 1)
    count = len(states)
    return Entries(
        np.tile(first, count),
        np.tile(parts, (count, 1)),
        np.repeat(states, len(first)),
        np.tile(weights, (count, 1)),
    )


def joined_entries(*several: Entries) -> Entries:
    """Return the entries of several sets of states together, by state."""
    entries = Entries(*(np.concatenate(arrays) for arrays in zip(*several, strict=True)))
    order = np.argsort(entries.states, kind="stable")
    return Entries(*(array[order] for array in entries))


@dataclass(frozen=True, eq=False)
class Gliding(Structure):
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

    def values(self, A: np.ndarray) -> np.ndarray:
        """Return the entries of the templates.

        Parameters
        ----------
        A : np.ndarray [shape=(part, sound)]
            Strengths.

        Returns
        -------
        np.ndarray [shape=(group, WIDTH)]
            Entry of W in each bin of each group.
        """
        P = self.entries
        return np.asarray(P.weights * A[P.parts, self.owners[P.states][:, None]])

    def per_part(self, values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Sum values over the entries of each part of each sound.

        Parameters
        ----------
        values : np.ndarray [shape=(group, WIDTH)]
            Value of each entry.
        shape : tuple of (int, int)
            Shape of the strengths.

        Returns
        -------
        np.ndarray [shape=(part, sound)]
            Sums in float64.
        """
        P = self.entries
        flat = P.parts * shape[1] + self.owners[P.states][:, None]  # index into (part, sound)
        sums = np.bincount(flat.ravel(), values.ravel(), shape[0] * shape[1])
        return np.asarray(sums.reshape(shape))

    def templates(self, factors: Factors) -> np.ndarray:
        A, P, count = factors[0], self.entries, len(self.owners)
        width = max(self.n_bins, WIDTH)
        flat = P.states[:, None] * width + self._bins()  # index into (state, freq)
        W = np.bincount(flat.ravel(), self.values(A).ravel(), count * width)
        return W.reshape(count, width)[:, : self.n_bins].T.astype(A.dtype)

    def forward(self, factors: Factors) -> np.ndarray:
        W, H = self.templates(factors), factors[1]
        out = np.zeros((H.shape[1], self.n_bins), H.dtype)
        for frames, states in self._blocks(H.shape[1]):
            out[frames] = product(W[:, states], H[states, frames]).T
        return out.T

    def adjoint(self, i: int, G: np.ndarray, factors: Factors) -> np.ndarray:
        A, H = factors
        if i == 1:
            W, back = self.templates(factors), np.zeros_like(H)
            for frames, states in self._blocks(H.shape[1]):
                back[states, frames] = product(W[:, states].T, G[:, frames])
            return back
        width = max(self.n_bins, WIDTH)
        spectra = np.zeros((len(H), width), H.dtype)  # Σ_t G[f, t] H[s, t], (state, freq)
        for frames, states in self._blocks(H.shape[1]):
            spectra[states, : self.n_bins] += product(G[:, frames], H[states, frames].T).T
        P = self.entries
        values = P.weights * spectra[P.states[:, None], self._bins()]
        return self.per_part(values, A.shape).astype(A.dtype)

    def _bins(self) -> np.ndarray:
        """Return all bins of each group [shape=(group, WIDTH)]."""
        return np.asarray(self.entries.bins[:, None] + np.arange(WIDTH))

    def _blocks(self, frames: int) -> list[tuple[slice, np.ndarray]]:
        """Return the frames and the active states of each block that has any."""
        return [
            (slice(b * BLOCK, min((b + 1) * BLOCK, frames)), states)
            for b, states in enumerate(np.flatnonzero(column) for column in self.active.T)
            if len(states)
        ]
