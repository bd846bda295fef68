"""Check of the memory that a computation needs."""

from __future__ import annotations

from nmfaudio._common.memory import memory_limit
from nmfaudio.errors import LimitError


def check_memory(need: int) -> None:
    """Check that a number of bytes can be allocated without swapping.

    Raises
    ------
    LimitError
        More bytes are needed than are available.
    """
    limit = memory_limit()
    if limit is not None and need > limit:
        raise LimitError(
            f"needs about {need / 2**30:.1f} GiB of memory, {limit / 2**30:.1f} GiB are available;"
            " process a shorter part with --preview"
        )
