"""Resource usage of a command as JSON: ``python -m benchmarks.speed.spend COMMAND…``.

This process is deliberately small: Linux counts the memory of the parent to the peak of a child.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time


def main() -> None:
    begun = time.perf_counter()
    process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(sys.argv[1:])} failed with exit code {process.returncode}")
    unit = 1 if sys.platform == "darwin" else 1024  # bytes per unit of ru_maxrss
    cpu = used.ru_utime + used.ru_stime
    print(json.dumps({"wall": wall, "cpu": cpu, "peak": used.ru_maxrss * unit}))


if __name__ == "__main__":
    main()
