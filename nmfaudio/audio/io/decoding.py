"""One audio file being decoded block by block, with everything suspicious about it noted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from nmfaudio._common.files.names import show
from nmfaudio._common.files.sources import Source, open_source
from nmfaudio.audio.io.containers import Patched, Survey, survey
from nmfaudio.errors import AudioFileError

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK = 16384
"""Frames taken at once: more in one call crashes libsndfile's Vorbis encoder."""

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
_OPUS_CLOCK = 48000  # Hz: Opus positions count this, whatever the sample rate says


@dataclass
class Decoder:
    """An open audio file; `failed_at` is set when decoding stops with an error.

    Nothing is ever allocated because a header says so: frames come in blocks.
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
        """Frames that libsndfile expects; None for a FLAC stream that does not say."""
        if self.survey.damaged_after is not None:
            clock = _OPUS_CLOCK if self.subtype == "OPUS" else self.sr
            self.failed_at = self.survey.damaged_after * self.sr // clock

    def blocks(self, first: int = 0, last: int | None = None) -> Iterator[NDArray[Any]]:
        """Decode the frames from `first` up to `last`.

        Parameters
        ----------
        first, last : int
            Frames; without `last` to the end.

        Yields
        ------
        np.ndarray [shape=(sample, channel)]
            At most `BLOCK` frames, the caller's to keep.
        """
        last = self.total if last is None else last
        position = self._seek(first)
        while last is None or position < last:
            wanted = BLOCK if last is None else min(BLOCK, last - position)
            block, failed = self._decode(wanted)
            position += len(block)
            if failed:
                self.failed_at = position
            if position > first and len(block):
                yield block[max(len(block) - (position - first), 0) :]
            if failed or not len(block):
                return

    def _seek(self, frame: int) -> int:
        """Go to a frame, or stay at the beginning where that would not be exact."""
        import soundfile

        # An MP3 decoder needs the frames before: after a seek it is wrong for a while. That of Ogg
        # goes to another frame than it says, near the end of a file.
        if frame == 0 or self.total is None or self.format in ("MP3", "OGG"):
            return 0
        try:
            return int(self.sound.seek(frame))
        except soundfile.LibsndfileError:  # a coding like GSM, without seeking
            return 0

    def _decode(self, frames: int) -> tuple[NDArray[Any], bool]:
        """At most so many frames, and whether the decoder failed behind them."""
        import soundfile

        # NaN marks what was not reached: an error does not say how far the decoder came.
        block = np.full((frames, self.channels), np.nan, dtype=self.dtype)
        try:
            return block[: len(self.sound.read(out=block))], False
        except soundfile.LibsndfileError:
            missing = np.isnan(block).all(axis=1)
            return block[: int(missing.argmax()) if missing.any() else frames], True

    def suspicions(self, decoded: int) -> list[str]:
        """What does not fit together, one sentence each.

        Parameters
        ----------
        decoded : int
            Frames that came out when all were asked for.
        """
        found, facts = [], self.survey
        if facts.streamed or self.total is None:
            found.append(
                f"the header does not say how long it is (a streamed file); all {decoded} frames "
                "up to the end of the file were read"
            )
        if facts.declared is not None and facts.declared > facts.held:
            found.append(
                f"cut short: the header declares {self._amount(facts.declared)}, the file holds "
                f"{self._amount(facts.held)}, {decoded} frames were decoded"
            )
        if facts.unclaimed:
            found.append(
                f"{facts.unclaimed} bytes behind the {decoded} frames that the header declares "
                "were not read; the header may be wrong"
            )
        if facts.ends_early:
            found.append(f"cut short: its last page is missing; {decoded} frames were decoded")
        if self.failed_at is None and self.total is not None and decoded < self.total:
            found.append(f"{self.total} frames are declared, only {decoded} were decoded")
        return found

    def failure(self) -> str:
        """Where decoding failed, in words; call it only if `failed_at` is set."""
        at = (self.failed_at or 0) / self.sr
        whole = f" of {self.total / self.sr:.3f} s" if self.total is not None else ""
        return f"cannot be decoded from {at:.3f} s on{whole}: damaged or cut short there"

    def _amount(self, count: int) -> str:
        """Bytes of audio as frames, where the coding lets us."""
        width = _SAMPLE_BYTES.get(self.subtype)
        return f"{count // (width * self.channels)} frames" if width else f"{count} bytes"


@cache
def _sequential_type() -> Any:
    """A SoundFile that does not seek after every read, as soundfile does with seekable files.

    Those seeks, though to where the file is already, spoil the next block of an MP3 and hide
    what error made a FLAC decoder stop.
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
        If the file cannot be opened, or libsndfile does not know what it is.
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
    import soundfile

    file.seek(0)
    head = file.read(16)
    file.seek(0)
    try:
        if facts.streamed and facts.patch is not None:
            return _sequential_type()(Patched(file, facts.patch))
        if file is source:
            return _sequential_type()(file)
        # The descriptor instead of the name: any bytes will do as a name, and no callback into
        # Python swallows a Ctrl-C.
        return _sequential_type()(file.fileno(), closefd=False)
    except (soundfile.LibsndfileError, TypeError) as error:
        raise AudioFileError(f"{label}: {_why_unknown(head, facts, error)}") from None


def _why_unknown(head: bytes, facts: Survey, error: Exception) -> str:
    if not head:
        return "not an audio file: it is empty"
    if facts.ends_early or facts.damaged_after is not None:
        return "not a whole audio file: an Ogg file damaged or cut short before any audio"
    reason = str(getattr(error, "error_string", "")).rstrip(".")
    code = getattr(error, "code", 1)
    detail = f" ({reason[0].lower()}{reason[1:]})" if reason and code not in (1, 2) else ""
    return (
        f"not an audio file that can be read{detail}: it begins with {head!r}; "
        "convert it to WAV or FLAC"
    )
