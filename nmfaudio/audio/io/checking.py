"""Checks of the samples and the length of a file while it is decoded."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from nmfaudio._common.validation import HIGHEST_RATE, LOWEST_RATE
from nmfaudio.audio.io.decoding import Decoder
from nmfaudio.errors import AudioFileError, ContentError, ParameterError

Nonfinite = Literal["error", "zero"]

LARGEST = 1e32
"""Largest magnitude of a sample: sums over a window are finite in float32."""
UNUSABLE = f"NaN, infinite or beyond {LARGEST:g}"
"""Description of samples that nothing can be computed from."""


def usable_samples(samples: NDArray[Any]) -> NDArray[np.bool_]:
    """Return where samples can be computed with.

    Parameters
    ----------
    samples : np.ndarray

    Returns
    -------
    np.ndarray
        False where they are NaN, infinite or beyond `LARGEST`.
    """
    usable: NDArray[np.bool_] = np.abs(samples) <= LARGEST
    return usable


def check_request(start: float | None, stop: float | None, nonfinite: str) -> None:
    """Check the arguments of a request for samples, before a file is opened.

    Raises
    ------
    ParameterError
        `start` and `stop` are no ascending times, or `nonfinite` is unknown.
    """
    if nonfinite not in get_args(Nonfinite):
        raise ParameterError(
            f"nonfinite={nonfinite!r}: need one of {', '.join(get_args(Nonfinite))}"
        )
    for name, value in (("start", start), ("stop", stop)):
        if value is not None and not (math.isfinite(value) and value >= 0):
            raise ParameterError(f"{name}={value!r}: need seconds, 0 or more")
    if stop is not None and stop <= (start or 0):
        raise ParameterError(f"stop={stop!r}: need more than start={start or 0!r} seconds")


class CheckedRange:
    """Range of a file that is decoded once, with checks.

    Parameters
    ----------
    audio : Decoder
    start, stop : float or None
        Range in seconds.
    nonfinite : {"error", "zero"}
        Treatment of NaN and infinite samples.

    Raises
    ------
    ParameterError
        The range is not within the file, or the sample rate is not that of audio.
    """

    def __init__(
        self, audio: Decoder, start: float | None, stop: float | None, nonfinite: Nonfinite
    ) -> None:
        if not LOWEST_RATE <= audio.sr <= HIGHEST_RATE:
            raise ParameterError(
                f"{audio.label}: has a sample rate of {audio.sr} Hz; need {LOWEST_RATE} to "
                f"{HIGHEST_RATE} Hz; correct the header or resample"
            )
        self.audio = audio
        self.first = round((start or 0) * audio.sr)
        self.last = None if stop is None else max(round(stop * audio.sr), self.first + 1)
        """Frame after the last; None for the end of the file."""
        if audio.total is not None and audio.total > 0:
            self._check_within(audio.total)
            self.last = None if self.last is None else min(self.last, audio.total)
        self.decoded = 0
        """Number of frames decoded so far."""
        self.repaired = 0
        """Number of samples that were not usable and are zero now."""
        self._nonfinite = nonfinite
        self._first_bad = 0

    def blocks(self) -> Iterator[NDArray[Any]]:
        """Decode the range; afterwards `messages` is valid.

        Yields
        ------
        np.ndarray [shape=(sample, channel)]
            New array of finite samples.

        Raises
        ------
        AudioFileError
            The file was changed meanwhile.
        ContentError
            Samples are NaN, infinite or beyond 1e32, and are not to be set to zero.
        """
        for block in self.audio.blocks(self.first, self.last):
            broken = ~usable_samples(block)
            if broken.any():
                if not self.repaired:
                    self._first_bad = self.first + self.decoded + int(broken.any(axis=1).argmax())
                self.repaired += int(broken.sum())
                block[broken] = 0
            self.decoded += len(block)
            yield block
        self.audio.check_unchanged()
        if self.repaired and self._nonfinite == "error":
            raise ContentError(
                f"{self.audio.label}: {self._broken()}; repair the file, or set them to zero with "
                "nonfinite='zero'"
            )

    def messages(self, *, strict: bool, salvage: bool) -> tuple[str, ...]:
        """Return warnings about the decoded range.

        Parameters
        ----------
        strict : bool
            Whether the first contradiction between header and content is an error.
        salvage : bool
            Whether the decodable part of a damaged file is kept.

        Returns
        -------
        tuple of str
            One sentence each, with the name of the file.

        Raises
        ------
        AudioFileError
            The file is damaged in a way that is not to be tolerated.
        ContentError
            There are no frames.
        """
        messages = self._warnings(strict=strict, salvage=salvage)
        if not self.decoded:
            raise ContentError(f"{self.audio.label}: has no frames; need at least one")
        if self.repaired:
            messages.append(f"{self._broken()}: now zero")
        return tuple(f"{self.audio.label}: {text}" for text in messages)

    def _broken(self) -> str:
        count = "1 sample is" if self.repaired == 1 else f"{self.repaired} samples are"
        at = self._first_bad / self.audio.sr
        return f"{count} {UNUSABLE}, the first at {at:.3f} s"

    def _check_within(self, total: int) -> None:
        """Raise a `ParameterError` unless the range lies within `total` frames."""
        # Tolerance of one frame: the duration in rounded seconds may exceed the file.
        if self.first >= total or (self.last is not None and self.last > total + 1):
            sr = self.audio.sr
            end = "the end" if self.last is None else f"{self.last / sr:g} s"
            raise ParameterError(
                f"{self.audio.label}: the range from {self.first / sr:g} s to {end} does not lie "
                f"within its {total / sr:.3f} s; choose one that does"
            )

    def _warnings(self, *, strict: bool, salvage: bool) -> list[str]:
        """Warnings about the length; raises an error for damage that is not to be tolerated."""
        audio = self.audio
        complete = self.first == 0 and self.last is None
        if audio.total is None and not complete:
            self._check_within(self.first + self.decoded)
        messages = audio.suspicions(self.decoded) if complete else self._missing()
        if audio.failed_at is not None and (self.last is None or audio.failed_at < self.last):
            if not salvage:
                raise AudioFileError(
                    f"{audio.label}: {audio.failure()}; use another copy, or keep what can be "
                    "decoded with salvage=True"
                )
            messages.append(
                f"{audio.failure()}; the {self.decoded} frames that could be decoded were kept"
            )
        if strict and messages:
            raise AudioFileError(
                f"{audio.label}: {messages[0]}; repair the file, or read it without strict"
            )
        return messages

    def _missing(self) -> list[str]:
        """Warning about an excerpt that has fewer frames than declared."""
        end = self.audio.total if self.last is None else self.last
        declared = None if end is None else end - self.first
        if self.audio.failed_at is None and declared is not None and self.decoded < declared:
            return [
                f"{declared} frames from {self.first / self.audio.sr:g} s on are declared, only "
                f"{self.decoded} were decoded"
            ]
        return []
