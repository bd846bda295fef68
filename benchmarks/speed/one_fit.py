"""Extra memory of one fit, in bytes: ``python -m benchmarks.speed.one_fit NAME FOLDER``.

FOLDER has V.npy, W.npy and H.npy. What counts is the peak of resident memory during the fit above
what is resident before, when the data, the code and a first small fit are there. Linux only.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from benchmarks.speed.peers import OURS, PEERS, ours


def resident(field: str) -> int:
    """VmRSS, what is resident, or VmHWM, the most there was, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(field))


def main() -> None:
    name, folder = sys.argv[1], Path(sys.argv[2])
    contender = (PEERS | {OURS: ours})[name]
    V, W, H = (np.load(folder / f"{X}.npy") for X in "VWH")
    contender(V[:, :64], W, H[:, :64], 1).run(2)
    fit = contender(V, W, H, 1).run
    Path("/proc/self/clear_refs").write_text("5")  # VmHWM starts again from VmRSS
    before = resident("VmRSS")
    fit(5)
    print(resident("VmHWM") - before)


if __name__ == "__main__":
    main()
