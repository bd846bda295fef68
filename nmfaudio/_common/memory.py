"""Memory that this process may use."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from nmfaudio._common import control_groups
from nmfaudio.errors import ParameterError

PROCESS = 200 * 2**20
"""Bytes of a process with all libraries loaded, as measured."""

_MEMINFO = Path("/proc/meminfo")
_MOST = 2.0**63  # bytes, more than any address
_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}


def memory_limit() -> int | None:
    """Return the number of bytes that this process can still allocate without swapping.

    Returns
    -------
    int or None
        The least of the memory that is free or easily freed, the limits of the control groups less
        the memory in use there, and the limit of the address space less its size; at least 0. None
        where the system reports none of them.
    """
    limits = [
        *_available(),
        *cgroup_memory(control_groups.PROCESS),
        *_address_space(control_groups.PROCESS),
    ]
    return max(0, min(limits)) if limits else None


def cgroup_memory(process: Path) -> Iterator[int]:
    """Bytes that each control group with a limit of memory leaves.

    Parameters
    ----------
    process : Path
        Folder of the process in ``/proc``, with the files ``cgroup`` and ``mountinfo``.

    Yields
    ------
    int
    """
    for folder in control_groups.group_folders(process, "memory"):
        for limit, usage in (
            ("memory.max", "memory.current"),  # version 2
            ("memory.limit_in_bytes", "memory.usage_in_bytes"),  # version 1
        ):
            try:
                left = int((folder / limit).read_text()) - int((folder / usage).read_text())
            except (OSError, ValueError):  # no such file, or "max"
                continue
            yield left + _reclaimable(folder)


def _reclaimable(folder: Path) -> int:
    """Bytes of files that a group keeps in memory until they are needed for something else."""
    try:
        lines = (folder / "memory.stat").read_text().splitlines()
    except OSError:
        return 0
    numbers = dict(line.split(maxsplit=1) for line in lines if " " in line)
    # Version 1 counts the groups within only in the totals.
    return int(numbers.get("total_inactive_file", numbers.get("inactive_file", 0)))


def _available() -> Iterator[int]:
    """Bytes of memory of the machine available without swapping."""
    try:
        match = re.search(r"(?m)^MemAvailable: +(\d+) kB$", _MEMINFO.read_text(encoding="ascii"))
    except OSError:  # not Linux
        return
    if match:
        yield int(match[1]) * 1024


def _address_space(process: Path) -> list[int]:
    """Bytes that the limit of the address space leaves, if there is one."""
    left: list[int] = []
    if sys.platform == "linux":
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        if limit != resource.RLIM_INFINITY:
            with suppress(OSError):  # /proc is not mounted
                pages = int((process / "statm").read_text().split()[0])
                left.append(limit - pages * resource.getpagesize())
    return left


def parse_size(text: str | int, name: str = "memory") -> int:
    """Convert an amount of memory to bytes.

    Parameters
    ----------
    text : str or int
        Number of bytes, or a number with a unit: ``K``, ``M``, ``G`` and ``T``, also as ``KiB`` and
        so on, are powers of 1024; ``KB`` and so on are powers of 1000.
    name : str
        Name of the amount in messages.

    Returns
    -------
    int
        At least 1.

    Raises
    ------
    ParameterError
        It is not such an amount.

    Examples
    --------
    >>> parse_size("2G"), parse_size("1.5 MiB"), parse_size("500MB"), parse_size(4096)
    (2147483648, 1572864, 500000000, 4096)
    """
    match = re.fullmatch(r"(?i)(\d+\.?\d*|\.\d+) *([KMGT]?)(|B|iB)", str(text).strip())
    if match and not isinstance(text, bool):
        number, prefix, unit = match[1], match[2].upper(), match[3].upper()
        base = 1000 if prefix and unit == "B" else 1024
        amount = float(number) * float(base) ** _POWERS[prefix]
        size = math.floor(amount) if amount <= _MOST else 0
        if size >= 1 and not (unit == "IB" and not prefix):
            return size
    raise ParameterError(f"{name} is {text!r}; need an amount of memory, such as 500M or 2G")


def parse_budget(text: str) -> int:
    """Convert the amount of memory that a computation may use to bytes.

    Parameters
    ----------
    text : str
        As `parse_size` takes it.

    Returns
    -------
    int

    Raises
    ------
    ParameterError
        It is not such an amount, or less than a process needs before it computes anything.

    Examples
    --------
    >>> parse_budget("1G")
    1073741824
    """
    size = parse_size(text)
    if size < PROCESS:
        raise ParameterError(
            f"{text!r} is too little memory; need {PROCESS >> 20}M or more, for the libraries"
        )
    return size
