"""Copies of W and sums over chunks equal those of NumPy, whatever strips a call is for."""

import numpy as np
import pytest

from nmfaudio.kernels import layout
from nmfaudio.kernels.bundles import Templates
from nmfaudio.kernels.packing import add_chunks, pack_strips, pack_templates


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("rank", "freq"), [(1, 1), (8, 70), (43, 257), (70, 1025)])
def test_packed_templates_are_those_of_layout(rank, freq, dtype):
    rng = np.random.default_rng(rank)
    shape = layout.padded_shape(rank, freq, np.dtype(dtype))
    W = layout.padded(rng.random((rank, freq), dtype), shape)
    strips, (wide, narrow) = layout.strips(W), layout.panels(W)
    empty = np.empty((0, 0), dtype)
    out = Templates(*(np.full_like(x, np.nan) for x in (strips, wide, narrow)), empty, empty)
    count = len(strips) // shape[0]
    sums, next_strips = np.empty((count, shape[0])), np.zeros_like(strips)
    for s in reversed(range(count)):
        pack_templates(W, s, s + 1, out, sums)
        pack_strips(W, s, s + 1, next_strips)
    columns = shape[1] - (count - 1) * strips.shape[1]  # of the last strip
    for packed in (out.strips, next_strips):
        np.testing.assert_array_equal(packed[: -shape[0]], strips[: -shape[0]])
        np.testing.assert_array_equal(packed[-shape[0] :, :columns], strips[-shape[0] :, :columns])
    np.testing.assert_array_equal(out.wide_panels, wide)
    np.testing.assert_array_equal(out.narrow_panels, narrow)
    np.testing.assert_allclose(sums.sum(0), W.sum(1, dtype=float), rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_chunks_are_added_in_order_within_shards_and_shards_in_double_precision(dtype):
    rng = np.random.default_rng(0)
    depth, freq = layout.padded_shape(8, 200, np.dtype(dtype))
    count = layout.strips(np.zeros((depth, freq), dtype))
    parts = rng.random((7, *count.shape)).astype(dtype)
    shards = np.array([0, 4, 7])
    out = np.empty((depth, freq), dtype)
    for s in range(len(count) // depth):
        add_chunks(parts, shards, s, s + 1, out)
    sums = []
    for first, last in ((0, 4), (4, 7)):
        total = np.zeros(count.shape, dtype)
        for part in parts[first:last]:
            total += part
        sums.append(total.astype(float))
    exact = layout.from_strips((sums[0] + sums[1]).astype(dtype), (depth, freq))
    np.testing.assert_array_equal(out, exact)


@pytest.mark.parametrize("frames", [0, 1, 47, 48, 1000, 15504, 49152, 49153, 400_000])
def test_chunks_cover_all_frames_in_whole_blocks(frames):
    edges = layout.chunk_edges(frames)
    assert edges[0] == 0
    assert edges[-1] == frames
    assert (np.diff(edges) > 0).all() or frames == 0
    assert not (edges[:-1] % layout.FRAMES).any()
    shards = layout.shard_edges(edges)
    assert shards[0] == 0
    assert shards[-1] == len(edges) - 1
    assert np.diff(shards).max() <= layout.MAX_CHUNKS


def test_the_chunks_of_a_shard_are_those_of_the_shard_alone():
    """Sums of a long recording are the sums of its shards."""
    whole, shard = layout.chunk_edges(3 * layout.SHARD + 1000), layout.chunk_edges(layout.SHARD)
    rest = layout.chunk_edges(1000)
    for n in range(3):
        part = whole[(whole >= n * layout.SHARD) & (whole <= (n + 1) * layout.SHARD)]
        np.testing.assert_array_equal(part - n * layout.SHARD, shard)
    np.testing.assert_array_equal(whole[whole >= 3 * layout.SHARD] - 3 * layout.SHARD, rest)
