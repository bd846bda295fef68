"""Extra memory of one fit, in bytes: ``python -m benchmarks.speed.one_fit NAME FOLDER``.

FOLDER has V.npy, W.npy and H.npy. Printed is the peak of resident memory during the fit minus the
resident memory before it, after data and code are loaded and a small fit has run. Linux only.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from benchmarks.speed.peers import OURS, PEERS, ours


def resident(field: str) -> int:
    """Current (VmRSS) or peak (VmHWM) resident memory in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(field))


def main() -> None:
    name, folder = sys.argv[1], Path(sys.argv[2])
    contender = (PEERS | {OURS: ours})[name]
    V, W, H = (np.load(folder / f"{X}.npy") for X in "VWH")
    contender(V[:, :64], W, H[:, :64], 1).run(2)
    fit = contender(V, W, H, 1).run
    Path("/proc/self/clear_refs").write_text("5")  # reset VmHWM to VmRSS
    before = resident("VmRSS")
    fit(5)
    print(resident("VmHWM") - before)


if __name__ == "__main__":
    main()
