"""How matrices lie in memory for the sweeps: time-major, padded, aligned, and in panels.

Zeros that pad frequencies and components change nothing: where W or H is zero it stays zero.
"""

from __future__ import annotations

import numpy as np

from nmfaudio.kernels.vectors import DEEP, PANEL, REGISTER, WIDE

FRAMES = 48  # in a block: with 1025 bins in float32 it takes 200 kB
LINE = 64  # bytes in a line of the cache


def aligned_zeros(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Zeros that begin at a line of the cache: a vector then never lies across two lines."""
    size = int(np.prod(shape)) * dtype.itemsize
    room = np.zeros(size + LINE, np.uint8)
    first = -room.ctypes.data % LINE
    return room[first : first + size].view(dtype).reshape(shape)


def padded(F: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """F with zeros after its entries up to that shape, as a new aligned array."""
    out = aligned_zeros(shape, F.dtype)
    out[tuple(slice(n) for n in F.shape)] = F
    return out


def padded_shape(depth: int, freq: int, dtype: np.dtype) -> tuple[int, int]:
    """Shape of W (component, freq) when both are up to whole vectors."""
    lanes, narrow = REGISTER // dtype.itemsize, max(PANEL // dtype.itemsize, 4)
    return up_to(depth, narrow), up_to(freq, lanes)


def strip_widths(dtype: np.dtype) -> tuple[int, int]:
    """How many frequencies a strip has, and the strips of what those leave over."""
    lanes = REGISTER // dtype.itemsize
    return WIDE.vectors * lanes, lanes


def panels(W: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """W (component, freq), padded, turned so that components lie next to each other.

    As panels of as many components as a deep tile is wide, as long as there are enough, then as
    panels of one vector each. A panel is (freq, component); all are below each other.
    """
    narrow = PANEL // W.dtype.itemsize
    wide = narrow * DEEP.vectors
    most = len(W) // wide * wide
    return _panels(W[:most], wide), _panels(W[most:], narrow)


def _panels(W: np.ndarray, components: int) -> np.ndarray:
    out = aligned_zeros((len(W) // components, W.shape[1], components), W.dtype)
    out[:] = W.reshape(-1, components, W.shape[1]).transpose(0, 2, 1)
    return out.reshape(-1, components)


def chunk_edges(frames: int, most: int) -> np.ndarray:
    """Where up to `most` chunks of whole blocks begin and end."""
    blocks = -(-frames // FRAMES)
    chunks = max(1, min(most, -(-blocks // SHORT_CHUNK)))
    edges: np.ndarray = np.arange(chunks + 1) * blocks // chunks * FRAMES
    ends: np.ndarray = np.minimum(edges, frames)
    return ends


MOST_CHUNKS = 16  # whose sums are added in order: it must not depend on the machine
SHORT_CHUNK = 2  # blocks; more chunks would only be more sums


def up_to(count: int, step: int) -> int:
    """The multiple of `step` at or above `count`."""
    return -(-count // step) * step
