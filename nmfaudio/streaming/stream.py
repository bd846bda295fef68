"""Separation and transcription of audio that arrives block by block."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from typing import Any, Literal, Protocol

import numpy as np

from nmfaudio._common.validation import (
    as_choice,
    as_count,
    as_sample_rate,
    require_array,
    shown,
)
from nmfaudio._public import public
from nmfaudio.audio.io.samples import as_samples
from nmfaudio.errors import AudioWarning, ContentError, ParameterError, ShapeError
from nmfaudio.separators.pipeline import NmfSeparator
from nmfaudio.streaming.frames import FrameReader
from nmfaudio.streaming.rendering import StemRenderer
from nmfaudio.streaming.separation import plan_stems, stream_transform
from nmfaudio.streaming.transcription import (
    HIT_LOOKAHEAD,
    EventModel,
    EventReporter,
    HitModel,
    PitchModel,
    StrokeModel,
    event_transform,
)
from nmfaudio.transcription.drums import DrumTranscriber
from nmfaudio.transcription.transcriber import Transcriber

NOTES = "notes"
"""Name under which a stream returns events."""
_MOST_FRAMES = 64  # of lookahead
_MANY_CHANNELS = 32  # more of them than samples look transposed


class _Output(Protocol):
    """Conversion of frames to the results of a stream."""

    names: tuple[str, ...]

    def add(self, Z: np.ndarray) -> list[Any]:
        """Results of frames, one for each name."""
        ...

    def finish(self, Z: np.ndarray, length: int) -> list[Any]:
        """Results of the last frames of a stream of so many samples."""
        ...

    def join(self, results: list[list[Any]]) -> list[Any]:
        """Successive results as one."""
        ...


@public
class Stream:
    """Separate or transcribe a stream block by block, with a fixed delay.

    Templates are fixed before the stream begins; each frame gets a fixed number of updates of its
    activations. Results do not depend on how the stream is divided into blocks. Phases are those
    of the mixture, and all channels are treated alike.

    Parameters
    ----------
    separator : separator or transcriber
        `GuidedSeparator`: templates of its dictionary, or 200 frames of the examples of each label.
        `DrumSeparator`: templates of its one-shots, or the shipped ones. `DenoiseSeparator`: frames
        of the noise, a recording or one time range of the stream itself, and of the signal, or
        what exceeds the noise. `HpssSeparator`: medians over the last 0.2 s and over frequency.
        `Transcriber` or `DrumTranscriber`: the templates of its dictionary, and with the shipped
        kit the classifier of strokes. Settings of iterations and of several models have no
        influence.
    sr : int
        Sample rate in Hz.
    learn_from : path or np.ndarray [shape=(channel, sample) or (sample,)], optional
        Recording of the same sounds at the same rate, such as a sound check. It is separated or
        transcribed first, with all settings, and its templates are those of the stream. Better for
        drums without one-shots, for harmonic and percussive sound, and for other pianos than those
        of the shipped dictionary; needed for `BlindSeparator`; not for `GuidedSeparator`.
    lookahead : int, optional
        Frames that the model may see after the one that it explains; each adds a hop to the delay.
        By default 2 for drum hits and 0 else. Notes have none. With the shipped kit the classifier
        sees ten frames anyway, so that only more than 2 add to the delay of drum hits.
    nonfinite : "error" or "zero"
        Treatment of samples that are NaN or infinite.
    rng : int, np.random.Generator or None
        Seed of the learning; the same seed gives the same bytes.

    Attributes
    ----------
    delay : int
        Number of samples after which a result is returned at the latest: sample n of the stems, or
        the beginning of a note at sample n, once sample n + delay has been pushed.
    names : tuple of str
        Names of the stems, or ``("notes",)``.
    transform : Stft
        Transform of the stream. Its windows have at most 50 ms by default, and the length of the
        separator's `n_fft` or of its dictionary otherwise.

    Raises
    ------
    ParameterError
        An argument is invalid, or the separator has settings that a stream cannot follow.
    AudioFileError, ContentError
        A recording cannot be used.

    References
    ----------
    C. Dittmar and D. Gärtner, "Real-time transcription and separation of drum recordings based on
    NMF decomposition", DAFx 2014.

    Examples
    --------
    Half of a second of noise, then a tone in noise:

    >>> import numpy as np, nmfaudio as na
    >>> y = 0.1 * np.random.default_rng(0).standard_normal((1, 16000))
    >>> y[0, 8000:] += np.sin(2770 * np.arange(8000) / 8000)
    >>> stream = na.Stream(na.DenoiseSeparator(noise=(0, 0.5)), 8000)
    >>> blocks = [stream.push(y[:, first : first + 256]) for first in range(0, 16000, 256)]
    >>> blocks.append(stream.flush())
    >>> signal = np.concatenate([block["signal"] for block in blocks], axis=1)
    >>> stream.names, stream.delay, signal.shape
    (('signal', 'noise'), 399, (1, 16000))
    """

    def __init__(
        self,
        separator: NmfSeparator | Transcriber | DrumTranscriber,
        sr: int,
        *,
        learn_from: str | bytes | os.PathLike[str] | np.ndarray | None = None,
        lookahead: int | None = None,
        nonfinite: Literal["error", "zero"] = "error",
        rng: int | np.random.Generator | None = 0,
    ) -> None:
        if not isinstance(separator, NmfSeparator | Transcriber | DrumTranscriber):
            raise ParameterError(
                f"separator is {shown(separator)}; it must be a separator or a transcriber, such "
                "as na.DrumSeparator()"
            )
        self.sr = as_sample_rate(sr)
        self._nonfinite = as_choice(nonfinite, "nonfinite", ("error", "zero"))
        self._warned = False
        default = HIT_LOOKAHEAD if isinstance(separator, DrumTranscriber) else 0
        self._lookahead = default
        if lookahead is not None:
            self._lookahead = as_count(lookahead, "lookahead", low=0, high=_MOST_FRAMES)
        recording = None if learn_from is None else self._read(learn_from)
        if isinstance(separator, NmfSeparator):
            self._plan_stems(separator, recording, rng)
        else:
            self._plan_events(separator, recording)
        # Made for the channels of the first block. The first frame loads what all others need.
        self._reader: FrameReader | None = None
        self._finished = False
        list(FrameReader(self.transform, 1).push(np.zeros((1, self.transform.n_fft), np.float32)))

    def _plan_stems(
        self,
        separator: NmfSeparator,
        recording: np.ndarray | None,
        rng: int | np.random.Generator | None,
    ) -> None:
        self.transform = transform = stream_transform(separator, self.sr)
        plan = plan_stems(
            separator, transform, recording=recording, lookahead=self._lookahead, rng=rng
        )
        self.names = plan.model.names
        self.delay = transform.n_fft - 1 + self._lookahead * transform.hop
        self._output: Callable[[int], _Output] = lambda channels: StemRenderer(
            plan, transform, self._lookahead, channels
        )

    def _plan_events(
        self, transcriber: Transcriber | DrumTranscriber, recording: np.ndarray | None
    ) -> None:
        self.transform = transform = event_transform(transcriber, self.sr)
        model: EventModel
        if isinstance(transcriber, DrumTranscriber):
            kind = StrokeModel if transcriber.is_shipped else HitModel
            model = kind(transcriber, transform, recording, self._lookahead)
        else:
            if self._lookahead:
                raise ParameterError("lookahead is for stems and drum hits; leave it out for notes")
            model = PitchModel(transcriber, transform, recording)
        self.names = (NOTES,)
        self.delay = model.horizon * transform.hop + transform.n_fft - transform.n_fft // 2
        self._output = lambda channels: EventReporter(model, transform)

    def _read(self, recording: Any) -> np.ndarray:
        """Samples of the recording that templates are learned from."""
        is_file = isinstance(recording, str | bytes | os.PathLike)
        y, sr = as_samples(recording, None if is_file else self.sr)
        if sr != self.sr:
            raise ParameterError(
                f"learn_from has {sr} Hz and the stream {self.sr} Hz; resample the recording"
            )
        return y

    def push(self, block: np.ndarray) -> dict[str, Any]:
        """Add a block of samples, and return what it completes.

        Parameters
        ----------
        block : np.ndarray [shape=(channel, sample) or (sample,)]
            Next samples, any number of them, of floating point; computed in float32. The number of
            channels is that of the first block.

        Returns
        -------
        dict
            Samples by the name of the stem, float32 [shape=(channel, sample)]; the stems sum to
            the stream. For transcribers, a list of `NoteEvent` under ``"notes"``.

        Raises
        ------
        ContentError
            Samples are NaN or infinite.
        ShapeError
            The number of channels changes.
        ParameterError
            The samples are not of floating point, or the stream was flushed.

        Warns
        -----
        AudioWarning
            NaN or infinite samples were set to zero, for the first of them.
        """
        reader, output = self._started(y := self._checked(block))
        return _joined(output, [output.add(Z) for Z in reader.push(y)])

    def flush(self) -> dict[str, Any]:
        """End the stream, and return what is left.

        Returns
        -------
        dict
            As `push`. The stems are as long as the stream.

        Raises
        ------
        ParameterError
            The stream was flushed before.
        """
        self._require_open()
        self._finished = True
        if self._reader is None or not self._reader.received:
            reader, output = self._started(np.zeros((1, 0), np.float32))
            return _joined(output, [])
        reader, output = self._reader, self._results
        frames = np.concatenate(list(reader.flush()), axis=2)
        return _joined(output, [output.finish(frames, reader.received)])

    def _started(self, y: np.ndarray) -> tuple[FrameReader, _Output]:
        """Reader and output, made for the first block."""
        if self._reader is None:
            self._reader = FrameReader(self.transform, len(y))
            self._results = self._output(len(y))
        return self._reader, self._results

    def _require_open(self) -> None:
        if self._finished:
            raise ParameterError("the stream was flushed, which ends it; make another Stream")

    def _checked(self, block: Any) -> np.ndarray:
        """Samples of a block [shape=(channel, sample)], finite."""
        self._require_open()
        require_array(block, "block")
        y = np.atleast_2d(np.asarray(block))
        if y.ndim > 2 or y.dtype.kind != "f":
            raise ParameterError(
                f"block has dtype {y.dtype} and shape {y.shape}; it must be floating point, "
                "(channel, sample) or (sample,)"
            )
        if not len(y) or len(y) > max(y.shape[1], _MANY_CHANNELS):
            raise ShapeError(
                f"block has shape {y.shape}; it must be (channel, sample) or (sample,), so "
                "transpose it"
            )
        if self._reader is not None and len(y) != self._reader.channels:
            raise ShapeError(
                f"block has shape {y.shape}; it must be (channel, sample) with "
                f"{self._reader.channels} channels as before"
            )
        with np.errstate(over="ignore"):  # becomes infinite
            y = y.astype(np.float32, copy=False)
        if np.isfinite(y).all():
            return y
        return self._repaired(y)

    def _repaired(self, y: np.ndarray) -> np.ndarray:
        """Set samples that are not finite to zero, or raise a `ContentError`."""
        bad = ~np.isfinite(y)
        received = 0 if self._reader is None else self._reader.received
        first = (received + int(np.argmax(bad.any(axis=0)))) / self.sr
        if self._nonfinite == "error":
            raise ContentError(
                f"the stream has NaN or infinite samples at {first:.3f} s; repair them first, or "
                "pass nonfinite='zero'"
            )
        if not self._warned:
            self._warned = True
            warnings.warn(
                f"the stream has NaN or infinite samples, set to zero from {first:.3f} s on",
                AudioWarning,
                stacklevel=4,
            )
        return np.where(bad, np.float32(0), y)


def _joined(output: _Output, results: list[list[Any]]) -> dict[str, Any]:
    """Successive results by their names."""
    return dict(zip(output.names, output.join(results), strict=True))
