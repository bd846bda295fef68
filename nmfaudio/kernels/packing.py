"""Copies of W for the sweeps, and sums of what the sweeps accumulate, strip by strip.

Each function works on a range of strips, so that threads can share them. `layout.strips` and
`layout.panels` do the same in NumPy.
"""

from __future__ import annotations

import numpy as np

from nmfaudio.kernels.bundles import Templates
from nmfaudio.kernels.jit import kernel
from nmfaudio.kernels.layout import GROUP


@kernel
def pack_strips(W: np.ndarray, first: int, last: int, strips: np.ndarray) -> None:
    """Copy the strips `first` … `last` − 1 of W (depth, freq) to `strips` (strip * depth, columns).

    Called by `factorisation.solvers.fused`, as are the others.
    """
    depth, freq = W.shape
    wide = strips.shape[1]
    for s in range(first, last):
        j = s * wide
        for k in range(depth):
            source, target = W[k], strips[s * depth + k]
            for c in range(min(wide, freq - j)):
                target[c] = source[j + c]


@kernel
def pack_templates(
    W: np.ndarray, first: int, last: int, templates: Templates, sums: np.ndarray
) -> None:
    """Copy the strips `first` … `last` − 1 of W (depth, freq) to strips and panels of `templates`.

    Parameters
    ----------
    sums : np.ndarray [shape=(strip, depth)], float64
        Overwritten with the sums of each component over each strip.
    """
    depth, freq = W.shape
    wide = templates.strips.shape[1]
    pack_strips(W, first, last, templates.strips)
    begin, end = first * wide, min(last * wide, freq)
    pack_panels(W, begin, end, 0, templates.wide_panels)
    split = len(templates.wide_panels) // freq * templates.wide_panels.shape[1]
    pack_panels(W, begin, end, split, templates.narrow_panels)
    for s in range(first, last):
        for k in range(depth):
            total = 0.0
            for w in W[k, s * wide : min((s + 1) * wide, freq)]:
                total += w
            sums[s, k] = total


@kernel
def pack_panels(W: np.ndarray, begin: int, end: int, k: int, panels: np.ndarray) -> None:
    """Copy columns `begin` … `end` − 1 of W to the rows of panels, from component k on."""
    freq, width = W.shape[1], panels.shape[1]
    for row in range(0, len(panels), freq):
        for i in range(width):
            source = W[k + i]
            for j in range(begin, end):
                panels[row + j, i] = source[j]
        k += width


@kernel
def add_chunks(
    parts: np.ndarray, shards: np.ndarray, first: int, last: int, out: np.ndarray
) -> None:
    """Sum `parts` in strips over the chunks, and write the strips `first` … `last` − 1 to `out`.

    The chunks of a shard are added in order in their own precision, the shards of a group
    (`layout.GROUP`) in order in double precision, and then the groups.

    Parameters
    ----------
    parts : np.ndarray [shape=(chunk, strip * depth, columns)]
    shards : np.ndarray [shape=(shard + 1,)]
        Chunks at which shards begin and end, see `layout.shard_edges`.
    out : np.ndarray [shape=(depth, freq)]
    """
    depth, freq = out.shape
    wide = parts.shape[2]
    chunk_sum, group_sum, total = np.empty(wide, parts.dtype), np.empty(wide), np.empty(wide)
    count = len(shards) - 1
    for s in range(first, last):
        columns = min(wide, freq - s * wide)
        for k in range(depth):
            total[:] = 0
            for group in range(0, count, GROUP):
                group_sum[:] = 0
                for shard in range(group, min(group + GROUP, count)):
                    chunk_sum[:] = 0
                    for c in range(shards[shard], shards[shard + 1]):
                        row = parts[c, s * depth + k]
                        for j in range(columns):
                            chunk_sum[j] += row[j]
                    for j in range(columns):
                        group_sum[j] += chunk_sum[j]
                for j in range(columns):
                    total[j] += group_sum[j]
            for j in range(columns):
                out[k, s * wide + j] = total[j]
