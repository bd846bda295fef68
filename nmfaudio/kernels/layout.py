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
MAX_CHUNKS = 16  # fixed: the order of sums must not depend on the machine
MIN_BLOCKS = 2  # per chunk; smaller chunks would only add more sums


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


def chunk_edges(frames: int, max_chunks: int) -> np.ndarray:
    """Edges [shape=(chunk + 1,)] of at most `max_chunks` chunks of whole blocks."""
    blocks = -(-frames // FRAMES)
    chunks = max(1, min(max_chunks, -(-blocks // MIN_BLOCKS)))
    edges: np.ndarray = np.arange(chunks + 1) * blocks // chunks * FRAMES
    ends: np.ndarray = np.minimum(edges, frames)
    return ends


def round_up(count: int, step: int) -> int:
    """Smallest multiple of `step` that is at least `count`."""
    return -(-count // step) * step
