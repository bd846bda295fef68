"""Corpora of audio files: their survey, and the spectrograms of their shards."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import warnings
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from nmfaudio._common.executors import map_tasks
from nmfaudio._common.files import show, write_bytes
from nmfaudio._common.files.names import AUDIO_SUFFIXES, no_audio_files
from nmfaudio._common.steps import report_step
from nmfaudio.audio.io.checking import UNUSABLE, usable_samples
from nmfaudio.audio.io.decoding import open_audio
from nmfaudio.audio.masking import analyse
from nmfaudio.audio.transforms import (
    Stft,
    Transform,
    default_n_fft,
    saved_parameters,
    transform_from,
)
from nmfaudio.errors import AudioFileError, AudioWarning, ContentError, ParameterError
from nmfaudio.factorisation.corpus.arrays import Blocks
from nmfaudio.factorisation.corpus.driver import Tasks
from nmfaudio.factorisation.corpus.plan import Plan, Shard
from nmfaudio.factorisation.corpus.tasks import run_group, run_part


def find_audio(folder: str | os.PathLike[str]) -> list[Path]:
    """List the audio files in a folder and the folders in it, sorted.

    Parameters
    ----------
    folder : str or os.PathLike
        Folder, or a single file.

    Returns
    -------
    list of Path

    Raises
    ------
    AudioFileError
        It does not exist.
    ContentError
        There are none.
    """
    if not os.path.exists(folder):
        raise AudioFileError(f"{show(folder)}: {os.strerror(errno.ENOENT)}")
    if not os.path.isdir(folder):
        return [Path(folder)]
    found = [
        path
        for path in Path(folder).rglob("*")
        if path.suffix.lower() in AUDIO_SUFFIXES
        and not any(name.startswith(".") for name in path.relative_to(folder).parts)
        and path.is_file()
    ]
    if not found:
        raise ContentError(no_audio_files(folder))
    return sorted(found)


def survey_files(
    paths: Sequence[str | os.PathLike[str]],
    root: Path,
    transform: Transform | None,
    power: float,
    executor: Any,
) -> tuple[Blocks, Transform]:
    """Decode every file once, for its length, level and faults.

    Parameters
    ----------
    paths : sequence of str or os.PathLike
    root : Path
        Working folder of fits; a file that was surveyed before is not decoded again.
    transform : Transform or None
        By default an `Stft` at the sample rate of the first file that can be read.
    power : float
        Exponent of the features of the default transform.
    executor : object
        As `map_tasks` takes it.

    Returns
    -------
    blocks : Blocks
        Files that can be read; an `AudioWarning` names each of the others.
    transform : Transform
    """
    absolute = [os.path.abspath(path) for path in paths]
    (root / "surveys").mkdir(parents=True, exist_ok=True)
    tasks = map_tasks(survey_file, ((str(root), path) for path in absolute), executor)
    for done, _ in enumerate(tasks, 1):
        report_step("reading the files", done / len(absolute))
    readable = []
    for path in absolute:
        facts = json.loads(_survey_path(root, path).read_bytes())
        if "error" in facts:
            warnings.warn(f"left out: {facts['error']}", AudioWarning, stacklevel=2)
        else:
            readable.append(facts)
    if not readable:
        raise ContentError("no file of the corpus can be read; see the warnings")
    rate = readable[0]["sr"]
    transform = transform or Stft(rate, default_n_fft(rate), power=power)
    others = [facts["path"] for facts in readable if facts["sr"] != transform.sr]
    if others:
        raise ParameterError(
            f"{len(others)} files have another sample rate than {transform.sr} Hz, the first is "
            f"{show(others[0])}; resample them, or leave them out"
        )
    frames = [transform.n_frames(facts["samples"]) for facts in readable]
    settings = {
        "n_bins": len(transform.frequencies),
        "dtype": "float32",
        "transform": saved_parameters(transform),
    }
    return Blocks(readable, frames, settings), transform


def survey_file(root: str, path: str) -> None:
    """Task that describes a file, unless that was done since the file was last changed."""
    target = _survey_path(Path(root), path)
    if target.exists():
        return
    try:
        facts = _survey(path)
    except (AudioFileError, ContentError) as error:
        facts = {"path": path, "error": str(error)}
    write_bytes(target, json.dumps(facts).encode(), overwrite=True)


def _survey(path: str) -> dict[str, Any]:
    """Describe a file: its size, length, and the exponent of its peak."""
    samples, peak = 0, 0.0
    with open_audio(path) as audio:
        for block in audio.blocks():
            samples += len(block)
            peak = max(peak, float(abs(block).max()))  # NaN is not found by `max`
            if not usable_samples(block).all():
                raise ContentError(f"{audio.label}: has samples that are {UNUSABLE}; repair it")
        if audio.failed_at is not None:
            raise AudioFileError(f"{audio.label}: {audio.failure()}; use another copy")
        sr, label = audio.sr, audio.label
    if not samples:
        raise ContentError(f"{label}: has no frames; need at least one")
    size, changed = _identity(path)
    exponent = int(np.frexp(peak)[1])
    facts = {"samples": samples, "sr": sr, "exponent": exponent}
    return facts | {"path": path, "size": size, "changed": changed}


def _identity(path: str) -> tuple[int, int]:
    """Size of a file, and the time of its last change in nanoseconds; zeros if it is missing."""
    try:
        status = os.stat(path)
    except OSError:
        return 0, 0
    return status.st_size, status.st_mtime_ns


def _survey_path(root: Path, path: str) -> Path:
    """File of the description of a file as it is now."""
    name = hashlib.blake2b(os.fsencode(path), digest_size=16)
    name.update(repr(_identity(path)).encode())
    digest = name.hexdigest()
    # Some hundred folders: listing one with a file for each recording would take long.
    return root / "surveys" / digest[:2] / f"{digest}.json"


def file_frames(folder: Path, plan: Plan, shard: Shard) -> np.ndarray:
    """Spectrogram of a shard, (freq, time) in float32, of the recording scaled to a peak near 1."""
    block, transform = plan.blocks[shard.block], _transform(json.dumps(plan.settings["transform"]))
    if _identity(block["path"]) != (block["size"], block["changed"]):
        raise ContentError(
            f"{show(block['path'])}: was changed or moved during the fit; begin the fit again"
        )
    # Frame t has n_fft samples from t · hop − n_fft // 2 on.
    reach = -(-transform.n_fft // (2 * transform.hop))
    begin = max(0, shard.first - reach)
    end = (shard.stop - 1) * transform.hop + transform.n_fft - transform.n_fft // 2
    samples = read_samples(block["path"], begin * transform.hop, min(end, block["samples"]))
    V = analyse(np.ldexp(samples, -block["exponent"]), transform)
    return V[:, shard.first - begin : shard.stop - begin].astype(np.float32, copy=False)


def read_samples(path: str, first: int, stop: int) -> np.ndarray:
    """Decode a range of samples of a file [shape=(channel, sample)]."""
    with open_audio(path) as audio:
        samples = np.concatenate([block.T for block in audio.blocks(first, stop)], axis=1)
    if samples.shape[1] != stop - first:
        raise AudioFileError(f"{show(path)}: cannot be decoded any more; begin the fit again")
    return samples


@lru_cache(maxsize=2)
def _transform(parameters: str) -> Transform:
    """Transform of a fit; some take long to build."""
    return transform_from(json.loads(parameters))


def run_file_part(folder: str, step: str, part: int) -> None:
    """Task of a part of a corpus of files."""
    run_part(file_frames, folder, step, part)


def run_file_group(folder: str, step: str, group: int) -> None:
    """Task of a group of a corpus of files."""
    run_group(file_frames, folder, step, group)


FILE_TASKS = Tasks(run_file_part, run_file_group)


def is_path(block: Any) -> bool:
    """Return whether a block is the path of a file."""
    return isinstance(block, str | os.PathLike)


def as_paths(blocks: Iterable[Any]) -> list[str | os.PathLike[str]]:
    """Return the paths of a corpus; `ParameterError` if a block is something else."""
    paths = list(blocks)
    for path in paths:
        if not is_path(path):
            raise ParameterError(
                f"the corpus has paths and a {type(path).__name__}; give paths or arrays alone"
            )
    return paths
