"""Refusal of settings with which a separation would take days."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nmfaudio.cli.memory import count_samples
from nmfaudio.errors import LimitError
from nmfaudio.separators.pipeline import NmfSeparator

# Slow imports are inside the functions that need them, so that --help is fast.
if TYPE_CHECKING:
    from nmfaudio._common.files.sources import Source
    from nmfaudio.separators.base import Separator

# Seconds of one processor for each cell of the spectrogram, and for each product of the model with
# it. Six separators at their default settings took from a third to twice of the estimate.
_CELL, _PRODUCT = 1e-6, 1e-10
_CONVERGED = 10_000  # iterations after which a fit with a tolerance has stopped
# Both are needed for a refusal: long recordings take long with any settings, short ones end soon.
_SLOWEST = 100  # times the duration of the recording; the default settings take less than 1
_LONGEST = 4 * 3600  # seconds


def check_work(
    separator: Separator, source: Source, time_range: tuple[float, float] | None
) -> None:
    """Check, from its header, that a file can be separated in a reasonable time.

    The estimate is the same on every machine.

    Parameters
    ----------
    separator : Separator
        Any but an `NmfSeparator` passes.
    source : path or binary file object
    time_range : tuple of float or None
        Part of the file in seconds.

    Raises
    ------
    LimitError
        It would take hours, and far longer than with usual settings.
    """
    from nmfaudio.audio.io.inspecting import read_header

    if not isinstance(separator, NmfSeparator):
        return
    header = read_header(source)
    sr = header.sr
    transform, (components, _) = separator.transform(sr), separator.size()
    iterations = separator.max_iter
    most = iterations if separator.tol == 0 else min(iterations, _CONVERGED)
    cells = len(transform.frequencies) * sr / transform.hop  # of a second of audio
    slowness = cells * (_CELL + _PRODUCT * components * most)
    if slowness <= _SLOWEST:
        return
    duration = count_samples(header, source, time_range) / sr
    if slowness * duration > _LONGEST:
        raise LimitError(
            f"{components} components (of all models and lags), {iterations} iterations and a hop "
            f"of {transform.hop} would take up to {slowness * duration / 3600:.0f} hours of one "
            f"processor for {duration:.0f} s of audio; use fewer of them, a longer --hop or a part "
            "with --preview, or call the separator in Python, where nothing is refused"
        )
