"""Rendering of a long file in shards, which are tasks for any executor.

`prepare_shards` saves what a separator has learned, `render_shard` renders the stems of a range of
samples to a scratch file, and the stream of `open_shards` has the blocks of all of them. They are
bit for bit those of the stream that was prepared, for any number of shards.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nmfaudio._common.files import write_bytes
from nmfaudio._common.files.names import show
from nmfaudio._common.files.staging import new_file, staged
from nmfaudio._common.lazy_audio import LazyAudio
from nmfaudio.audio.io.track import Track, reopen_track
from nmfaudio.audio.masking import Masking
from nmfaudio.audio.spatial import SpatialFilter
from nmfaudio.audio.transforms import transform_from
from nmfaudio.errors import AudioFileError, ParameterError
from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.separators.block_fits import has_floor
from nmfaudio.separators.blockwise import Learned, Scaled, StemStream
from nmfaudio.separators.excerpt import Excerpt
from nmfaudio.separators.inputs import SeparationInput
from nmfaudio.separators.pipeline import NmfSeparator
from nmfaudio.separators.saved_fits import unpack
from nmfaudio.stems.grouping import ComponentGroup
from nmfaudio.stems.ranges import range_edges, render_range
from nmfaudio.stems.rendering import Refinement, locate_sources
from nmfaudio.symbolic.note import Note

if TYPE_CHECKING:
    from nmfaudio.separators.base import Separator

SHARD_SECONDS = 300.0
"""Duration of a shard, about."""

_PLAN, _MODEL, _SPATIAL, _RECORDING = "plan.json", "model.npz", "spatial.npy", "recording.raw"
_BLOCK = 2**16  # samples of a channel that are read or copied at a time

Finisher = Callable[[int], Callable[[np.ndarray, Learned], np.ndarray]]
"""Method `NmfSeparator.finisher`."""


def is_divisible(separator: Separator) -> bool:
    """Return whether the streams of a separator can be rendered in shards.

    The last step of a stream belongs to the separator, so one with a stream of its own cannot.

    Examples
    --------
    >>> import nmfaudio as na
    >>> is_divisible(na.HpssSeparator())
    True
    """
    return isinstance(separator, NmfSeparator) and type(separator).stream is NmfSeparator.stream


def prepare_shards(
    stream: StemStream,
    source: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    messages: Sequence[str] = (),
) -> int:
    """Save all that the shards of a stream need.

    Parameters
    ----------
    stream : StemStream
        Stream of a `Track`.
    source : str or os.PathLike
        File of the recording.
    folder : str or os.PathLike
        Folder of the scratch files; created if it does not exist.
    messages : sequence of str
        Warnings, which `shard_messages` returns.

    Returns
    -------
    int
        Number of shards; 0 if the model cannot be saved, as that of a score of hundred thousands
        of notes, or one of an unregistered structure. Such a stream is rendered as a whole.

    Raises
    ------
    OutputError
        A file cannot be written.
    """
    folder, y = Path(folder), stream.y
    if not isinstance(y, Track):
        raise ParameterError(f"the recording is a {type(y).__name__}; it must be a Track")
    folder.mkdir(parents=True, exist_ok=True)
    model = stream.model()
    try:
        model.save(folder / _MODEL, overwrite=True)
    except ParameterError:
        return 0
    if model.metadata.get("fit") is None:
        return 0
    if not y.seeks_exactly:  # a shard would be decoded from the beginning of the file
        samples = (y[:, i : i + _BLOCK][None] for i in range(0, y.shape[1], _BLOCK))
        _write_raw(folder / _RECORDING, samples)
    _save_spatial(stream, folder)
    excerpt = stream.inputs.excerpt
    count = max(1, round(y.shape[1] / (SHARD_SECONDS * y.sr)))
    edges = range_edges(count, y.shape[1], stream.transform)
    plan = {
        "source": os.path.abspath(source),
        "stamp": _stamp(source),
        "track": y.facts,
        "start": None if excerpt is None else excerpt.start,
        "scale": stream.scale,
        "peak": stream.inputs.peak if has_floor(model.divergence) else None,
        "names": stream.names,  # a model has its sources in alphabetical order
        "masking": asdict(stream.masking),
        "refinement": asdict(stream.refinement),
        "settings": stream.settings,
        "notes": [_as_list(note) for note in stream.learned.notes],
        "edges": edges,
        "messages": list(messages),
    }
    write_bytes(folder / _PLAN, json.dumps(plan).encode(), overwrite=True)
    return len(edges) - 1


def prepared_shards(folder: str | os.PathLike[str]) -> int:
    """Return the number of shards that `prepare_shards` has saved in a folder; 0 for none.

    The shards of a recording that has changed since then do not count.
    """
    try:
        plan = _read_plan(Path(folder))
    except (OSError, AudioFileError):
        return 0
    return len(plan["edges"]) - 1


def shard_messages(folder: str | os.PathLike[str]) -> list[str]:
    """Return the warnings that `prepare_shards` has saved."""
    return list(_read_plan(Path(folder))["messages"])


def render_shard(folder: str | os.PathLike[str], number: int) -> None:
    """Render a shard to its scratch file, if that does not exist.

    Parameters
    ----------
    folder : str or os.PathLike
        Folder that `prepare_shards` has written.
    number : int
        Number of the shard, from 0.

    Raises
    ------
    AudioFileError
        The recording has changed.
    OutputError
        The scratch file cannot be written.
    """
    if _shard_path(Path(folder), number).exists():
        return
    with open_shards(folder) as stream:
        stream.render(number)


@contextmanager
def open_shards(
    folder: str | os.PathLike[str], finisher: Finisher | None = None
) -> Iterator[ShardedStream]:
    """Open the stream that `prepare_shards` has saved.

    Parameters
    ----------
    folder : str or os.PathLike
        Folder of the scratch files.
    finisher : callable, optional
        Method of the separator, to read the blocks; without it, shards can be rendered.

    Yields
    ------
    ShardedStream

    Raises
    ------
    AudioFileError
        The recording has changed.
    """
    folder = Path(folder)
    plan, model = _read_plan(folder), Decomposition.load(folder / _MODEL)
    transform, scale = transform_from(model.metadata["transform"]), plan["scale"]
    with ExitStack() as opened:
        track = opened.enter_context(reopen_track(plan["source"], plan["track"]))
        y: Any = track
        if finisher is None and (folder / _RECORDING).exists():
            y = _Raw(folder / _RECORDING, track)
        finish = _unfinished if finisher is None else finisher(track.shape[1])
        start = plan["start"]
        inputs = _KnownInput(
            Scaled(y, scale) if scale != 1 else y,  # type: ignore[arg-type]  # as lazy as a track
            transform,  # type: ignore[arg-type]  # of a separator
            rng=None,
            callback=None,
            excerpt=None if start is None else Excerpt(plan["source"], start),
            known_peak=plan["peak"],
        )
        yield ShardedStream(
            finish,
            _learned(model, plan),
            y,
            inputs,
            Masking(**plan["masking"]),
            Refinement(**plan["refinement"]),
            scale,
            plan["settings"],
            folder,
            plan["edges"],
        )


@dataclass(frozen=True, eq=False)
class ShardedStream(StemStream):
    """Stream that was saved, whose stems are rendered to files and read from them.

    Parameters
    ----------
    folder : Path
        Folder of the scratch files.
    edges : list of int
        First sample of each shard, and the length of the recording.
    """

    folder: Path
    edges: list[int]

    def render(self, number: int) -> None:
        """Render a shard to its scratch file.

        Parameters
        ----------
        number : int
            Number of the shard, from 0.
        """
        parts = self.parts()
        place, spatial = self.folder / _SPATIAL, None
        if place.exists():
            spatial = SpatialFilter(np.load(place))
        blocks = render_range(
            parts,
            len(self.names),
            self.masking,
            self.refinement,
            self.inputs.y,
            self.transform,
            *self.edges[number : number + 2],
            prepare=parts.prepare,
            spatial=spatial,
        )
        _write_raw(_shard_path(self.folder, number), map(self.rescaled, blocks))

    def blocks(self) -> Iterator[np.ndarray]:
        """Read the stems from the scratch files of all shards.

        Yields
        ------
        np.ndarray [shape=(stem, channel, sample)]
            Next samples of all stems, which sum to the recording.

        Raises
        ------
        AudioFileError
            A scratch file is missing or incomplete.
        """
        shape = len(self.names), len(self.y)
        for number, (start, stop) in enumerate(zip(self.edges, self.edges[1:], strict=False)):
            path, count = _shard_path(self.folder, number), stop - start
            size = count * shape[0] * shape[1] * self.y.dtype.itemsize
            if not path.exists() or path.stat().st_size != size:
                raise AudioFileError(f"{show(path)}: is missing or incomplete; run again")
            for begin in range(0, count, _BLOCK):
                block = _read_raw(path, shape, self.y.dtype, begin, min(begin + _BLOCK, count))
                yield self.finish(block, self.learned)


@dataclass(frozen=True, eq=False)
class _KnownInput(SeparationInput):
    """Recording of which the largest value of the spectrogram is known, where a fit needs it."""

    known_peak: float | None = None

    @property
    def peak(self) -> float:
        return super().peak if self.known_peak is None else self.known_peak


class _Raw(LazyAudio):
    """Decoded copy of a track."""

    def __init__(self, path: Path, track: Track) -> None:
        self._path, self.shape, self.dtype = path, track.shape, track.dtype

    def __getitem__(self, key: tuple[slice, slice]) -> np.ndarray:
        start, stop, _ = key[1].indices(self.shape[1])
        shape = 1, len(self)
        samples: np.ndarray = _read_raw(self._path, shape, self.dtype, start, max(start, stop))[0]
        return samples


def _unfinished(block: np.ndarray, learned: Learned) -> np.ndarray:
    raise ParameterError("the blocks are read with the finisher of the separator; pass it")


def _learned(model: Decomposition, plan: Mapping[str, Any]) -> Learned:
    """Model of the stream that was saved."""
    sources = model.metadata["sources"]
    groups = {
        name: ComponentGroup(**sources[name] | {"components": tuple(sources[name]["components"])})
        for name in plan["names"]
    }
    fit = unpack(model.metadata["fit"])
    notes = tuple(Note(*note) for note in plan["notes"])
    return Learned(model, groups, fit, model.metadata, notes)


def _save_spatial(stream: StemStream, folder: Path) -> None:
    """Fit and save the spatial filter that all shards share."""
    spatial = locate_sources(
        stream.parts(),
        len(stream.names),
        stream.masking,
        stream.refinement,
        stream.inputs.y,
        stream.transform,
    )
    if spatial is not None:
        content = io.BytesIO()
        np.save(content, spatial.covariances)
        write_bytes(folder / _SPATIAL, content.getvalue(), overwrite=True)


def _read_plan(folder: Path) -> dict[str, Any]:
    """Plan of a folder, whose recording must be as it was."""
    plan: dict[str, Any] = json.loads((folder / _PLAN).read_bytes())
    if plan["stamp"] != _stamp(plan["source"]):
        raise AudioFileError(f"{show(plan['source'])}: changed while it was processed; run again")
    return plan


def _stamp(source: str | os.PathLike[str]) -> list[int]:
    """Size and time of the last change of a file."""
    try:
        facts = os.stat(source)
    except OSError as error:
        raise AudioFileError(f"{show(source)}: {error.strerror}; bring it back") from None
    return [facts.st_size, facts.st_mtime_ns]


def _as_list(note: Note) -> list[Any]:
    """Fields of a note in the order of its class, as JSON types."""
    return [value.item() if isinstance(value, np.generic) else value for value in astuple(note)]


def _shard_path(folder: Path, number: int) -> Path:
    return folder / f"{number:05d}.raw"


def _write_raw(target: Path, blocks: Iterable[np.ndarray]) -> None:
    """Write blocks [shape=(stem, channel, sample)] to a file of samples, completely or not."""
    with staged([target], overwrite=True) as names, new_file(names[target], target) as file:
        for block in blocks:
            file.write(np.moveaxis(block, -1, 0).tobytes())


def _read_raw(
    path: Path, shape: tuple[int, int], dtype: np.dtype[Any], start: int, stop: int
) -> np.ndarray:
    """Samples of a file that `_write_raw` wrote [shape=(stem, channel, sample)]."""
    row = shape[0] * shape[1]
    values = np.fromfile(path, dtype, (stop - start) * row, offset=start * row * dtype.itemsize)
    return np.ascontiguousarray(np.moveaxis(values.reshape(-1, *shape), 0, -1))
