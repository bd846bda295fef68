"""Decoding of audio files, block by block, with checks against the declared length."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from nmfaudio._common.files.names import show
from nmfaudio._common.files.sources import Source, close_source, open_source
from nmfaudio.audio.io.containers import Survey, survey
from nmfaudio.audio.io.foreign import container, describe_foreign
from nmfaudio.audio.io.library_messages import collected_messages
from nmfaudio.audio.io.pyav import UNKNOWN_LENGTH, PyavSound, UndecodableError
from nmfaudio.audio.io.steady import Steady
from nmfaudio.errors import AudioFileError

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK = 16384
"""Frames per call: larger calls crash the Vorbis encoder of libsndfile."""

MOST_FRAMES_PER_BYTE = 8192
"""No format holds more: FLAC has silence of up to 65,535 frames in ten bytes."""

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
_MP3 = "MP3"
_MP3_HEAD = re.compile(rb"ID3|\xff[\xe0-\xff]")
_LOST = 2**62  # position of a decoder that was interrupted: behind all frames
_OPUS_CLOCK = 48000  # Hz: unit of Opus positions at any sample rate


@dataclass
class Decoder:
    """Open audio file; `failed_at` is the frame at which decoding stopped with an error.

    Frames are decoded in blocks, so that memory never depends on the declared length.
    """

    label: str
    size: int
    survey: Survey
    file: BinaryIO
    steady: Steady
    """The file, for the libraries that decode it."""
    state: tuple[int, int] | None
    """Of the file, before anything was read; see `check_unchanged`."""
    open_sound: Callable[[], Any]
    """Opens the file at its first frame."""
    messages: list[str]
    """Of the decoder about damage."""
    failed_at: int | None = None

    def __post_init__(self) -> None:
        self.sound = self._open()
        self.position = 0
        """Next frame to be decoded."""
        self.sr = int(self.sound.samplerate)
        self.channels = int(self.sound.channels)
        self.format = str(self.sound.format)
        self.subtype = str(self.sound.subtype)
        wide = self.subtype in _NEEDS_DOUBLE or getattr(self.sound, "wide", False)
        self.dtype = np.dtype(np.float64 if wide else np.float32)
        frames = int(self.sound.frames)
        self.total = frames if frames < UNKNOWN_LENGTH else None
        """Declared number of frames; None for FLAC of unknown length, and for PyAV's containers."""
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
        self.go_to(first)
        while last is None or self.position < last:
            block, failed = self.decode(BLOCK if last is None else last - self.position)
            if failed:
                self.failed_at = self.position
            if self.position > first and len(block):  # drop frames before `first`
                yield block[max(len(block) - (self.position - first), 0) :]
            if failed or not len(block):
                return

    @property
    def seeks_exactly(self) -> bool:
        """True if samples after a seek are those of decoding from the beginning.

        An MP3 decoder depends on earlier frames and is wrong for a while after a seek. The Ogg
        decoder seeks to a wrong frame near the end of a file, and codings such as GSM cannot seek.
        """
        return self.subtype in _SAMPLE_BYTES and self.total is not None and self.failed_at is None

    def go_to(self, frame: int) -> None:
        """Move to a frame, or where seeking is inexact to one before it; see `position`.

        Parameters
        ----------
        frame : int
        """
        import soundfile

        if self.seeks_exactly and self.position != frame:
            self.position = _LOST
            try:
                self.position = int(self.sound.seek(frame))
            except soundfile.LibsndfileError:
                self._restart()
        elif self.position > frame:
            self._restart()

    def _restart(self) -> None:
        """Begin again at the first frame, with a new decoder."""
        self.position = _LOST
        self.sound.close()
        self.sound = self._open()
        self.position = 0

    def _open(self) -> Any:
        try:
            return self.open_sound()
        except AudioFileError:
            raise
        except OSError as error:
            raise _unreadable(self.label, error) from None

    def check_unchanged(self) -> None:
        """Check that the file is as it was when it was opened.

        Raises
        ------
        AudioFileError
            Its size or the time of its last change differs.
        """
        if _state(self.file, self.label) != self.state:
            raise AudioFileError(
                f"{self.label}: was changed while it was read; wait until it is complete, and read "
                "it again"
            )

    def decode(self, frames: int) -> tuple[NDArray[Any], bool]:
        """Decode the next frames, at most `BLOCK`.

        Parameters
        ----------
        frames : int
            Largest number of frames.

        Returns
        -------
        block : np.ndarray [shape=(sample, channel)]
            New array; shorter at the end of the file and before damage.
        failed : bool
            Whether the decoder then failed.

        Raises
        ------
        AudioFileError
            The system cannot read the file.
        """
        import soundfile

        # NaN marks frames that were not reached: an error does not tell how many were decoded.
        block = np.full((min(frames, BLOCK), self.channels), np.nan, dtype=self.dtype)
        position, self.position = self.position, _LOST
        try:
            with collected_messages(self.messages) if self.format == _MP3 else nullcontext():
                block, failed = block[: len(self.sound.read(out=block))], False
        except (soundfile.LibsndfileError, UndecodableError):
            missing = np.isnan(block).all(axis=1)
            block, failed = block[: int(missing.argmax()) if missing.any() else len(block)], True
        self.position = position + len(block)
        self.check_readable()
        return block, failed

    def check_readable(self) -> None:
        """Check that the system could read all that was asked of it.

        Raises
        ------
        AudioFileError
            It could not.
        """
        failure = self.steady.failure
        if isinstance(failure, OSError):
            raise _unreadable(self.label, failure, f" from {self.position / self.sr:.3f} s on")
        if failure is not None:  # Ctrl-C
            raise failure

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
        if self.messages:
            first, *more = dict.fromkeys(self.messages)
            others = f" (and {len(more)} more)" if more else ""
            messages.append(f"damaged or cut short, the decoder reports: {first}{others}")
        if isinstance(self.sound, PyavSound):
            shortage = None if self.failed_at is not None else self.sound.shortage(decoded)
            return [shortage] if shortage else []
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


