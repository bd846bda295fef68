"""`nmfaudio evaluate`: separated stems compared with the true sources, and notes with a score."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nmfaudio._common.options import option, switch
from nmfaudio.cli.command import Command
from nmfaudio.cli.evaluated_files import audio_files, note_pairs
from nmfaudio.cli.failures import joint_code, printable, report_failure
from nmfaudio.cli.output import emit
from nmfaudio.cli.parser import at_least
from nmfaudio.errors import AudioWarning, ContentError, ParameterError

# Slow imports are inside the functions that need them, so that --help is fast.
if TYPE_CHECKING:
    import numpy as np

    from nmfaudio.audio.io import DecodedAudio

_MIXTURE = "mixture"
_TOLERANCE = 50  # ms
_AUDIO = "evaluation of audio"
_NOTES = "evaluation of notes"


@dataclass(frozen=True, kw_only=True)
class EvaluateCommand(Command):
    """``nmfaudio evaluate``."""

    operands = "[--notes] REF EST"
    details = """\
REF is a folder with the true sources, EST one with the separated stems: files
of the same sample rate, channels and length. Files with the same name are
compared, regardless of suffix. If a source has no file of its name, files are
matched for the best mean SIR, with a note. A file called mixture in REF is
used as the mixture.

With --notes, REF and EST are MIDI files or tables of notes, or folders of them,
in which files with the same name are compared, regardless of suffix. If
REF is a folder, EST may be the output folder of nmfaudio transcribe.
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

examples:
  nmfaudio separate song/mixture.wav -o out
  nmfaudio evaluate song/sources out/mixture
  nmfaudio evaluate --notes score.mid transcribed/song/notes.csv
"""

    mixture: str | None = option(
        None,
        "the mixture (default: mixture.* in REF, else the sum of the sources)",
        metavar="FILE",
        group=_AUDIO,
    )
    permute: bool = switch("match files for the best mean SIR, not by name", group=_AUDIO)
    framewise: bool = switch(
        "also compute the median over frames of one second, as BSS-eval version 4 (museval)",
        group=_AUDIO,
    )
    notes: bool = switch("compare notes, not audio", group=_NOTES)
    drums: bool = switch(
        "take all notes for drums, not only those on channel 10; tables may be seconds,drum",
        group=_NOTES,
    )
    tolerance: int | None = option(
        None,
        f"tolerance of onsets in milliseconds (default: {_TOLERANCE})",
        parse=at_least(1),
        metavar="MS",
        group=_NOTES,
    )

    def run(self) -> int:
        """Compare audio or notes."""
        kind = "notes" if self.notes else "audio"
        if len(self.files) != 2:
            raise ParameterError(
                f"need two arguments, got {len(self.files)}: REF with the true {kind} and EST with"
                " the estimated one"
            )
        if self.notes:
            self._refuse("mixture", "permute", "framewise", hint="is for audio; leave out --notes")
        else:
            self._refuse("drums", "tolerance", hint="is for notes; add --notes")
        return self._compare_notes() if self.notes else self._compare_audio()

    def _refuse(self, *names: str, hint: str) -> None:
        for name in names:
            if getattr(self, name):
                raise ParameterError(f"--{name} {hint}")

    def _compare_audio(self) -> int:
        reference, estimate = self.files
        references, estimates = audio_files(reference), audio_files(estimate)
        mixture = references.pop(_MIXTURE, None)
        estimates.pop(_MIXTURE, None)
        if self.mixture is not None:
            mixture = Path(self.mixture)
        if not references:
            raise ContentError(f"{printable(reference)}: has only a mixture; add the sources")

        from nmfaudio.metrics import evaluate

        files = {("reference", name): path for name, path in references.items()}
        files |= {("estimate", name): path for name, path in estimates.items()}
        files |= {("", _MIXTURE): mixture} if mixture is not None else {}
        audio, sr = _read(files)
        result = evaluate(
            {name: audio["reference", name] for name in references},
            {name: audio["estimate", name] for name in estimates},
            sr,
            mixture=audio.get(("", _MIXTURE)),
            permute=True if self.permute else None,
            framewise=self.framewise,
        )
        if self.json:
            self.emit_result(0, {"sr": sr} | result.to_dict())
        else:
            emit(f"{result}\n")
        return 0

    def _compare_notes(self) -> int:
        pairs, unmatched = note_pairs(*self.files)
        from nmfaudio.metrics.summary import TranscriptionSummary

        scores: dict[str, Any] = {}
        reports = [self._compare_piece(*pair, scores) for pair in pairs]
        summary = TranscriptionSummary(scores)
        code = joint_code(report["exit_code"] for report in reports)
        if self.json:
            mean = summary.to_dict()["mean"]
            self.emit_result(code, {"files": reports, "mean": mean, "left_aside": unmatched})
        elif scores:
            shown = summary if os.path.isdir(self.files[0]) else next(iter(scores.values()))
            emit(f"{shown}\n")
            if unmatched:
                emit(f"\nestimates without a reference: {', '.join(map(printable, unmatched))}\n")
        return code

    def _compare_piece(
        self, piece: str, reference: Path, estimate: Path | None, scores: dict[str, Any]
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
            result = evaluate_transcription(
                reference=reference,
                estimated=estimate,
                tolerance=milliseconds / 1000,
                drums=self.drums,
            )
            scores[piece] = result
            report["scores"] = result.to_dict()
            if result.drum_f == 0 and not self.drums:
                hint = "no drum hit is correct; add --drums if REF or EST is a table of drums"
                print(f"nmfaudio: warning: {printable(piece)}: {hint}", file=sys.stderr)
        return report


def _read(
    files: Mapping[tuple[str, str], Path],
) -> tuple[dict[tuple[str, str], np.ndarray], int]:
    """Read the audio of each file, and the sample rate that all have."""
    from nmfaudio.audio.io import read

    recordings: dict[tuple[str, str], DecodedAudio] = {}
    for key, path in files.items():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", AudioWarning)
            recordings[key] = read(path)
        for warning in caught:
            print(f"nmfaudio: warning: {printable(str(warning.message))}", file=sys.stderr)
    first, expected = next(iter(recordings.items()))
    for key, recording in recordings.items():
        if _facts(recording) != _facts(expected):
            raise ContentError(
                f"{printable(str(files[key]))}: has {_facts(recording)}, and "
                f"{printable(str(files[first]))} has {_facts(expected)}; they must be the same"
            )
    return {key: recording.samples for key, recording in recordings.items()}, expected.sr


def _facts(recording: DecodedAudio) -> str:
    channels, length = recording.samples.shape
    return f"{length:,} samples, {channels} channel{'s' * (channels != 1)}, {recording.sr:,} Hz"
