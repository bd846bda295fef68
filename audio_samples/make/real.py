"""Recording of a guitar chord, picked and left to ring, without stems."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sound import PEAK, clear_folder, load, write

RECORDING = "guit_em9"


def make(folder: Path) -> None:
    """Write the recording."""
    clear_folder(folder)
    y = load(RECORDING)
    write(folder / "mixture.flac", y * (PEAK / np.max(np.abs(y))))
