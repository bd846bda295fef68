"""Refuse work that cannot fit into memory, before it makes the whole machine swap."""

from __future__ import annotations

from nmfaudio.errors import LimitError


def available() -> int | None:
    """How many bytes of memory could be had without swapping; None where nobody says."""
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            for line in lines:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except OSError:  # not Linux
        pass
    return None


def check_memory(need: int) -> None:
    """Refuse a recording when separating it would take more further bytes than there are.

    Raises
    ------
    LimitError
        More are needed than are available.
    """
    free = available()
    if free is not None and need > free:
        raise LimitError(
            f"needs about {need / 2**30:.1f} GiB of memory, {free / 2**30:.1f} GiB are available;"
            " take a shorter stretch with --preview"
        )
