"""Number of processors that this process may use."""

from __future__ import annotations

import math
import os
from functools import cache
from pathlib import Path

from nmfaudio._common.control_groups import PROCESS, group_folders


def usable_processors() -> int:
    """Processors that the affinity of this process and its control groups allow.

    A container that may use 2 of 64 processors usually has all of them in its affinity, and a quota
    of time. With more threads than the quota allows, all of them wait for the next period.
    """
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    quota = _quota()
    return count if quota is None else max(1, min(count, quota))


@cache
def _quota() -> int | None:
    return cgroup_quota(PROCESS)


def cgroup_quota(process: Path) -> int | None:
    """Least quota of a process's control groups in processors, rounded up; None without one.

    Parameters
    ----------
    process : Path
        Folder of the process in ``/proc``, with the files ``cgroup`` and ``mountinfo``.

    Returns
    -------
    int or None
    """
    shares = [
        share for folder in group_folders(process, "cpu") if (share := _share(folder)) is not None
    ]
    return math.ceil(min(shares)) if shares else None


def _share(folder: Path) -> float | None:
    """Quota of one group in processors, None if it has none."""
    try:
        if (folder / "cpu.max").exists():  # version 2
            quota, period = (folder / "cpu.max").read_text().split()
        else:
            quota = (folder / "cpu.cfs_quota_us").read_text()
            period = (folder / "cpu.cfs_period_us").read_text()
        share = int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):  # no such file, or "max"
        return None
    return share if share > 0 else None  # -1 is no limit
