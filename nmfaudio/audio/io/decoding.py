"""Decoding of audio files, block by block, with checks against the declared length."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from nmfaudio._common.files.names import show
from nmfaudio._common.files.sources import Source, open_source
from nmfaudio.audio.io.containers import Patched, Survey, survey
from nmfaudio.audio.io.foreign import describe_foreign
from nmfaudio.errors import AudioFileError

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK = 16384
"""Frames per call: larger calls crash the Vorbis encoder of libsndfile."""

_SAMPLE_BYTES = {
    "PCM_S8": 1,
    "PCM_U8": 1,
    "ULAW": 1,
    "ALAW": 1,
    "PCM_16": 2,
    "PCM_24": 3,
    "PCM_32": 4,
    "FLOAT": 4,
    "DOUBLE": 8,
}
_NEEDS_DOUBLE = ("DOUBLE", "PCM_32", "ALAC_32")  # float32 holds 24 bits
_OPUS_CLOCK = 48000  # Hz: unit of Opus positions at any sample rate


@dataclass
class Decoder:
    """Open audio file; `failed_at` is the frame at which decoding stopped with an error.

    Frames are decoded in blocks, so that memory never depends on the declared length.
    """

    label: str
    size: int
    survey: Survey
    sound: Any
    failed_at: int | None = None

    def __post_init__(self) -> None:
        self.sr = int(self.sound.samplerate)
        self.channels = int(self.sound.channels)
        self.format = str(self.sound.format)
        self.subtype = str(self.sound.subtype)
        self.dtype = np.dtype(np.float64 if self.subtype in _NEEDS_DOUBLE else np.float32)
        frames = int(self.sound.frames)
        self.total = frames if frames < 2**62 else None
        """Declared number of frames; None for a FLAC stream of unknown length."""
        if self.survey.damaged_after is not None:
            clock = _OPUS_CLOCK if self.subtype == "OPUS" else self.sr
            self.failed_at = self.survey.damaged_after * self.sr // clock

    def blocks(self, first: int = 0, last: int | None = None) -> Iterator[NDArray[Any]]:
        """Decode the frames from `first` up to `last`.

        Parameters
        ----------
        first, last : int
            Range of frames; by default to the end.

        Yields
        ------
        np.ndarray [shape=(sample, channel)]
            New array of at most `BLOCK` frames.
        """
        last = self.total if last is None else last
        position = self._seek(first)
        while last is None or position < last:
            count = BLOCK if last is None else min(BLOCK, last - position)
            block, failed = self._decode(count)
            position += len(block)
            if failed:
                self.failed_at = position
            if position > first and len(block):  # drop frames before `first`
                yield block[max(len(block) - (position - first), 0) :]
            if failed or not len(block):
                return

    def _seek(self, frame: int) -> int:
        """Seek to a frame, or stay at the beginning if seeking is inexact; return the position."""
        import soundfile

        # An MP3 decoder depends on earlier frames and is wrong for a while after a seek. The Ogg
        # decoder seeks to a wrong frame near the end of a file.
        if frame == 0 or self.total is None or self.format in ("MP3", "OGG"):
            return 0
        try:
            return int(self.sound.seek(frame))
        except soundfile.LibsndfileError:  # codings such as GSM cannot seek
            return 0

    def _decode(self, frames: int) -> tuple[NDArray[Any], bool]:
        """Decode at most `frames` frames; return them, and whether the decoder then failed."""
        import soundfile

        # NaN marks frames that were not reached: an error does not tell how many were decoded.
        block = np.full((frames, self.channels), np.nan, dtype=self.dtype)
        try:
            return block[: len(self.sound.read(out=block))], False
        except soundfile.LibsndfileError:
            missing = np.isnan(block).all(axis=1)
            return block[: int(missing.argmax()) if missing.any() else frames], True

    def suspicions(self, decoded: int) -> list[str]:
        """Contradictions between header and content, one sentence each.

        Parameters
        ----------
        decoded : int
            Number of decodable frames of the whole file.

        Returns
        -------
        list of str
        """
        messages, facts = [], self.survey
        if facts.streamed or self.total is None:
            messages.append(
                f"the header does not say how long it is (a streamed file); all {decoded} frames "
                "to the end of the file were read"
            )
        if facts.declared is not None and facts.declared > facts.available:
            messages.append(
                f"cut short: the header declares {self._amount(facts.declared)}, the file has "
                f"{self._amount(facts.available)}, {decoded} frames were decoded"
            )
        if facts.undeclared:
            messages.append(
                f"{facts.undeclared} bytes after the {decoded} frames that the header declares "
                "were not read; the header may be wrong"
            )
        if facts.ends_early:
            messages.append(f"cut short: its last page is missing; {decoded} frames were decoded")
        if self.failed_at is None and self.total is not None and decoded < self.total:
            messages.append(f"{self.total} frames are declared, only {decoded} were decoded")
        return messages

    def failure(self) -> str:
        """Description of where decoding failed; only valid if `failed_at` is set."""
        at = (self.failed_at or 0) / self.sr
        duration = f" of {self.total / self.sr:.3f} s" if self.total is not None else ""
        return f"cannot be decoded from {at:.3f} s on{duration}: damaged or cut short there"

    def _amount(self, count: int) -> str:
        """Bytes of audio as a number of frames, or of bytes if the coding is compressed."""
        width = _SAMPLE_BYTES.get(self.subtype)
        return f"{count // (width * self.channels)} frames" if width else f"{count} bytes"


@cache
def _sequential_type() -> Any:
    """Subclass of SoundFile that does not seek after every read.

    soundfile does so with seekable files. Even a seek to the current position corrupts the next
    block of an MP3 file, and hides the error that stopped a FLAC decoder.
    """
    import soundfile

    class Sequential(soundfile.SoundFile):  # type: ignore[misc]
        def seekable(self) -> bool:
            return False

    return Sequential


@contextmanager
def open_audio(source: Source) -> Iterator[Decoder]:
    """Open an audio file or a seekable binary file object for decoding.

    Parameters
    ----------
    source : str, bytes, os.PathLike or binary file object

    Yields
    ------
    Decoder

    Raises
    ------
    AudioFileError
        The file cannot be opened, or libsndfile does not recognise it.
    """
    file, size = open_source(source)
    label = show(source)
    try:
        facts = survey(file, size)
        sound = _open_sound(file, source, facts, label)
        try:
            yield Decoder(label, size, facts, sound)
        finally:
            sound.close()
    finally:
        if file is not source:
            file.close()


def _open_sound(file: BinaryIO, source: Source, facts: Survey, label: str) -> Any:
    """Open a file with soundfile; raises an `AudioFileError` if it is not audio."""
    import soundfile

    file.seek(0)
    head = file.read(16)
    file.seek(0)
    try:
        if facts.streamed and facts.patch is not None:
            return _sequential_type()(Patched(file, facts.patch))
        if file is source:
            return _sequential_type()(file)
        # By descriptor rather than by name: names may be any bytes, and without callbacks into
        # Python no Ctrl-C is lost.
        return _sequential_type()(file.fileno(), closefd=False)
    except (soundfile.LibsndfileError, TypeError) as error:
        raise AudioFileError(f"{label}: {_refusal(head, label, facts, error)}") from None


def _refusal(head: bytes, label: str, facts: Survey, error: Exception) -> str:
    """Message for a file that soundfile cannot open."""
    if not head:
        return "not an audio file: it is empty; export it again"
    if facts.ends_early or facts.damaged_after is not None:
        return (
            "not a complete audio file: an Ogg file damaged or cut short before any audio; use "
            "another copy"
        )
    reason = str(getattr(error, "error_string", "")).rstrip(".")
    code = getattr(error, "code", 1)
    detail = f" ({reason[0].lower()}{reason[1:]})" if reason and code not in (1, 2) else ""
    return (
        f"not an audio file of a supported format{detail}: it is "
        f"{describe_foreign(head, os.path.splitext(label)[1].lower())}"
    )
