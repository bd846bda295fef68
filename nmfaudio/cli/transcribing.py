"""The work of `nmfaudio transcribe` on one file: its notes found, written and reported."""

from __future__ import annotations

import argparse
import io
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nmfaudio._common.files import safe_name, write_bytes
from nmfaudio.audio.io import write_group
from nmfaudio.cli.failures import check_ended
from nmfaudio.cli.inputs import STDIN
from nmfaudio.cli.jobs import Job, check_collisions, check_existing, check_writable
from nmfaudio.cli.memory import check_memory
from nmfaudio.cli.parser import require_files
from nmfaudio.cli.progress import Bar
from nmfaudio.cli.run import read_input, tell_leftovers
from nmfaudio.cli.transcribe import STEMS
from nmfaudio.errors import ParameterError

if TYPE_CHECKING:
    from nmfaudio.stems.stems import Stems
    from nmfaudio.transcription.drums import DrumTranscriber
    from nmfaudio.transcription.result import Transcription
    from nmfaudio.transcription.transcriber import Transcriber

_EXTRAS = {"salience": "-salience.npz", "sonify": "-notes.wav", "plot": ".png"}
_DPI = 150


def plan_transcriptions(chosen: argparse.Namespace) -> list[Job]:
    """Settle where everything will go, so that nothing fails late that could fail early.

    Raises
    ------
    ParameterError
        There are no files, or outputs would collide with one another or with an input.
    OutputError
        Outputs exist, or their folder cannot be written.
    MissingExtraError
        A picture is asked for, and matplotlib is not installed.
    """
    require_files(chosen)
    jobs = [_job(source, chosen) for source in chosen.files]
    check_collisions(jobs)
    _check_inputs(jobs, chosen)
    check_existing(jobs, chosen)
    check_writable(Path(chosen.output))
    if chosen.plot:
        from nmfaudio._common.figures import new_figure

        new_figure(1, 1)
    return jobs


def _job(source: str, chosen: argparse.Namespace) -> Job:
    track = "stdin" if source == STDIN else safe_name(Path(source).stem)
    folder = Path(chosen.output)
    targets = _targets(track, chosen)
    if chosen.stems and os.path.isdir(folder / track):
        targets += sorted((folder / track).glob("*.wav"))
    there = tuple(path for path in targets if os.path.lexists(path))
    return Job(source, track, folder, None, there)


def _targets(track: str, chosen: argparse.Namespace) -> list[Path]:
    """The files of a track whose names are known beforehand."""
    ends = [".csv", ".mid", *(end for name, end in _EXTRAS.items() if getattr(chosen, name))]
    return [Path(chosen.output, track + end) for end in ends]


def _check_inputs(jobs: Iterable[Job], chosen: argparse.Namespace) -> None:
    given = [*chosen.files, *([chosen.dictionary] if chosen.dictionary is not None else [])]
    inputs = {os.path.realpath(path) for path in given if path != STDIN}
    for job in jobs:
        for path in _targets(job.track, chosen):
            if os.path.realpath(path) in inputs:
                raise ParameterError(f"{path}: is an input; choose another --output")
        if chosen.stems and os.path.realpath(job.folder / job.track) in map(
            os.path.dirname, inputs
        ):
            raise ParameterError(
                f"{job.folder / job.track}: holds an input, and stems would be written there;"
                " choose another --output"
            )


def transcribe(
    job: Job, transcriber: Transcriber | DrumTranscriber, chosen: argparse.Namespace, bar: Bar
) -> dict[str, Any]:
    """Find the notes of one file and write them; the facts are as ``--json`` gives them."""
    began = time.perf_counter()
    bar.say("reading")
    recording = read_input(job.source, chosen)
    samples, sr = recording.samples, recording.sr
    check_memory(transcriber.memory(samples, sr) - samples.nbytes)
    bar.say("preparing")
    found = transcriber(samples, sr, rng=chosen.seed, callback=bar.update)
    check_ended()
    bar.say("writing")
    paths = _write(job, found, chosen)
    tell_leftovers(job, list(written(paths)))
    seconds = time.perf_counter() - began
    duration = samples.shape[1] / sr
    return {
        "sr": sr,
        "channels": len(samples),
        "samples": samples.shape[1],
        "duration": duration,
        "offset": recording.offset,
        "notes": len(found.notes),
        **paths,
        "settings": dict(found.settings),
        "loss": float(found.decomposition.losses[-1]),
        "iterations": found.decomposition.n_iter,
        "converged": found.decomposition.converged,
        "seconds": seconds,
        "times_real_time": duration / seconds,
    }


def _write(job: Job, found: Transcription, chosen: argparse.Namespace) -> dict[str, Any]:
    """Write all that is asked for; the paths by what they are."""
    extras = {name: job.folder / (job.track + end) for name, end in _EXTRAS.items()}
    made: dict[str, Any] = {"stems": []}
    picture = _picture(found) if chosen.plot else b""
    stems = _stems(found, STEMS[chosen.stems]) if chosen.stems else None
    made["score"] = found.save(job.folder, job.track, overwrite=chosen.overwrite)
    if chosen.salience:
        found.save_salience(extras["salience"], overwrite=chosen.overwrite)
    if chosen.sonify:
        sound = {extras["sonify"]: found.sonify(beside=True)}
        write_group(sound, found.sr, format="wav", overwrite=chosen.overwrite)
    if chosen.plot:
        write_bytes(extras["plot"], picture, overwrite=chosen.overwrite)
    if stems is not None:
        made["stems"] = stems.save(job.folder / job.track, overwrite=chosen.overwrite).paths
    return made | {name: path if getattr(chosen, name) else None for name, path in extras.items()}


def _stems(found: Transcription, by: str) -> Stems:
    from nmfaudio.transcription.note_stems import note_stems, stems_memory

    check_memory(stems_memory(found, by))
    return note_stems(found, by)


def _picture(found: Transcription) -> bytes:
    content = io.BytesIO()
    found.plot().savefig(content, format="png", dpi=_DPI)
    return content.getvalue()


def written(report: dict[str, Any]) -> Iterable[Path]:
    """The paths that were written for one file."""
    yield from report.get("score", ())
    yield from (report[name] for name in _EXTRAS if report.get(name) is not None)
    yield from report.get("stems", ())


def report_lines(about: str, report: dict[str, Any]) -> list[str]:
    """The one line that tells how it went."""
    count = report["notes"]
    facts = [f"{count} {'note' if count == 1 else 'notes'} in {report['seconds']:.1f} s"]
    facts.append(f"{report['times_real_time']:.3g} × real time")
    return [f"{about}: {', '.join(facts)}"]
