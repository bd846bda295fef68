"""Control groups of a process, which limit the resources of containers and batch jobs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

PROCESS = Path("/proc/self")
"""Folder of this process."""


def group_folders(process: Path, controller: str) -> Iterator[Path]:
    """Folders of the control groups of a process, and of those that contain them.

    Parameters
    ----------
    process : Path
        Folder of the process in ``/proc``, with the files ``cgroup`` and ``mountinfo``.
    controller : str
        Resource: ``"cpu"`` or ``"memory"``. Groups of version 1 without it are omitted.

    Yields
    ------
    Path
        None without control groups, as outside Linux.
    """
    try:
        groups = (process / "cgroup").read_text(encoding="utf-8", errors="surrogateescape")
        mounts = (process / "mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:  # not Linux
        return
    paths = {}  # by kind of mount
    for line in groups.splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers or controller in controllers.split(","):  # none in version 2
            paths["cgroup" if controllers else "cgroup2"] = PurePosixPath(path)
    for line in mounts.splitlines():
        fields, _, system = line.partition(" - ")
        kind, *_, options = system.split()
        if kind not in paths or (kind == "cgroup" and controller not in options.split(",")):
            continue
        root, mount = (_unescaped(field) for field in fields.split()[3:5])
        group = paths[kind]
        # Within a container the root may be a group itself, of which only the mount is visible.
        below = group.relative_to(root) if group.is_relative_to(root) else PurePosixPath()
        yield from (Path(mount, part) for part in (below, *below.parents))


def _unescaped(field: str) -> str:
    """Field of ``mountinfo``, in which spaces, tabs, line ends and backslashes are octal."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), field)