def _state(file: BinaryIO, label: str) -> tuple[int, int] | None:
    """Size and time of the last change in ns; None if it is not a file of the system."""
    try:
        descriptor = file.fileno()
    except (AttributeError, OSError):
        return None
    try:
        status = os.fstat(descriptor)
    except OSError as error:
        raise _unreadable(label, error) from None
    return status.st_size, status.st_mtime_ns


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
        state = _state(file, label)
        messages: list[str] = []
        try:
            facts = survey(file, size)
            steady = Steady(file, facts.patches)
            open_sound = partial(_open_sound, file, steady, facts, label, messages)
            audio = Decoder(label, size, facts, file, steady, state, open_sound, messages)
        except AudioFileError:
            raise
        except OSError as error:
            raise _unreadable(label, error) from None
        try:
            yield audio
        finally:
            audio.sound.close()
    finally:
        if file is not source:
            close_source(file)


def _unreadable(label: str, error: OSError, place: str = "") -> AudioFileError:
    """Error for a file that the system cannot read."""
    reason = os.strerror(error.errno) if error.errno else str(error)
    return AudioFileError(f"{label}: cannot be read{place}: {reason}; use another copy")


def _open_sound(
    file: BinaryIO, steady: Steady, facts: Survey, label: str, messages: list[str]
) -> Any:
    """Open a file with soundfile, or a container with PyAV, and collect messages about damage.

    Raises an `AudioFileError` if it is not audio, and an `OSError` if it cannot be read.
    """
    import soundfile

    file.seek(0)
    head = file.read(16)
    file.seek(0)
    try:
        if (found := container(head)) is not None:
            sound = PyavSound(steady, *found, label)
        else:
            with collected_messages(messages) if _MP3_HEAD.match(head) else nullcontext():
                sound = _sequential_type()(steady)
    except AudioFileError as error:
        refusal = error
    except (soundfile.LibsndfileError, TypeError) as error:
        refusal = AudioFileError(f"{label}: {_refusal(head, label, facts, error)}")
    else:
        if steady.failure is None:
            return sound
        sound.close()
    raise steady.failure or refusal from None


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
