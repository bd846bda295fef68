"""Recordings that are decoded where they are looked at, in bounded memory."""

from __future__ import annotations

import math
import warnings as python_warnings
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import ExitStack
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmfaudio._common.files.sources import Source
from nmfaudio._common.lazy_audio import LazyAudio
from nmfaudio.audio.io.checking import CheckedRange, Nonfinite, check_request, usable_samples
from nmfaudio.audio.io.decoding import BLOCK, open_audio
from nmfaudio.errors import AudioFileError, AudioWarning, ParameterError

_WINDOW = 4 * BLOCK  # frames decoded and kept together
_KEPT_BYTES = 2**24  # of the windows used last
_KEPT_WINDOWS = 4  # at least, also with many channels


class Track(LazyAudio):
    """Recording whose samples are decoded where it is sliced.

    ``track[:, start:stop]`` has the very samples of `nmfaudio.read`. Functions that read audio
    block by block, such as `nmfaudio.audio.analyse`, take a track in place of an array. A few
    windows of samples are kept, so that several threads may read neighbouring slices.

    A seek is exact in formats of fixed width and in FLAC. In all others, such as MP3 and Ogg, a
    slice before the one read last is decoded from the beginning of the file: read them in ascending
    order.

    Attributes
    ----------
    shape : tuple of int
        Numbers of channels and of samples.
    dtype : np.dtype
        float32, or float64 as for `nmfaudio.read`.
    sr : int
        Sample rate in Hz.
    format, subtype : str
        Container and coding as libsndfile names them.
    label : str
        Printable path.
    offset : int
        Position of the first sample in the file.
    warnings : tuple of str
        Suspicious properties of the file, one sentence each.
    """

    def __init__(
        self,
        excerpt: CheckedRange,
        extremes: tuple[float, float],
        warnings: tuple[str, ...],
        opened: ExitStack,
    ) -> None:
        self._audio, self._opened = excerpt.audio, opened
        self.sr, self.format = self._audio.sr, self._audio.format
        self.subtype, self.dtype = self._audio.subtype, self._audio.dtype
        self.label, self.warnings = self._audio.label, warnings
        self.shape = (self._audio.channels, excerpt.decoded)
        self.offset = excerpt.first
        self._lowest, self._highest = extremes
        self._repairs = excerpt.repaired > 0
        self._lock = Lock()
        self._windows: OrderedDict[int, NDArray[Any]] = OrderedDict()

    def max(self) -> float:
        """Return the largest sample."""
        return self._highest

    def min(self) -> float:
        """Return the smallest sample."""
        return self._lowest

    @property
    def peak(self) -> float:
        """Largest magnitude of a sample."""
        return max(self._highest, -self._lowest)

    def __getitem__(self, key: tuple[slice, slice]) -> NDArray[Any]:
        """Decode a slice of all channels.

        Parameters
        ----------
        key : tuple of slice
            A full slice of the channels, and a slice of samples without a step.

        Returns
        -------
        np.ndarray [shape=(channel, sample)]
            New array.

        Raises
        ------
        AudioFileError
            The file was changed since it was opened.
        ParameterError
            `key` is anything else.
        """
        start, stop = self._bounds(key)
        samples = np.empty((len(self), stop - start), self.dtype)
        first, last = start + self.offset, stop + self.offset  # in the file
        for number in range(first // _WINDOW, -(-last // _WINDOW)):
            window, begin = self._window(number), max(number * _WINDOW, self.offset)
            part = window[:, max(first - begin, 0) : last - begin]
            done = max(begin - first, 0)
            samples[:, done : done + part.shape[1]] = part
        return samples

    @property
    def facts(self) -> dict[str, Any]:
        """Facts with which `reopen_track` opens the recording undecoded, JSON-serialisable.

        Returns
        -------
        dict
        """
        return {
            "offset": self.offset,
            "samples": self.shape[1],
            "extremes": [self._lowest, self._highest],
            "repairs": self._repairs,
        }

    @property
    def seeks_exactly(self) -> bool:
        """False if the file is decoded from its beginning for a slice before the one read last."""
        return self._audio.seeks_exactly

    def check_unchanged(self) -> None:
        """Check that the file is as it was when it was opened.

        Every decoding checks it, too.

        Raises
        ------
        AudioFileError
            Its size or the time of its last change differs.
        """
        self._audio.check_unchanged()

    def close(self) -> None:
        """Close the file; a file object that was passed stays open."""
        with self._lock:
            self._windows.clear()
            self._opened.close()

    def __enter__(self) -> Track:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        """Return label, shape and sample rate."""
        return f"Track({self.label!r}, shape={self.shape}, sr={self.sr})"

    def _bounds(self, key: Any) -> tuple[int, int]:
        """First sample and the one after the last of a slice."""
        match key:
            case (channels, slice(step=None | 1) as samples) if channels == slice(None):
                start, stop, _ = samples.indices(self.shape[1])
                return start, max(start, stop)
        raise ParameterError(
            "a track is read by a slice of samples of all channels, as in track[:, start:stop]"
        )

    def _window(self, number: int) -> NDArray[Any]:
        """Samples [shape=(channel, sample)] of a window, of the file's frames that are needed."""
        with self._lock:
            if number in self._windows:
                self._windows.move_to_end(number)
                return self._windows[number]
            window = self._decode(number)
            self._windows[number] = window
            kept = max(_KEPT_WINDOWS, _KEPT_BYTES // max(window.nbytes, 1))
            while len(self._windows) > kept:
                self._windows.popitem(last=False)
            return window

    def _decode(self, number: int) -> NDArray[Any]:
        """Decode a window."""
        audio, end = self._audio, self.offset + self.shape[1]
        begin, stop = max(number * _WINDOW, self.offset), min((number + 1) * _WINDOW, end)
        window = np.empty((len(self), stop - begin), self.dtype)
        audio.go_to(begin)
        while (position := audio.position) < stop:
            # Blocks end where they did at first: at multiples of their length.
            count = min(BLOCK - position % BLOCK, stop - position)
            block, _ = audio.decode(count)
            if len(block) < count:
                self.check_unchanged()
                raise AudioFileError(
                    f"{self.label}: cannot be decoded again from {position / self.sr:.3f} s on; "
                    "use another copy"
                )
            if audio.position > begin:
                inside = block[max(begin - position, 0) :]
                done = audio.position - begin
                window[:, done - len(inside) : done] = inside.T
        self.check_unchanged()
        if self._repairs:
            window[~usable_samples(window)] = 0
        return window


def open_track(
    path: Source,
    *,
    start: float | None = None,
    stop: float | None = None,
    strict: bool = False,
    salvage: bool = False,
    nonfinite: Nonfinite = "error",
) -> Track:
    """Open a recording to be decoded where it is sliced.

    It is decoded once on opening, block by block, which finds its length, its peak and all that
    `nmfaudio.read` refuses or warns about.

    Parameters
    ----------
    path : str, bytes, os.PathLike or binary file object
        Any format that libsndfile reads; with the extra ``m4a`` also that of MP4, AAC, Matroska,
        WebM, AVI and Windows Media files. A file object must be seekable, and must not be used
        before the track is closed.
    start, stop : float, optional
        Range in seconds; by default the whole file.
    strict : bool
        Whether a file that was cut short or contradicts its header raises an error instead of a
        warning.
    salvage : bool
        Whether to keep, with a warning, the decodable part of a damaged file.
    nonfinite : {"error", "zero"}
        Treatment of NaN and infinite samples: raise an error, or set them to zero with a warning.

    Returns
    -------
    Track
        A context manager that closes the file. Each of its `warnings` is also issued as an
        `AudioWarning`.

    Raises
    ------
    AudioFileError
        The file cannot be opened or decoded, was changed meanwhile, or is suspicious and `strict`
        is set.
    ContentError
        The file has no frames, or samples that are not finite.
    ParameterError
        The range is not within the file, or the sample rate is not between 100 Hz and 1.5 MHz.

    Examples
    --------
    >>> import nmfaudio as na
    >>> from nmfaudio.audio.io import open_track
    >>> with open_track(na.example("drums")) as track:
    ...     excerpt = track[:, 44100:66150]
    ...     V = na.audio.analyse(track, na.Stft(track.sr))
    >>> excerpt.shape, track.sr, round(track.peak, 3)
    ((1, 22050), 44100, 0.891)
    """
    check_request(start, stop, nonfinite)
    with ExitStack() as opened:
        excerpt = CheckedRange(opened.enter_context(open_audio(path)), start, stop, nonfinite)
        lowest, highest = math.inf, -math.inf
        for block in excerpt.blocks():
            lowest, highest = min(lowest, float(block.min())), max(highest, float(block.max()))
        messages = excerpt.messages(strict=strict, salvage=salvage)
        for text in messages:
            python_warnings.warn(text, AudioWarning, stacklevel=2)
        return Track(excerpt, (lowest, highest), messages, opened.pop_all())


def reopen_track(path: Source, facts: Mapping[str, Any]) -> Track:
    """Open a recording again, without decoding all of it and without the warnings of that.

    Parameters
    ----------
    path : str, bytes, os.PathLike or binary file object
        The same file, unchanged.
    facts : mapping
        Attribute `facts` of its track.

    Returns
    -------
    Track

    Raises
    ------
    AudioFileError
        The file cannot be opened.

    Examples
    --------
    >>> import nmfaudio as na
    >>> with open_track(na.example("drums")) as track:
    ...     excerpt = track[:, 44100:66150]
    >>> with reopen_track(na.example("drums"), track.facts) as again:
    ...     bool((again[:, 44100:66150] == excerpt).all())
    True
    """
    with ExitStack() as opened:
        excerpt = CheckedRange(opened.enter_context(open_audio(path)), None, None, "zero")
        excerpt.first, excerpt.decoded = facts["offset"], facts["samples"]
        excerpt.repaired = int(facts["repairs"])
        lowest, highest = facts["extremes"]
        return Track(excerpt, (lowest, highest), (), opened.pop_all())
