"""`nmfaudio evaluate --notes`: how near transcribed notes are to those of the score."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from nmfaudio._version import __version__
from nmfaudio.cli.failures import complain, describe, exit_code, joint_code, printable
from nmfaudio.cli.output import emit, emit_json
from nmfaudio.cli.parser import Parser, whole
from nmfaudio.errors import AudioFileError, ContentError, ParameterError

_SUFFIXES = (".mid", ".midi", ".csv")  # in this order: tables need not say what is a drum
_TOLERANCE = 50  # ms


def add_options(parser: Parser) -> None:
    """``--notes``, and what goes with it."""
    group = parser.add_argument_group("how to judge notes")
    group.add_argument("--notes", action="store_true", help="REF and EST hold notes, not audio")
    group.add_argument(
        "--drums",
        action="store_true",
        help="all notes are drums, not only those on channel 10; tables may be seconds,drum",
    )
    group.add_argument(
        "--tolerance",
        type=whole(1),
        metavar="MS",
        help=f"how far an onset may be off, in milliseconds (default: {_TOLERANCE})",
    )


def refuse_options(chosen: argparse.Namespace) -> None:
    """Refuse what makes no sense without ``--notes``."""
    for option in ("drums", "tolerance"):
        if getattr(chosen, option) not in (None, False):
            raise ParameterError(f"--{option} is for notes; add --notes")


def run(chosen: argparse.Namespace) -> int:
    """Run ``nmfaudio evaluate --notes``, and return its exit code."""
    if len(chosen.files) != 2:
        raise ParameterError(
            f"got {len(chosen.files)} files, need two: REF with the true notes and EST with the "
            "transcribed ones"
        )
    for option in ("mixture", "permute", "framewise"):
        if getattr(chosen, option):
            raise ParameterError(f"--{option} is for audio; leave it out, or leave out --notes")
    pairs, aside = _pairs(*chosen.files)
    from nmfaudio.metrics.summary import TranscriptionSummary

    reports = [_judge(*pair, chosen) for pair in pairs]
    pieces = {r["piece"]: r.pop("found") for r in reports if r["exit_code"] == 0}
    summary = TranscriptionSummary(pieces)
    code = joint_code(report["exit_code"] for report in reports)
    if chosen.json:
        facts = {"nmfaudio": __version__, "command": "evaluate", "exit_code": code}
        mean = summary.to_dict()["mean"]
        emit_json(facts | {"files": reports, "mean": mean, "left_aside": aside})
    elif pieces:
        shown = summary if os.path.isdir(chosen.files[0]) else next(iter(pieces.values()))
        emit(f"{shown}\n")
        if aside:
            emit(f"\nestimates of no reference, left aside: {', '.join(map(printable, aside))}\n")
    return code


def _judge(
    piece: str, reference: Path, estimate: Path | None, chosen: argparse.Namespace
) -> dict[str, Any]:
    """The scores of one piece; its failure is reported and does not stop the others."""
    from nmfaudio.metrics.transcription import evaluate_transcription

    report: dict[str, Any] = {"piece": piece, "reference": reference, "estimate": estimate}
    milliseconds = _TOLERANCE if chosen.tolerance is None else chosen.tolerance
    try:
        if estimate is None:
            raise ContentError(
                f"{printable(str(reference))}: has no estimate of its name in "
                f"{printable(chosen.files[1])}; add one, if need be without notes"
            )
        scores = evaluate_transcription(
            reference, estimate, tolerance=milliseconds / 1000, drums=chosen.drums
        )
    except Exception as error:
        complain(error, debug=chosen.debug)
        return report | {"exit_code": exit_code(error), "error": describe(error)}
    if scores.drum_f == 0 and not chosen.drums:
        hint = "no hit of a drum is right; add --drums if one side is a table of drums"
        print(f"nmfaudio: warning: {printable(piece)}: {hint}", file=sys.stderr)
    return report | {"exit_code": 0, "scores": scores.to_dict(), "found": scores}


def _pairs(reference: str, estimate: str) -> tuple[list[tuple[str, Path, Path | None]], list[str]]:
    """Name, true and transcribed notes of each piece, and the estimates that belong to none."""
    folders = [os.path.isdir(path) for path in (reference, estimate)]
    if not any(folders):
        return [(Path(reference).stem, Path(reference), Path(estimate))], []
    if not all(folders):
        raise ParameterError(
            f"{printable(reference)} and {printable(estimate)}: one is a folder and one is not; "
            "give two files or two folders"
        )
    truth, made = _note_files(reference), _note_files(estimate)
    if not truth:
        raise ContentError(
            f"{printable(reference)}: holds no {', '.join(_SUFFIXES)} files; name one that does"
        )
    pairs = [(piece, path, made.get(piece)) for piece, path in truth.items()]
    return pairs, [path.name for piece, path in made.items() if piece not in truth]


def _note_files(folder: str) -> dict[str, Path]:
    """The files of notes of a folder under their names without suffix."""
    found: dict[str, Path] = {}
    try:
        paths = sorted(Path(folder).iterdir())
    except OSError as error:
        raise AudioFileError(f"{printable(folder)}: {error.strerror}") from None
    for suffix in _SUFFIXES:
        for path in paths:
            if path.suffix.lower() == suffix and not path.name.startswith("."):
                found.setdefault(path.stem, path)
    return dict(sorted(found.items()))
