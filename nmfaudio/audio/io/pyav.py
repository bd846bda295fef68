"""Decoding with PyAV of containers that libsndfile does not read: MP4, AAC and video files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from io import RawIOBase
from typing import TYPE_CHECKING, Any

import numpy as np

from nmfaudio._common.extras import missing_extra
from nmfaudio.audio.io.id3 import FRONT_COVER
from nmfaudio.errors import AudioFileError

if TYPE_CHECKING:
    from numpy.typing import NDArray

UNKNOWN_LENGTH = 2**62
"""Number of frames of a file that does not declare it; `Decoder` then counts them."""

_TOLERANCE = 0.1  # s: encoders pad the last frame, at most 2048 samples of AAC
_SCALES = {"u8": 2.0**7, "s16": 2.0**15, "s32": 2.0**31, "s64": 2.0**63, "flt": 1.0, "dbl": 1.0}
_WIDE = ("s32", "s64", "dbl")  # float32 holds 24 bits
_TAGS = {"track": "tracknumber"}


class UndecodableError(Exception):
    """Failure of FFmpeg to decode a packet."""


class PyavSound:
    """Sound of a container, with the members of `soundfile.SoundFile` that `Decoder` uses.

    Samples are those of FFmpeg: not resampled, without the delay of the encoder where the container
    declares it, as one sequence where the recording has gaps.

    Parameters
    ----------
    file : RawIOBase
        Seekable, at its beginning; it stays open.
    kind : str
        Name of the container, for messages.
    demuxer : str
        FFmpeg's name of it; no other is tried, so that no file can ask to open others.
    label : str
        Printable path.

    Raises
    ------
    AudioFileError
        PyAV is missing, or the file has no sound that FFmpeg decodes.
    """

    frames = UNKNOWN_LENGTH

    def __init__(self, file: RawIOBase, kind: str, demuxer: str, label: str) -> None:
        self._av = _load(kind, label)
        self._errors = (self._av.FFmpegError, OSError, ValueError)
        self._label, self.format = label, kind
        try:
            self._container = self._av.open(file, format=demuxer)
        except self._errors as error:
            raise self._refusal(error) from None
        stream = self._container.streams.best("audio")
        if stream is None:
            self.close()
            raise AudioFileError(f"{label}: has no sound; name a file with a sound track")
        if stream.codec_context is None:
            self.close()
            raise self._refusal("its coding is unknown")
        self.subtype = str(stream.codec_context.name).upper()
        declares = demuxer == "mov" and stream.duration
        self.seconds = float(stream.duration * stream.time_base) if declares else None
        """Declared duration; None in containers that estimate it."""
        self._decoded = self._container.decode(stream)
        try:
            self._first = next(self._decoded, None)
        except self._errors as error:
            self.close()
            raise self._refusal(error) from None
        if self._first is None:
            self.close()
            raise self._refusal("no frame is complete")
        self.samplerate, self.channels = self._first.sample_rate, len(self._first.layout.channels)
        self._sample = self._first.format.packed.name
        self.wide = self._sample in _WIDE
        """Whether samples need float64."""
        self._blocks = self._arrays()
        self._rest = np.empty((0, self.channels))

    def read(self, out: NDArray[Any]) -> NDArray[Any]:
        """Decode the next frames into an array [shape=(sample, channel)].

        Returns
        -------
        np.ndarray [shape=(sample, channel)]
            The part of `out` that was filled; shorter only at the end.

        Raises
        ------
        UndecodableError
            A packet cannot be decoded; the frames before it are in `out`.
        """
        filled = 0
        while filled < len(out):
            if not len(self._rest):
                block = next(self._blocks, None)
                if block is None:
                    break
                self._rest = block
            part = self._rest[: len(out) - filled]
            out[filled : filled + len(part)] = part
            filled, self._rest = filled + len(part), self._rest[len(part) :]
        return out[:filled]

    def shortage(self, decoded: int) -> str | None:
        """Warning if fewer frames than declared were decoded, beyond the padding of encoders."""
        if self.seconds is None or decoded / self.samplerate > self.seconds - _TOLERANCE:
            return None
        return (
            f"cut short: the header declares {self.seconds:.3f} s, {decoded / self.samplerate:.3f} "
            "s were decoded"
        )

    def copy_metadata(self) -> Mapping[str, str]:
        """Tags by the names of libsndfile."""
        found = {key.lower(): value for key, value in self._container.metadata.items()}
        return {_TAGS.get(key, key): value for key, value in found.items()}

    def pictures(self) -> Iterator[tuple[int, bytes]]:
        """Pictures attached to the recording, as front covers; no sound can be decoded after."""
        attached = self._av.stream.Disposition.attached_pic
        for stream in self._container.streams.video:
            if stream.disposition & attached:
                with suppress(*self._errors):
                    self._container.seek(0)
                    if packet := next(self._container.demux(stream), None):
                        yield FRONT_COVER, bytes(packet)

    def close(self) -> None:
        """Close the container, but not the file."""
        self._container.close()

    def _arrays(self) -> Iterator[NDArray[Any]]:
        """Blocks [shape=(sample, channel)] of all frames, scaled to full scale 1."""
        scale = _SCALES[self._sample]
        try:
            frame = self._first
            while frame is not None:
                if (frame.sample_rate, len(frame.layout.channels)) != (
                    self.samplerate,
                    self.channels,
                ):
                    raise UndecodableError("sample rate or channels change")
                block = frame.to_ndarray()
                block = block.T if frame.format.is_planar else block.reshape(-1, self.channels)
                if self._sample == "u8":
                    block = block.astype(np.int16) - 128
                yield block if scale == 1 else block / scale
                frame = next(self._decoded, None)
        except self._errors as error:
            raise UndecodableError(str(error)) from None

    def _refusal(self, error: object) -> AudioFileError:
        return AudioFileError(
            f"{self._label}: FFmpeg cannot decode this {self.format} file "
            f"({' '.join(str(error).split())}); use another copy"
        )


def _load(kind: str, label: str) -> Any:
    """Import PyAV, or raise an `AudioFileError` that says how to do without."""
    try:
        import av
    except ImportError:
        hint = missing_extra(
            "m4a", f"{kind} files", "extract the sound first: ffmpeg -i FILE sound.wav"
        )
        raise AudioFileError(f"{label}: {hint}") from None
    av.logging.set_level(None)  # FFmpeg would write to standard error
    return av
