"""Folder of a fit: where its plan, spectrograms, orders and results lie."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from nmfaudio._common.files import show, system
from nmfaudio.errors import ContentError, OutputError
from nmfaudio.factorisation.corpus.plan import Plan, Shard, load_plan
from nmfaudio.factorisation.corpus.store import Stored, load, save, save_array
from nmfaudio.kernels.layout import GROUP

Frames = Callable[[Path, Plan, Shard], np.ndarray]
"""Function of (folder, plan, shard) that returns the spectrogram of a shard, (freq, time)."""

START = -1
"""Number of the pass whose activations are the initial ones."""


@dataclass(frozen=True)
class Workspace:
    """Folder of a fit, and the function that computes its spectrograms."""

    folder: Path
    frames: Frames

    @property
    def plan(self) -> Plan:
        return load_plan(self.folder)

    def step_folder(self, step: str) -> Path:
        """Folder of the order and the results of a step."""
        return self.folder / "steps" / step

    def order(self, step: str) -> Stored:
        """Order of a step: what its tasks compute."""
        return _load_order(self.step_folder(step) / "order.npz")

    def give_order(self, step: str, order: Stored) -> None:
        """Write the order of a step, and make the folders of its results."""
        folder = self.step_folder(step)
        for group in range(self.plan.n_groups):
            self._group_folder(step, group).mkdir(parents=True, exist_ok=True)
        path = folder / "order.npz"
        if load(path) is None:
            save(path, order)

    def part_path(self, step: str, part: int) -> Path:
        """File of the result of a part."""
        return self._group_folder(step, part // GROUP) / f"part-{part:06d}.npz"

    def sum_path(self, step: str, group: int) -> Path:
        """File of the sums of a group."""
        return self.step_folder(step) / f"sums-{group:06d}.npz"

    def start_path(self, part: int) -> Path:
        """File of the initial activations of a part, (component, time)."""
        return self.folder / "start" / f"part-{part:06d}.npy"

    def discard(self, kept: Iterable[str]) -> None:
        """Remove the results of all steps but some."""
        steps = self.folder / "steps"
        names = set(kept)
        for path in sorted(steps.iterdir()) if steps.is_dir() else []:
            if path.name not in names:
                shutil.rmtree(path, ignore_errors=True)

    def spectrograms(self, part: int, *, keep: bool = False) -> list[np.ndarray]:
        """Spectrograms of the shards of a part, (freq, time); from disk, if they were kept."""
        plan, shards = self.plan, self.plan.parts[part]
        path = self.folder / "spectrograms" / f"part-{part:06d}.npy"
        if path.exists():
            rows = map_array(path)
            ends = np.cumsum([shard.frames for shard in shards])
            return [rows[e - s.frames : e].T for e, s in zip(ends, shards, strict=True)]
        spectrograms = [self.frames(self.folder, plan, shard) for shard in shards]
        if keep:
            save_array(path, np.concatenate([V.T for V in spectrograms]))
        return spectrograms

    def _group_folder(self, step: str, group: int) -> Path:
        return self.step_folder(step) / f"group-{group:06d}"


# The order of a step is the same for all tasks of a worker.
@lru_cache(maxsize=2)
def _load_order(path: Path) -> Stored:
    order = load(path)
    if order is None:
        raise ContentError(f"{show(path)}: missing or damaged; delete the folder and fit again")
    return order


def map_array(path: Path) -> np.ndarray:
    """Map a ``.npy`` file into memory."""
    # Copy-on-write: kernels would be compiled once more for arrays that cannot be written to.
    array: np.ndarray = np.load(path, mmap_mode="c", allow_pickle=False).view(np.ndarray)
    return array


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Keep other drivers out of a folder; `OutputError` if there is one.

    The system ends the lock with the process.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | system.BINARY, 0o666)
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise OutputError(f"{show(folder)}: cannot be written: {reason}; choose another") from None
    try:
        system.lock(descriptor)
        yield
    except BlockingIOError:
        raise OutputError(
            f"{show(folder)}: another fit of the same settings uses it; wait, or choose another"
        ) from None
    finally:
        os.close(descriptor)


def pass_name(number: int) -> str:
    """Name of the step of a pass over the corpus."""
    return f"pass-{number:06d}"
