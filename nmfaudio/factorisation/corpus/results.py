"""Activations of a finished fit, in a file for each block."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from nmfaudio._common.files.staging import staged
from nmfaudio.errors import NumericalError
from nmfaudio.factorisation.corpus.driver import Driver
from nmfaudio.factorisation.corpus.store import create_array
from nmfaudio.factorisation.corpus.tasks import stored_activations


def save_activations(
    driver: Driver, source: list[Any], rank: int, scale: float
) -> tuple[Path, ...]:
    """Write the activations of each block, (component, time), at the scale of the data.

    Parameters
    ----------
    driver : Driver
    source : list
        Source of the activations, see `runs.CorpusRun`.
    rank : int
        Number of components.
    scale : float
        Number that V was divided by.

    Returns
    -------
    tuple of Path
        ``.npy`` files, one for each block.
    """
    work, plan = driver.work, driver.work.plan
    dtype = np.dtype(plan.settings["dtype"])
    digits = len(str(len(plan.frames)))
    targets = [
        work.folder / "activations" / f"{block:0{digits}d}.npy" for block in range(len(plan.frames))
    ]
    with staged(targets, overwrite=True) as names:
        for frames, target in zip(plan.frames, targets, strict=True):
            create_array(names[target], target, (rank, frames), dtype)
        for number, part in enumerate(plan.parts):
            H, done = stored_activations(work, source, number), 0
            H = H if scale == 1 else H * dtype.type(scale)
            if not np.isfinite(H).all():
                raise NumericalError("a factor is not finite; try float64")
            for shard in part:
                out = np.lib.format.open_memmap(names[targets[shard.block]], "r+")
                out[:, shard.first : shard.stop] = H[done : done + shard.frames].T
                done += shard.frames
    return tuple(targets)
