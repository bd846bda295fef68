"""Writing of audio files block by block, in bounded memory: all of a group or none."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from nmfaudio._common.files.names import show
from nmfaudio._common.files.staging import staged
from nmfaudio._common.files.targets import output_error
from nmfaudio._common.validation import as_count, require_finite, require_floats
from nmfaudio.audio.io.decoding import BLOCK
from nmfaudio.audio.io.encoding import (
    Clip,
    Coding,
    Encoder,
    check_clip,
    choose_coding,
    encode,
    largest_gain,
)
from nmfaudio.audio.io.formats import FLOATS
from nmfaudio.audio.io.writing import Written
from nmfaudio.errors import OutputError, ParameterError, ShapeError
from nmfaudio.kernels.threads import parallel_for


@contextmanager
def open_group(
    targets: Sequence[Path],
    sr: int,
    channels: int,
    samples: int,
    *,
    format: str,
    subtype: str | None = None,
    clip: Clip = "gain",
    overwrite: bool = False,
    bitrate: int | None = None,
    tags: Mapping[Path, Mapping[str, str]] | None = None,
) -> Iterator[AppendingGroup]:
    """Open several audio files of one length for writing block by block: all of them, or none.

    The files have the bytes that `write_group` would write. They have temporary names; at the end
    of the ``with`` statement they are read back to verify them, and once all are complete, all are
    renamed. After any exception nothing is left. The gain of formats that clip is unknown until the
    end: their samples are kept in a temporary file beside the target until then, which takes 4 or 8
    bytes per sample.

    Parameters
    ----------
    targets : sequence of Path
    sr : int
        Sample rate in Hz.
    channels, samples : int
        Shape of the audio of each file.
    format : str
        A key of `FORMATS`.
    subtype : str, optional
        Coding as libsndfile names it; by default 32-bit float where the format supports it, and 24
        bits for FLAC.
    clip : {"gain", "error"}
        Treatment of peaks that the format would clip: multiply all files by one common gain, or
        raise an error as soon as there is one.
    overwrite : bool
        Whether to replace existing files.
    bitrate : int, optional
        Constant bitrate of MP3 files in kbit/s; by default it is variable.
    tags : mapping of Path to mapping of str to str, optional
        Tags of each file, such as its title, of those that `held_tags` lists for the format.

    Yields
    ------
    AppendingGroup
        `append` takes blocks of samples; `written` has the paths and the gain after the end.

    Raises
    ------
    ParameterError, ShapeError
        The format cannot hold the audio, or the files do not get the announced number of samples.
    OutputError
        A target exists, or cannot be written.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     targets = [Path(folder, "a.flac"), Path(folder, "b.flac")]
    ...     with open_group(targets, 8000, 1, 300, format="flac") as group:
    ...         for _ in range(3):
    ...             group.append([np.full((1, 100), 2.0), np.ones((1, 100))])
    >>> round(group.written.gain, 3)
    0.5
    """
    check_clip(clip)
    samples = as_count(samples, "samples", low=1)
    coding = choose_coding(format, subtype, sr, channels, samples, bitrate)
    with staged(list(targets), overwrite=overwrite) as names, ExitStack() as opened:
        codings = {target: replace(coding, tags=(tags or {}).get(target, {})) for target in targets}
        group = AppendingGroup(names, codings, clip, opened)
        yield group
        group._finish()


class AppendingGroup:
    """Audio files of one shape to which blocks of samples are appended; see `open_group`."""

    def __init__(
        self,
        names: Mapping[Path, Path],
        codings: Mapping[Path, Coding],
        clip: Clip,
        opened: ExitStack,
    ) -> None:
        self._names, self._codings, self._clip = names, codings, clip
        self._lengths = dict.fromkeys(codings, 0)  # samples so far
        self._gains = dict.fromkeys(codings, 1.0)  # largest so far that no sample forbids
        self._dtypes: dict[Path, np.dtype[Any]] = {}
        self._outputs: dict[Path, Encoder | _Scratch] = {}
        for target in codings:
            self._outputs[target] = self._open(target)
            opened.push(self._outputs[target])
        self._written: Written | None = None

    @property
    def written(self) -> Written:
        """Paths, common gain and coding of the files; available once they are complete."""
        if self._written is None:
            raise ParameterError("the files are not complete before the end of the with statement")
        return self._written

    def append(self, blocks: Mapping[Path, NDArray[Any]] | Sequence[NDArray[Any]]) -> None:
        """Append samples to the files, in several threads.

        Parameters
        ----------
        blocks : mapping of Path to np.ndarray, or sequence of np.ndarray [shape=(channel, sample)]
            Samples by target, or in the order of the targets; of any number, and of one dtype in
            each file. They may be overwritten afterwards.

        Raises
        ------
        ContentError
            Some samples are not finite, a peak is over full scale and `clip` is ``"error"``, or a
            peak is beyond the range of 32-bit float.
        OutputError
            They cannot be written.
        ParameterError, ShapeError
            A block has another shape, dtype or target, or the file would become longer than
            announced.
        """
        if not isinstance(blocks, Mapping):
            if len(blocks) != len(self._outputs):
                raise ShapeError(f"got {len(blocks)} blocks for {len(self._outputs)} files")
            blocks = dict(zip(self._outputs, blocks, strict=True))
        checked = [(target, self._checked(target, block)) for target, block in blocks.items()]

        def work(indices: range) -> None:
            for target, samples in (checked[i] for i in indices):
                self._outputs[target].append(samples)
                self._lengths[target] += samples.shape[1]

        parallel_for(work, len(checked))

    def _checked(self, target: Path, block: NDArray[Any]) -> NDArray[Any]:
        """Block as finite floats [shape=(channel, sample)] that fits the file."""
        if target not in self._outputs:
            raise ParameterError(f"{show(target)}: is not one of the files that were opened")
        name, coding, block = show(target.stem), self._codings[target], np.asarray(block)
        require_floats(block, name)
        samples = np.atleast_2d(block)
        if samples.ndim != 2 or len(samples) != coding.channels:
            raise ShapeError(
                f"{name}: got a block of shape {block.shape}; need (channel, sample) with "
                f"{coding.channels} channels"
            )
        if self._lengths[target] + samples.shape[1] > coding.samples:
            raise ShapeError(
                f"{name}: got {self._lengths[target] + samples.shape[1]} samples so far, where "
                f"{coding.samples} in all were announced"
            )
        samples = samples.astype(np.float32 if samples.itemsize <= 4 else np.float64, copy=False)
        if self._dtypes.setdefault(target, samples.dtype) != samples.dtype:
            raise ParameterError(
                f"{name}: got a block of dtype {samples.dtype} after others of "
                f"{self._dtypes[target]}; need one dtype"
            )
        if samples.size:
            require_finite(samples, name)
            high, low = float(samples.max()), -float(samples.min())
            gain = largest_gain(target, high, low, coding.subtype, self._clip)
            self._gains[target] = min(self._gains[target], gain)
        return samples

    def _open(self, target: Path) -> Encoder | _Scratch:
        """Output of one file."""
        coding = self._codings[target]
        if coding.subtype in FLOATS or self._clip == "error":  # the gain is 1
            return Encoder(target, self._names[target], coding)
        return _Scratch(target, coding.channels)

    def _finish(self) -> None:
        """Complete and verify all files."""
        for target, coding in self._codings.items():
            if self._lengths[target] != coding.samples:
                raise ShapeError(
                    f"{show(target.stem)}: got {self._lengths[target]} samples, where "
                    f"{coding.samples} were announced"
                )
        gain = min(self._gains.values(), default=1.0)
        outputs = list(self._outputs.items())

        def work(indices: range) -> None:
            for target, output in (outputs[i] for i in indices):
                if isinstance(output, Encoder):
                    output.finish()
                else:
                    coding = replace(self._codings[target], gain=gain)
                    encode(target, self._names[target], coding, output.blocks())

        parallel_for(work, len(outputs))
        subtype = next((coding.subtype for coding in self._codings.values()), "")
        self._written = Written(tuple(self._codings), gain, subtype)


class _Scratch:
    """Samples of one file on disk until the common gain is known.

    The file has no name, so that the system removes it whatever happens.
    """

    def __init__(self, target: Path, channels: int) -> None:
        self._target, self._channels = target, channels
        self._dtype = np.dtype(np.float32)
        try:
            self._file: IO[bytes] = tempfile.TemporaryFile(  # noqa: SIM115
                dir=target.parent, buffering=0
            )
        except OSError as error:
            raise output_error(target, error) from None

    def __enter__(self) -> _Scratch:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def append(self, samples: NDArray[Any]) -> None:
        """Append samples [shape=(channel, sample)]."""
        self._dtype = samples.dtype
        rest = memoryview(samples.T.tobytes())
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            raise output_error(self._target, error) from None

    def blocks(self) -> Iterator[NDArray[Any]]:
        """All samples, in blocks [shape=(channel, sample)]."""
        size = BLOCK * self._channels * self._dtype.itemsize
        try:
            self._file.seek(0)
            with open(self._file.fileno(), "rb", closefd=False) as file:
                while content := file.read(size):
                    yield np.frombuffer(content, self._dtype).reshape(-1, self._channels).T
        except OutputError:
            raise
        except OSError as error:
            raise output_error(self._target, error) from None
