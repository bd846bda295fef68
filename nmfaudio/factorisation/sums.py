"""Sums over frames in a fixed order, which does not depend on where their terms were computed.

Frames are divided into shards, see `kernels.layout`. The sums of shards are added in float64, first
in groups and then the groups, each in order.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from nmfaudio.kernels.layout import GROUP


def sum_chunks(parts: np.ndarray, shards: np.ndarray) -> np.ndarray:
    """Sum over chunks (the first axis) in the order of `packing.add_chunks`, in float64.

    Parameters
    ----------
    parts : np.ndarray [shape=(chunk, …)]
    shards : np.ndarray [shape=(shard + 1,)]
        Chunks at which shards begin and end, see `layout.shard_edges`.

    Returns
    -------
    np.ndarray
        Sum of each shard in the precision of `parts`, summed by `add_shards`.
    """
    return add_shards([parts[first:last].sum(0) for first, last in pairwise(shards)])


def add_shards(sums: np.ndarray | Sequence[np.ndarray]) -> np.ndarray:
    """Sum of the sums of shards, in float64: first in groups, then the groups, each in order."""
    groups = [add_in_order(sums[first : first + GROUP]) for first in range(0, len(sums), GROUP)]
    return add_in_order(groups)


def add_in_order(terms: np.ndarray | Sequence[np.ndarray]) -> np.ndarray:
    """Sum of arrays, one after the other, in float64."""
    total = np.zeros(np.shape(terms[0]))
    for term in terms:
        total += term
    return total
