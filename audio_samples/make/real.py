"""A guitar chord, picked and left to ring: a recording as it is, without stems."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sound import PEAK, load, start_afresh, write

RECORDING = "guit_em9"


def make(folder: Path) -> None:
    start_afresh(folder)
    y = load(RECORDING)
    write(folder / "mixture.flac", y * (PEAK / np.max(np.abs(y))))
