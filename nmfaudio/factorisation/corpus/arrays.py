"""Corpora of spectrograms in memory, which are written to disk for the tasks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nmfaudio.errors import ParameterError, ShapeError
from nmfaudio.factorisation.checks import as_spectrogram
from nmfaudio.factorisation.corpus.driver import Tasks
from nmfaudio.factorisation.corpus.plan import Plan, Shard
from nmfaudio.factorisation.corpus.store import save_array
from nmfaudio.factorisation.corpus.tasks import run_group, run_part
from nmfaudio.factorisation.corpus.workspace import map_array

_FOLDER = "blocks"


class Blocks(NamedTuple):
    """Descriptions of the blocks of a corpus, their lengths, and settings that they imply."""

    blocks: list[dict[str, Any]]
    frames: list[int]
    settings: dict[str, Any]


def write_blocks(arrays: Iterable[Any], root: Path) -> Blocks:
    """Write spectrograms, under the hash of their content, below the working folder of fits.

    Parameters
    ----------
    arrays : iterable of np.ndarray [shape=(freq, time)]
        Consumed one by one.
    root : Path

    Returns
    -------
    Blocks
    """
    blocks, frames = [], []
    first: np.ndarray | None = None
    for number, array in enumerate(arrays):
        V, weights = as_spectrogram(array)
        if V.ndim != 2:
            raise ShapeError(f"block {number} has shape {V.shape}; it must be (freq, time)")
        if weights is not None:
            raise ParameterError(f"block {number} has masked bins; fill them first, e.g. with 0")
        if first is None:
            first = V[:, :1].copy()
        elif (len(V), V.dtype) != (len(first), first.dtype):
            raise ShapeError(
                f"block {number} has {len(V)} bins of {V.dtype}, but block 0 has {len(first)} of "
                f"{first.dtype}; they must be the same"
            )
        rows = np.ascontiguousarray(V.T)
        name = f"{array_digest(rows)}.npy"
        if not (root / _FOLDER / name).exists():
            save_array(root / _FOLDER / name, rows)
        blocks.append({"file": name})
        frames.append(len(rows))
    if first is None:
        raise ParameterError("the corpus is empty; give at least one block")
    return Blocks(blocks, frames, {"n_bins": len(first), "dtype": first.dtype.name})


def array_digest(array: np.ndarray) -> str:
    """Hash of the shape, the dtype and the values of an array."""
    content = hashlib.blake2b(f"{array.shape} {array.dtype}".encode(), digest_size=16)
    content.update(np.ascontiguousarray(array).data.cast("B"))
    return content.hexdigest()


def array_frames(folder: Path, plan: Plan, shard: Shard) -> np.ndarray:
    """Spectrogram of a shard, (freq, time)."""
    rows = map_array(folder.parent / _FOLDER / plan.blocks[shard.block]["file"])
    return rows[shard.first : shard.stop].T


def run_array_part(folder: str, step: str, part: int) -> None:
    """Task of a part of a corpus of arrays."""
    run_part(array_frames, folder, step, part)


def run_array_group(folder: str, step: str, group: int) -> None:
    """Task of a group of a corpus of arrays."""
    run_group(array_frames, folder, step, group)


ARRAY_TASKS = Tasks(run_array_part, run_array_group)
