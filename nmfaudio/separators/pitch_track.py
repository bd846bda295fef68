"""Pitch tracks: reading, estimation and synthesis of pulse trains."""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from nmfaudio.errors import AudioFileError, ContentError, ParameterError, ShapeError

if TYPE_CHECKING:
    import numpy as np

    from nmfaudio._common.lazy_audio import LazyAudio

_STEP = 0.02  # s around the row of a track of a single row that have its pitch
_MAX_BYTES = 64 * 2**20  # of a table; an hour in steps of 1 ms has that
_HEAD = 4096  # bytes of a file that are read to recognise a table
_HIGHEST_MIDI = 127
_MARGIN = 5.0  # s on each side of a piece in which the pitch is estimated
_LOWEST, _HIGHEST = 65.4, 1046.5  # range of estimated pitches in Hz (C2 to C6)


@dataclass(frozen=True, eq=False)
class Pitch:
    """Pitch of one voice over time.

    Parameters
    ----------
    times : np.ndarray [shape=(row,)]
        Times in seconds, ascending.
    hertz : np.ndarray [shape=(row,)]
        Pitches in Hz; 0 or NaN, which becomes 0, where the voice has none. Gaps of more than one
        and a half times the median distance of the rows have no pitch either.

    Raises
    ------
    ShapeError, ContentError
        The shapes differ, or a value is out of range; the message names it.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> glide = na.separators.Pitch(np.arange(0, 1, 0.01), np.linspace(200, 300, 100))
    >>> glide.pulse_train(8000, 8000).shape
    (8000,)
    """

    times: np.ndarray
    hertz: np.ndarray

    def __post_init__(self) -> None:
        import numpy as np

        for name in ("times", "hertz"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), np.float64))
        object.__setattr__(self, "hertz", np.where(np.isnan(self.hertz), 0, self.hertz))
        if self.times.ndim != 1 or self.times.shape != self.hertz.shape or not self.times.size:
            raise ShapeError(
                f"times have shape {self.times.shape} and hertz {self.hertz.shape}; both must be "
                "(row,), with at least one row"
            )
        invalid = first_invalid_row(self.times, self.hertz)
        if invalid:
            raise ContentError(f"row {invalid[0]}: {invalid[1]}")

    def to_text(self) -> str:
        """Return the rows as text, exactly.

        Returns
        -------
        str
            Base64 of compressed float64 numbers: all times, then all pitches.
        """
        import base64
        import zlib

        import numpy as np

        rows = np.concatenate([self.times, self.hertz]).astype("<f8").tobytes()
        return base64.b64encode(zlib.compress(rows)).decode("ascii")

    @classmethod
    def from_text(cls, text: str) -> Pitch:
        """Return the pitch track that `to_text` described.

        Parameters
        ----------
        text : str

        Returns
        -------
        Pitch
        """
        import base64
        import zlib

        import numpy as np

        rows = np.frombuffer(zlib.decompress(base64.b64decode(text)), "<f8")
        return cls(*rows.reshape(2, -1))

    def sampled(self, count: int, sr: int, *, start: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """Interpolate the pitch at every sample, linearly in its logarithm.

        Parameters
        ----------
        count : int
            Number of samples.
        sr : int
            Sample rate in Hz.
        start : float
            Time of the first sample in seconds.

        Returns
        -------
        hertz : np.ndarray [shape=(count,)]
            Pitch in Hz, also between voiced samples.
        voiced : np.ndarray [shape=(count,)]
            True where the voice has a pitch.
        """
        import numpy as np

        return self.at(start + np.arange(count) / sr)

    def at(self, seconds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Interpolate the pitch at any times, linearly in its logarithm.

        Parameters
        ----------
        seconds : np.ndarray [shape=(time,)]
            Times in seconds.

        Returns
        -------
        hertz : np.ndarray [shape=(time,)]
            Pitch in Hz, also where the voice has none.
        voiced : np.ndarray [shape=(time,)]
            True where the voice has a pitch.
        """
        import numpy as np

        voiced = self.hertz > 0
        if not voiced.any():
            return np.ones(len(seconds)), np.zeros(len(seconds), bool)
        hertz = np.exp(np.interp(seconds, self.times[voiced], np.log(self.hertz[voiced])))
        step = np.median(np.diff(self.times)) if len(self.times) > 1 else _STEP
        middles = (self.times[1:] + self.times[:-1]) / 2
        nearest = np.searchsorted(middles, seconds)
        # A sample belongs to its nearest row, up to 3/4 of a step: gaps of 1.5 steps are silent.
        near = np.abs(seconds - self.times[nearest]) <= 0.75 * step
        return hertz, near & voiced[nearest]

    def pulse_train(
        self, count: int, sr: int, *, start: float = 0.0, cents: float = 0.0
    ) -> np.ndarray:
        """Synthesise a sound of this pitch with partials up to half the sample rate.

        Parameters
        ----------
        count : int
            Number of samples.
        sr : int
            Sample rate in Hz.
        start : float
            Time of the first sample in seconds.
        cents : float
            Transposition in cents.

        Returns
        -------
        np.ndarray [shape=(count,)]
            Samples in float32. The level of the partials in dB falls linearly with frequency, by
            60 dB up to half the sample rate.
        """
        from nmfaudio.separators.pulse_trains import PulseTrains

        wave: np.ndarray = PulseTrains(self.at, count, sr, start=start, cents=(cents,))[:, :][0]
        return wave


def as_pitch(track: Any, *, unit: Literal["hz", "midi"] = "hz") -> Pitch:
    """Return a pitch track of any form as a `Pitch`.

    Parameters
    ----------
    track : path, Pitch, or (times, hertz)
        A path is read by `read_pitch`; a pair of arrays is seconds and Hz.
    unit : {"hz", "midi"}
        Unit of the pitches in files.

    Returns
    -------
    Pitch

    Raises
    ------
    AudioFileError
        The file cannot be read.
    ParameterError
        `track` is something else.
    ShapeError, ContentError
        The shapes of a pair differ, or a value is out of range.
    """
    if isinstance(track, Pitch):
        return track
    if isinstance(track, str | os.PathLike):
        return read_pitch(track, unit=unit)
    if isinstance(track, tuple | list) and len(track) == 2:
        return Pitch(track[0], track[1])
    from nmfaudio._common.validation import shown

    raise ParameterError(
        f"pitch is {shown(track)}; it must be a path, a Pitch, or a pair (times in s, pitches in "
        "Hz) of arrays"
    )


def first_invalid_row(times: np.ndarray, hertz: np.ndarray) -> tuple[int, str] | None:
    """First invalid row, counted from 0, and the reason; None if all rows are valid."""
    import numpy as np

    unordered = np.append(False, times[1:] <= times[:-1])
    for invalid, reason in (
        (~np.isfinite(times) | (times < 0), "a time must be a finite number of seconds ≥ 0"),
        (~np.isfinite(hertz) | (hertz < 0), "a pitch must be a finite number of Hz, 0 for none"),
        (unordered, "times must ascend; sort the rows, and keep one of each time"),
    ):
        if invalid.any():
            row = int(np.argmax(invalid))
            return row, f"{times[row]:g} s, {hertz[row]:g} Hz: {reason}"
    return None


def read_pitch(path: str | os.PathLike[str], *, unit: Literal["hz", "midi"] = "hz") -> Pitch:
    """Read a table of seconds and pitches.

    Parameters
    ----------
    path : path
        Text file of rows, separated by commas, semicolons, tabs or spaces; lines before the first
        row of numbers are skipped. 0, or a gap in the times, means no pitch.
    unit : {"hz", "midi"}
        Unit of the pitches: Hz or MIDI note numbers.

    Returns
    -------
    Pitch
        The pitch track.

    Raises
    ------
    AudioFileError
        The file cannot be read, or a row is not a time and a pitch; the message names its line.
    ParameterError
        The unit is unknown.

    Examples
    --------
    >>> import os, tempfile, nmfaudio as na
    >>> path = os.path.join(tempfile.mkdtemp(), "pitch.csv")
    >>> with open(path, "w") as file:
    ...     _ = file.write("seconds,Hz\\n0.00,220\\n0.01,222.5\\n")
    >>> na.separators.read_pitch(path).hertz.tolist()
    [220.0, 222.5]
    """
    import numpy as np

    from nmfaudio._common.files import show
    from nmfaudio._common.files.sources import read_text
    from nmfaudio._common.pitch import midi_to_hz
    from nmfaudio._common.validation import as_choice

    as_choice(unit, "unit", ("hz", "midi"))
    lines = read_text(path, _MAX_BYTES, "rows of seconds and Hz are needed").splitlines()
    rows: list[tuple[float, float]] = []
    numbers: list[int] = []
    for number, line in enumerate(lines, 1):
        cells = _cells(line)
        if not cells or (not rows and not _is_number(cells[0])):
            continue
        if not _is_row(cells):
            raise AudioFileError(
                f"{show(path)}: line {number} is {line[:40]!r}; each line must be seconds, Hz"
            )
        rows.append((float(cells[0]), float(cells[1])))
        numbers.append(number)
    if not rows:
        raise AudioFileError(f"{show(path)}: has no rows; rows of seconds, Hz are needed")
    times, hertz = np.array(rows).T
    invalid = first_invalid_row(times, hertz)
    if invalid:
        raise AudioFileError(f"{show(path)}: line {numbers[invalid[0]]}: {invalid[1]}")
    if unit == "midi" and hertz.max() > _HIGHEST_MIDI:
        raise AudioFileError(
            f"{show(path)}: has pitches up to {hertz.max():g}, MIDI note numbers end at "
            f"{_HIGHEST_MIDI}; if the table is in Hz, leave out --pitch-unit midi"
        )
    return Pitch(times, np.where(hertz > 0, midi_to_hz(hertz), 0) if unit == "midi" else hertz)


def estimate_pitch(y: np.ndarray | LazyAudio, sr: int, *, piece: float | None = None) -> Pitch:
    """Estimate the predominant pitch of a recording by pYIN, from 65 to 1047 Hz (C2 to C6).

    Parameters
    ----------
    y : np.ndarray or Track [shape=(channel, sample)]
        The recording; the mean of its channels is analysed.
    sr : int
        Sample rate in Hz.
    piece : float, optional
        Seconds that are analysed at a time, with 5 s more on each side; by default all. Decisions
        of pYIN depend on the whole recording, so pieces may have another pitch at a few frames.

    Returns
    -------
    Pitch
        The pitch track; without any pitch where the sample rate is too low for partials.

    References
    ----------
    M. Mauch and S. Dixon, "pYIN: a fundamental frequency estimator using probabilistic threshold
    distributions", ICASSP 2014, doi:10.1109/ICASSP.2014.6853678.
    """
    import numpy as np

    from nmfaudio._common.librosa_loader import load_librosa

    if sr < 8 * _LOWEST:
        return Pitch(np.zeros(1), np.zeros(1))  # too few partials below half the sample rate
    frame = 2 ** max(round(np.log2(0.093 * sr)), 9)
    hop, length = frame // 4, y.shape[1]
    total = 1 + length // hop
    step = total if piece is None else round(piece * sr / hop)
    margin = round(_MARGIN * sr / hop)
    tracks = []
    for first in range(0, total, step):
        begin, end = max(first - margin, 0), first + step + margin
        samples = y[:, begin * hop : min(end * hop, length)].mean(0)
        # After a call with float64, librosa.util.abs2 converts its output before writing to it.
        with np.errstate(invalid="ignore"):
            hertz, voiced, _ = load_librosa("core.pitch").pyin(
                samples, fmin=_LOWEST, fmax=min(_HIGHEST, sr / 4), sr=sr, frame_length=frame
            )
        track = np.where(voiced, np.nan_to_num(hertz), 0.0)
        tracks.append(track[first - begin :][:step])
    hertz = np.concatenate(tracks)
    times = load_librosa("core.convert").times_like(hertz, sr=sr, hop_length=hop)
    return Pitch(times, hertz)


def _cells(line: str) -> list[str]:
    """Cells of a line, between commas, semicolons, tabs or spaces."""
    for mark in (";", "\t", ","):
        if mark in line:
            try:
                cells = [cell.strip() for cell in next(csv.reader([line], delimiter=mark))]
            except csv.Error:  # a quote that is not closed, or a cell beyond the parser's limit
                return [line]
            # Between semicolons or tabs, a comma is the decimal mark.
            return cells if mark == "," else [cell.replace(",", ".") for cell in cells]
    return line.split()


def _is_row(cells: list[str]) -> bool:
    """Check whether the cells of a line begin with two numbers."""
    return len(cells) >= 2 and _is_number(cells[0]) and _is_number(cells[1])


def is_pitch_table(path: str | os.PathLike[str]) -> bool:
    """Check whether a file is text and has a row of two numbers near its beginning.

    Parameters
    ----------
    path : path
        Any path.

    Returns
    -------
    bool
        False also for what is no file or cannot be read.
    """
    try:
        if not os.path.isfile(path):
            return False
        with open(path, "rb") as file:
            text = file.read(_HEAD).decode("utf-8-sig")
    except (OSError, ValueError):
        return False
    # The last line may have been cut.
    lines = text.splitlines() if len(text) < _HEAD else text.splitlines()[:-1]
    return "\0" not in text and any(_is_row(_cells(line)) for line in lines)


def _is_number(text: str) -> bool:
    """Check whether a cell is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True
