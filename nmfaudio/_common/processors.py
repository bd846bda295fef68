"""Number of processors that this process may use."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath

_PROCESS = Path("/proc/self")


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
    return cgroup_quota(_PROCESS)


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
    try:
        groups = (process / "cgroup").read_text(encoding="utf-8", errors="surrogateescape")
        mounts = (process / "mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:  # not Linux
        return None
    shares = [
        share
        for folder in _folders(groups.splitlines(), mounts.splitlines())
        if (share := _share(folder)) is not None
    ]
    return math.ceil(min(shares)) if shares else None


def _folders(groups: list[str], mounts: list[str]) -> Iterator[Path]:
    """Folders of the groups that limit the processor time, and of those that contain them."""
    paths = {}  # by controllers; version 2 has none here
    for line in groups:
        _, controllers, path = line.split(":", 2)
        if not controllers or "cpu" in controllers.split(","):
            paths["cgroup" if controllers else "cgroup2"] = PurePosixPath(path)
    for line in mounts:
        fields, _, system = line.partition(" - ")
        kind, *_, options = system.split()
        if kind not in paths or (kind == "cgroup" and "cpu" not in options.split(",")):
            continue
        root, mount = (_unescaped(field) for field in fields.split()[3:5])
        group = paths[kind]
        # Within a container the root may be a group itself, of which only the mount is visible.
        below = group.relative_to(root) if group.is_relative_to(root) else PurePosixPath()
        yield from (Path(mount, part) for part in (below, *below.parents))


def _unescaped(field: str) -> str:
    """Field of ``mountinfo``, in which spaces, tabs, line ends and backslashes are octal."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), field)


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
