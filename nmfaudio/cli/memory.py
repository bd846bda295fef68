"""Check of the memory that a computation needs."""

from __future__ import annotations

from nmfaudio.errors import LimitError


def available() -> int | None:
    """Bytes of memory available without swapping; None where the system does not report it."""
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            for line in lines:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except OSError:  # not Linux
        pass
    return None


def check_memory(need: int) -> None:
    """Check that a number of bytes can be allocated without swapping.

    Raises
    ------
    LimitError
        More bytes are needed than are available.
    """
    limit = available()
    if limit is not None and need > limit:
        raise LimitError(
            f"needs about {need / 2**30:.1f} GiB of memory, {limit / 2**30:.1f} GiB are available;"
            " process a shorter part with --preview"
        )
