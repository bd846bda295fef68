"""`nmfaudio evaluate`: stems compared with the true sources, notes and beats with true ones."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nmfaudio._common.options import option, switch
from nmfaudio._common.time_ranges import parse_time_range
from nmfaudio.cli.command import Command
from nmfaudio.cli.evaluated_files import RESULT, audio_parts, kind_of, note_pairs
from nmfaudio.cli.failures import joint_code, printable, report_failure
from nmfaudio.cli.memory import check_files
from nmfaudio.cli.output import emit
from nmfaudio.cli.parser import at_least
from nmfaudio.errors import AudioWarning, ContentError, ParameterError

_TOLERANCE = 50  # ms
_MEMORY = 5.0  # bytes for each byte of samples, of all files together
_AUDIO = "evaluation of audio"
_NOTES = "evaluation of notes"
_BEATS = "evaluation of beats"
_OF_AUDIO = ("mixture", "preview", "permute", "framewise")
_OF_NOTES = ("drums", "tolerance", "errors")


@contextmanager
def _warnings_as_lines() -> Iterator[None]:
    """Print warnings about the files on standard error."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", AudioWarning)
        yield
    for warning in caught:
        print(f"nmfaudio: warning: {printable(str(warning.message))}", file=sys.stderr)


@dataclass(frozen=True, kw_only=True)
class EvaluateCommand(Command):
    """``nmfaudio evaluate``."""

    operands = "REF EST"
    details = """\
REF is a folder with the true sources, EST one with the separated stems: files
of the same sample rate, channels and length. Files with the same name are
compared, regardless of suffix. If a source has no file of its name, files are
matched for the best mean SIR, with a note. A file called mixture in REF is
used as the mixture. If REF or EST is a file, one pair is compared.

REF and EST may also be MIDI, JAMS or tables of notes, or folders of them, in
which files with the same name are compared, regardless of suffix. EST may be
the output folder of nmfaudio transcribe, for one recording or for several.
With --beats, they are two files of beats.
"""
    epilog = """\
measures of audio, all in dB and better when higher:
  SI-SDR              all errors, up to the level
  SDR, SIR, SAR       BSS-eval version 3 (bss_eval_sources): all errors, other
                      sources, and artefacts, where filters of 512 taps are
                      allowed
  ISR, image SDR      bss_eval_images: errors that such a filter could correct,
                      and all errors if no filter is allowed
  SI-SDRi, SDRi       improvement over the mixture

measures of notes: precision, recall and F by mir_eval, of onsets, offsets and
velocities of notes, of pitches every 10 ms, and of the hits of each drum.

measures of beats by mir_eval, of all after 5 s: F of beats and downbeats within
70 ms, Cemgil, P-score, continuity (cmlc, cmlt; amlc, amlt, where half, double
and offbeat beats are correct, too), information gain, and the estimated tempo
over the true one.

examples:
  nmfaudio separate song/mixture.wav -o out
  nmfaudio evaluate song/sources out/mixture
  nmfaudio evaluate kick.flac out/loop/kick.wav
  nmfaudio evaluate score.mid transcribed/song
  nmfaudio evaluate --beats song.beats transcribed/song/notes.jams
"""

    mixture: str | None = option(
        None,
        "the mixture (default: mixture.* in REF, else the sum of the sources)",
        metavar="FILE",
        group=_AUDIO,
    )
    preview: tuple[float, float] | None = option(
        None,
        "compare this part; EST is of it, separated with this --preview, or as long as the true"
        " sources",
        parse=parse_time_range,
        metavar="FROM-TO",
        group=_AUDIO,
    )
    permute: bool = switch("match files for the best mean SIR, not by name", group=_AUDIO)
    framewise: bool = switch(
        "also compute the median over frames of one second, as BSS-eval version 4 (museval)",
        group=_AUDIO,
    )
    notes: bool = switch(
        "compare notes, where folders have audio and notes, or files have other suffixes",
        group=_NOTES,
    )
    drums: bool = switch(
        "take all notes for drums, not only those on channel 10 and tables of seconds,drum",
        group=_NOTES,
    )
    errors: bool = switch(
        "also count missed and extra notes by kind (timing, repeated, octave, semitone, other),"
        " pitch and velocity, and compute F for several tolerances",
        group=_NOTES,
    )
    tolerance: int | None = option(
        None,
        f"tolerance of onsets in milliseconds (default: {_TOLERANCE})",
        parse=at_least(1, 60_000),
        metavar="MS",
        group=_NOTES,
    )
    beats: bool = switch(
        "compare beats: JAMS files with beat, or tables of seconds and the number in the bar",
        group=_BEATS,
    )

    def run(self) -> int:
        """Compare audio, notes or beats."""
        if len(self.files) != 2:
            raise ParameterError(
                f"need two arguments, got {len(self.files)}: REF with the true sources or notes,"
                " and EST with the estimated ones"
            )
        if self.beats:
            self._refuse(*_OF_AUDIO, *_OF_NOTES, "notes", hint="is not for beats")
            return self._compare_beats()
        if self._are_notes():
            self._refuse(*_OF_AUDIO, hint="is for audio, and not for notes")
            return self._compare_notes()
        self._refuse(*_OF_NOTES, hint="is for notes; add --notes")
        return self._compare_audio()

    def _are_notes(self) -> bool:
        """Return whether notes are compared, by the option or by the kinds of the files."""
        if self.notes:
            return True
        kinds = [kind_of(path) for path in self.files]
        if {"audio", "notes"} <= set(kinds):
            audio, notes = (printable(self.files[kinds.index(kind)]) for kind in ("audio", "notes"))
            raise ParameterError(
                f"{audio} is audio, and {notes} has notes; compare two of a kind, or transcribe"
                " the audio"
            )
        return "notes" in kinds

    def _refuse(self, *names: str, hint: str) -> None:
        for name in names:
            if getattr(self, name):
                raise ParameterError(f"--{name} {hint}")

    def _compare_audio(self) -> int:
        from nmfaudio.metrics import evaluate

        with _warnings_as_lines():
            reference, estimate = self.files
            check_files(audio_parts(reference, estimate, self.preview), _MEMORY)
            result = evaluate(
                reference,
                estimate,
                mixture=self.mixture,
                permute=True if self.permute else None,
                framewise=self.framewise,
                part=self.preview,
            )
        if self.json:
            self.emit_result(0, {"sr": result.sr} | result.to_dict())
        else:
            emit(f"{result}\n")
        return 0

    def _compare_beats(self) -> int:
        from nmfaudio.metrics import evaluate_beats

        with _warnings_as_lines():
            scores = evaluate_beats(*self.files)
        if self.json:
            self.emit_result(0, {"scores": scores})
        else:
            emit("".join(f"{name:<16}  {score:6.3f}\n" for name, score in scores.items()))
        return 0

    def _compare_notes(self) -> int:
        pairs, unmatched = note_pairs(*self.files)
        if [Path(path).stem == RESULT for path in self.files] == [True, False]:
            print(
                f"nmfaudio: warning: {printable(self.files[0])} is named like a transcription;"
                " the true notes come first",
                file=sys.stderr,
            )
        from nmfaudio.metrics.summary import TranscriptionSummary

        scores: dict[str, Any] = {}
        errors: dict[str, Any] = {}
        reports = [self._compare_piece(*pair, scores, errors) for pair in pairs]
        summary = TranscriptionSummary(scores)
        code = joint_code(report["exit_code"] for report in reports)
        if self.json:
            mean = summary.to_dict()["mean"]
            self.emit_result(code, {"files": reports, "mean": mean, "left_aside": unmatched})
        elif scores:
            are_folders = all(map(os.path.isdir, self.files))
            shown = summary if are_folders else next(iter(scores.values()))
            emit(f"{shown}\n")
            self._show_errors(errors)
            if unmatched:
                emit(f"\nestimates without a reference: {', '.join(map(printable, unmatched))}\n")
        return code

    def _compare_piece(
        self,
        piece: str,
        reference: Path,
        estimate: Path | None,
        scores: dict[str, Any],
        errors: dict[str, Any],
    ) -> dict[str, Any]:
        """Evaluate one piece; its failure is reported and does not stop the others."""
        from nmfaudio.metrics.transcription import evaluate_transcription

        report: dict[str, Any] = {"piece": piece, "reference": reference, "estimate": estimate}
        report["exit_code"] = 0
        milliseconds = _TOLERANCE if self.tolerance is None else self.tolerance
        with report_failure(report, debug=self.debug):
            if estimate is None:
                raise ContentError(
                    f"{printable(str(reference))}: has no estimate of its name in "
                    f"{printable(self.files[1])}; add one, even if it has no notes"
                )
            tolerance = milliseconds / 1000
            result = evaluate_transcription(
                reference, estimate, tolerance=tolerance, drums=self.drums
            )
            report["scores"] = result.to_dict()
            if self.errors:
                errors[piece] = self._find_errors(reference, estimate, tolerance)
                kinds, curve = errors[piece]
                report |= {"errors": kinds.to_dict(), "tolerance_curve": curve.to_dict()}
            scores[piece] = result
        return report

    def _find_errors(self, reference: Path, estimate: Path, tolerance: float) -> tuple[Any, Any]:
        """Kinds of errors of a piece, and F by tolerance."""
        from nmfaudio.metrics import tolerance_curve, transcription_errors

        kinds = transcription_errors(reference, estimate, tolerance=tolerance, drums=self.drums)
        return kinds, tolerance_curve(reference, estimate, drums=self.drums)

    def _show_errors(self, errors: dict[str, tuple[Any, Any]]) -> None:
        """Print the errors of each piece."""
        for piece, (kinds, curve) in errors.items():
            emit(f"\nerrors of {printable(piece)}\n{kinds}\n")
            for groups in (kinds.by_pitch(), kinds.by_velocity()):
                emit(f"\n{'':9}   hits  missed  extra\n")
                for name, group in groups.items():
                    missed, extra = sum(group.missed.values()), sum(group.extra.values())
                    emit(f"{name:<9}  {group.hits:5}  {missed:6}  {extra:5}\n")
            emit(f"\n{curve}\n")
