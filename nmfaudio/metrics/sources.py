"""Sources to compare: arrays, mappings, stems, and audio files."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, cast

import numpy as np

from nmfaudio._common.files import show
from nmfaudio._common.files.names import AUDIO_SUFFIXES, no_audio_files
from nmfaudio._common.validation import as_audio
from nmfaudio.errors import AudioFileError, ContentError, ParameterError, ShapeError

FilePath: TypeAlias = str | os.PathLike[str]
Sources: TypeAlias = Mapping[str, np.ndarray] | np.ndarray | Sequence[np.ndarray] | FilePath
Part: TypeAlias = tuple[float, float] | None

MIXTURE = "mixture"
"""Name of the file that is the mixture and not a source."""


@dataclass(frozen=True, eq=False)
class SourceSet:
    """Signals by name, of the references or the estimates.

    Parameters
    ----------
    signals : dict of str to np.ndarray [shape=(channel, sample)]
    labels : dict of str to str
        What messages call each signal: its path, or its role and name.
    sr : float, optional
        Sample rate in Hz, if known.
    mixture : np.ndarray [shape=(channel, sample)], optional
        The file called mixture of a folder.
    has_names : bool
        Whether the names were given; those of arrays are made up.
    are_files : bool
        Whether the signals were read from files.
    """

    signals: dict[str, np.ndarray]
    labels: dict[str, str]
    sr: float | None = None
    mixture: np.ndarray | None = None
    has_names: bool = True
    are_files: bool = False


def load_sources(
    reference: Sources, estimate: Sources, part: Part = None
) -> tuple[SourceSet, SourceSet]:
    """Collect references and estimates, and check that they can be compared.

    Parameters
    ----------
    reference, estimate : mapping of str to np.ndarray, np.ndarray, sequence, or path
        As for `evaluate`.
    part : tuple of (float, float), optional
        Part of the files of the references in seconds; see `part_of_estimates`.

    Returns
    -------
    tuple of SourceSet
        References and estimates, of the same sample rate, channels and length.

    Raises
    ------
    AudioFileError
        A file cannot be read.
    ContentError
        Files differ, a folder has no audio, or samples are not finite.
    ShapeError
        Arrays differ in channels or length.
    ParameterError
        A side is empty.
    """
    pair = _files_of(reference), _files_of(estimate)
    if pair[0] is not None and pair[1] is not None:
        pair = _same_name(reference, pair[0], estimate), _same_name(estimate, pair[1], reference)
    spans = part, part_of_estimates(pair[0], pair[1], part)
    sides = [
        _of_arrays(source, role) if files is None else _of_files(files, span)
        for source, role, files, span in zip(
            (reference, estimate), ("reference", "estimate"), pair, spans, strict=True
        )
    ]
    _require_alike(*sides)
    return sides[0], sides[1]


def part_of_estimates(
    references: Mapping[str, Path] | None, estimates: Mapping[str, Path] | None, part: Part
) -> Part:
    """Return the part of the files of estimates that is compared with a part of the references.

    Parameters
    ----------
    references, estimates : dict of str to Path, or None
        Files by name; None for arrays.
    part : tuple of (float, float), optional
        Part of the files of the references in seconds.

    Returns
    -------
    tuple of (float, float) or None
        `part` if the estimates are as long as the whole references; else None, for estimates that
        were separated from that part.
    """
    if part is None or not references or not estimates:
        return None
    lengths = {_length(next(iter(files.values()))) for files in (references, estimates)}
    return part if len(lengths) == 1 and None not in lengths else None


def load_mixture(
    mixture: np.ndarray | FilePath, references: SourceSet, part: Part = None
) -> np.ndarray:
    """Return the samples of a mixture, which must match the references.

    Parameters
    ----------
    mixture : np.ndarray [shape=(channel, sample) or (sample,)], or path
    references : SourceSet
    part : tuple of (float, float), optional
        Part of the file in seconds.

    Returns
    -------
    np.ndarray [shape=(channel, sample)]

    Raises
    ------
    ShapeError, ContentError
        It differs from the references, or its samples are not finite.
    AudioFileError
        The file cannot be read.
    """
    if isinstance(mixture, str | os.PathLike):
        one = _of_files({MIXTURE: Path(mixture)}, part, keep_mixture=True)
    else:
        one = SourceSet({MIXTURE: as_audio(mixture, "the mixture")}, {MIXTURE: "the mixture"})
    _require_alike(references, one)
    return one.signals[MIXTURE]


def folder_content(folder: FilePath) -> list[Path]:
    """Return the sorted entries of a folder.

    Parameters
    ----------
    folder : str or os.PathLike

    Returns
    -------
    list of Path
        Without hidden ones.

    Raises
    ------
    AudioFileError
        The folder cannot be read.
    """
    try:
        return sorted(path for path in Path(folder).iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise AudioFileError(f"{show(folder)}: {error.strerror}") from None


def audio_files(folder: FilePath) -> dict[str, Path]:
    """Return the audio files of a folder by their names without suffix.

    Parameters
    ----------
    folder : str or os.PathLike

    Returns
    -------
    dict of str to Path

    Raises
    ------
    AudioFileError
        The folder cannot be read.
    ContentError
        Two files have the same name.
    """
    files: dict[str, Path] = {}
    for path in folder_content(folder):
        if path.suffix.lower() not in AUDIO_SUFFIXES:
            continue
        if path.stem in files:
            raise ContentError(
                f"{show(folder)}: {show(path.name)} and {show(files[path.stem].name)} have the "
                "same name; move one of them away"
            )
        files[path.stem] = path
    return files


def _files_of(source: Sources) -> dict[str, Path] | None:
    """Files by name, None where the source is no path."""
    if not isinstance(source, str | os.PathLike):
        return None
    if not os.path.exists(source):
        raise AudioFileError(f"{show(source)}: {os.strerror(errno.ENOENT)}")
    if not os.path.isdir(source):
        return {Path(source).stem: Path(source)}
    files = audio_files(source)
    if not files:
        raise ContentError(no_audio_files(source))
    if set(files) == {MIXTURE}:
        raise ContentError(f"{show(source)}: has only a mixture; add the sources")
    return files


def _length(path: Path) -> int | None:
    """Number of samples of a file, None if its header does not say."""
    from nmfaudio.audio.io.decoding import open_audio

    with open_audio(path) as audio:
        return audio.total


def _same_name(source: Sources, files: dict[str, Path], other: Sources) -> dict[str, Path]:
    """Of a folder, the file of the same name, where the other side is a single file."""
    folder, single = cast("FilePath", source), cast("FilePath", other)
    if not os.path.isdir(folder) or os.path.isdir(single):
        return files
    name = Path(single).stem
    if name not in files:
        raise ContentError(
            f"{show(folder)}: has no audio file called {show(name)}, but {', '.join(files)}; name "
            "the file to compare"
        )
    return {name: files[name]}


def _of_files(
    files: dict[str, Path], part: Part = None, *, keep_mixture: bool = False
) -> SourceSet:
    """Read files, which must have the same sample rate."""
    from nmfaudio.audio.io import read

    start, stop = part or (None, None)
    recordings = {name: read(path, start=start, stop=stop) for name, path in files.items()}
    first = next(iter(files))
    for name, recording in recordings.items():
        _require_same_rate(files[name], recording.sr, files[first], recordings[first].sr)
    signals = {name: recording.samples for name, recording in recordings.items()}
    mixture = None
    if not keep_mixture and len(signals) > 1:
        mixture = signals.pop(MIXTURE, None)
    labels = {name: show(files[name]) for name in signals}
    return SourceSet(signals, labels, recordings[first].sr, mixture, are_files=True)


def _require_same_rate(path: FilePath, sr: float, other: FilePath, other_sr: float) -> None:
    if sr != other_sr:
        raise ContentError(
            f"{show(path)}: has a sample rate of {sr:,} Hz, and {show(other)} of {other_sr:,} Hz; "
            "resample one of them"
        )


def _of_arrays(sources: Sources, role: str) -> SourceSet:
    """Signals of a mapping or of arrays, which are named by position."""
    has_names = isinstance(sources, Mapping)
    if isinstance(sources, Mapping):
        named = {str(name): y for name, y in sources.items()}
    else:
        arrays = cast("Sequence[np.ndarray]", sources)
        if isinstance(sources, np.ndarray) and sources.ndim == 1:
            arrays = [sources]  # one source, of one channel
        named = {f"source-{i}": y for i, y in enumerate(arrays, 1)}
    if not named:
        raise ParameterError(f"there is no {role}; give at least one source")
    signals = {name: as_audio(y, f"{role} {name}") for name, y in named.items()}
    labels = {name: f"{role} {name}" for name in named}
    return SourceSet(signals, labels, getattr(sources, "sr", None), has_names=has_names)


def _require_alike(references: SourceSet, estimates: SourceSet) -> None:
    """Raise an error unless all signals match the first reference."""
    first, expected = next(iter(references.signals.items()))
    if references.sr and estimates.sr and references.sr != estimates.sr:
        name = next(iter(estimates.signals))
        raise ContentError(
            f"{estimates.labels[name]}: has a sample rate of {estimates.sr:,} Hz, and "
            f"{references.labels[first]} of {references.sr:,} Hz; resample one of them"
        )
    for side in (references, estimates):
        for name, y in side.signals.items():
            if y.shape != expected.shape:
                error = ContentError if side.are_files else ShapeError
                raise error(
                    f"{side.labels[name]}{':' * side.are_files} has {_size(y)}, and "
                    f"{references.labels[first]} has {_size(expected)}; they must be the same: "
                    f"{_cure(y, expected)}"
                )


def _cure(y: np.ndarray, expected: np.ndarray) -> str:
    if y.shape[1] == expected.shape[1]:
        return "mix one down"
    return (
        "name stems of the same recording, cut or pad one of them, or for stems of a part of it "
        "give that part (nmfaudio evaluate --preview FROM-TO)"
    )


def _size(y: np.ndarray) -> str:
    channels, length = y.shape
    return f"{length:,} samples in {channels} channel{'s' * (channels != 1)}"
