"""Memory layout of matrices for the sweeps: time-major, padded, aligned, and in panels.

Padding frequencies and components with zeros changes no result: zeros of W and H stay zero.
"""

from __future__ import annotations

import numpy as np

from nmfaudio.kernels.machine import REGISTER_BYTES
from nmfaudio.kernels.vectors import AWT_WIDE, MODEL_WIDE

# Frames of a block: with 1025 bins in float32 it takes 200 kB, part of a second-level cache. A
# multiple of the rows of every tile (4, 6, 12 and 24).
FRAMES = 48
ROWS = MODEL_WIDE.rows  # frames of a tile of the model
CACHE_LINE = 64  # bytes
L2_BYTES = 2**20  # of the second-level cache, at least, of a core of most processors
# Sums over frames must depend neither on the machine nor on what else is summed: a shard is divided
# into chunks by its own length.
SHARD = 1024 * FRAMES  # frames, 19 minutes at 44.1 kHz and a hop length of 1024
MAX_CHUNKS = 64  # per shard, enough for as many threads
# Sums of shards are added in groups, and then the sums of the groups: a program on many machines
# has few to read.
GROUP = 64  # shards
# Blocks of a chunk: each chunk costs a sum, so there should be eight, but some threads should get
# equal shares of short recordings, too.
BLOCKS, FEW_CHUNKS, MIN_BLOCKS = 8, 16, 2


def aligned_zeros(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Zeros aligned to a cache line, so that no vector crosses two lines."""
    size = int(np.prod(shape)) * dtype.itemsize
    memory = np.zeros(size + CACHE_LINE, np.uint8)
    first = -memory.ctypes.data % CACHE_LINE
    return memory[first : first + size].view(dtype).reshape(shape)


def padded(F: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Copy F into an aligned array of a larger shape, padded with zeros."""
    out = aligned_zeros(shape, F.dtype)
    out[tuple(slice(n) for n in F.shape)] = F
    return out


def padded_shape(depth: int, freq: int, dtype: np.dtype) -> tuple[int, int]:
    """Shape of W (depth, freq) padded to whole vectors along both axes."""
    lanes = REGISTER_BYTES // dtype.itemsize
    return round_up(depth, lanes), round_up(freq, lanes)


def strip_widths(dtype: np.dtype) -> tuple[int, int]:
    """Frequencies of a strip, and of the narrow strips of the remainder."""
    lanes = REGISTER_BYTES // dtype.itemsize
    return MODEL_WIDE.vectors * lanes, lanes


def group_frames(depth: int, freq: int, dtype: np.dtype) -> int:
    """Frames of which H is updated before their gradient for W is computed.

    One block of them is still in the cache then. But each of the two passes reads two arrays of the
    size of W, and where three of them and a block do not fit into the second-level cache, they are
    read less often than V.
    """
    W, block = depth * freq * dtype.itemsize, FRAMES * freq * dtype.itemsize
    return FRAMES if 3 * W + 2 * block <= L2_BYTES else 8 * FRAMES


def strips(W: np.ndarray) -> np.ndarray:
    """Cut the padded W (depth, freq) into wide strips, one below the other.

    In rows of W a tile of many components would touch a page of memory for each of them. The
    remainder is padded to a wide strip.

    Returns
    -------
    np.ndarray [shape=(strip * depth, columns)]
    """
    depth, freq = W.shape
    wide, _ = strip_widths(W.dtype)
    out = aligned_zeros((-(-freq // wide), depth, wide), W.dtype)
    for s, strip in enumerate(out):
        part = W[:, s * wide : (s + 1) * wide]
        strip[:, : part.shape[1]] = part
    return out.reshape(-1, wide)


def from_strips(strips: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Assemble a matrix (depth, freq) from its strips, see `strips`."""
    depth, freq = shape
    wide = strips.shape[1]
    joined = strips.reshape(-1, depth, wide).transpose(1, 0, 2).reshape(depth, -1)
    return np.ascontiguousarray(joined[:, :freq])


def panels(W: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Transpose the padded W (depth, freq) panel by panel: components lie next to each other.

    Returns
    -------
    wide, narrow : np.ndarray [shape=(panel * freq, component in panel)]
        Panels one below the other: as many as possible with the components of a wide tile, and the
        rest of one vector each.
    """
    narrow = REGISTER_BYTES // W.dtype.itemsize
    wide = narrow * AWT_WIDE.vectors
    split = len(W) // wide * wide
    return _panels(W[:split], wide), _panels(W[split:], narrow)


def _panels(W: np.ndarray, components: int) -> np.ndarray:
    """Panels of `components` rows of W each."""
    out = aligned_zeros((len(W) // components, W.shape[1], components), W.dtype)
    out[:] = W.reshape(-1, components, W.shape[1]).transpose(0, 2, 1)
    return out.reshape(-1, components)


def chunk_edges(frames: int, at_least: int = FEW_CHUNKS) -> np.ndarray:
    """Edges [shape=(chunk + 1,)] of chunks of whole blocks, at most MAX_CHUNKS in each shard.

    There are `at_least` as many, unless they would be shorter than MIN_BLOCKS blocks.
    """
    edges = [0]
    for begin in range(0, max(frames, 1), SHARD):
        blocks = -(-min(frames - begin, SHARD) // FRAMES)
        few = min(at_least, -(-blocks // MIN_BLOCKS))
        chunks = max(1, few, min(MAX_CHUNKS, blocks // BLOCKS))
        edges.extend(begin + (c + 1) * blocks // chunks * FRAMES for c in range(chunks))
    ends: np.ndarray = np.minimum(edges, frames)
    return ends


def shard_edges(edges: np.ndarray) -> np.ndarray:
    """Chunks [shape=(shard + 1,)] at which shards begin and end, given the edges of the chunks."""
    begins = np.arange(0, max(edges[-1], 1), SHARD)
    return np.append(np.searchsorted(edges, begins), len(edges) - 1)


def round_up(count: int, step: int) -> int:
    """Smallest multiple of `step` that is at least `count`."""
    return -(-count // step) * step
