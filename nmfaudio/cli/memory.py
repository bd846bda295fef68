"""Refuse work that cannot fit into memory, before it makes the whole machine swap."""

from __future__ import annotations

from nmfaudio.errors import LimitError

# Measured with 4 sources and 30 components on 5 minutes: for each frame the spectrogram, the model
# and the masks, which all channels share; for each sample the mixture, the parts and their sum.
_BYTES_PER_FRAME = 44
_BYTES_PER_SAMPLE = 24


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


def check_memory(channels: int, frames: int) -> None:
    """Refuse a recording when separating it would need more memory than there is.

    Raises
    ------
    LimitError
        The estimate is more than the memory available.
    """
    free = available()
    need = frames * (_BYTES_PER_FRAME + channels * _BYTES_PER_SAMPLE)
    if free is not None and need > free:
        raise LimitError(
            f"needs about {need / 2**30:.1f} GiB of memory, {free / 2**30:.1f} GiB are available;"
            " take a shorter stretch with --preview"
        )
