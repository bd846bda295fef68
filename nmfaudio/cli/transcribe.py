"""`nmfaudio transcribe`: notes or drum hits of recordings."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nmfaudio._common.options import option, switch
from nmfaudio.cli.batch import DEFAULT_ROOTS, BatchCommand, Worker, describe_result
from nmfaudio.cli.command import STDOUT
from nmfaudio.cli.failures import printable
from nmfaudio.cli.memory import check_memory
from nmfaudio.cli.parser import OUTPUT
from nmfaudio.cli.record import PREFIX, discard_record
from nmfaudio.errors import ParameterError

# Slow imports are inside the functions that need them, so that --help is fast.
if TYPE_CHECKING:
    from nmfaudio.cli.jobs import Job
    from nmfaudio.cli.progress import Bar
    from nmfaudio.stems.stems import Stems
    from nmfaudio.transcription.drums import DrumTranscriber
    from nmfaudio.transcription.result import Transcription
    from nmfaudio.transcription.transcriber import Transcriber

_GROUP = "transcription"
_STEMS = {"note": "note", "pitch": "pitch", "hand": "hand", "part": "track"}  # argument of stems()
_EXTRAS = {"salience": "salience.npz", "sonify": "sonification.wav", "plot": "plot.png"}


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < float("inf"):
        raise ParameterError(f"{text!r} is not a number above 0")
    return value


@dataclass(frozen=True, kw_only=True)
class TranscribeCommand(BatchCommand):
    """``nmfaudio transcribe``."""

    details = """\
The notes of each FILE are written to OUTPUT/<name of FILE>/notes.mid, and to
notes.csv, a table. The default dictionary is one of a piano. With --preview,
times count from the beginning of that part.
"""
    epilog = f"""\
examples:
  nmfaudio transcribe piano.wav
  nmfaudio transcribe *.flac -d upright.npz -o notes --skip-existing
  nmfaudio transcribe piano.wav --sonify --plot --stems hand
  nmfaudio transcribe --drums loop.wav

{STDOUT}"""
    last_stage = "detecting notes"

    dictionary: str | None = option(
        None,
        "dictionary of the notes or drums (default: a piano or a drum kit that ships with"
        " nmfaudio)",
        short="-d",
        metavar="D.NPZ",
        group=_GROUP,
    )
    drums: bool = switch("transcribe drum hits instead of pitched notes", group=_GROUP)
    parts: str | None = option(
        None,
        "drums to transcribe, separated by commas: kick, snare, hihat, toms, cymbals; the last two"
        " are far less reliable (default: the first three, or those of --dictionary)",
        metavar="NAMES",
        group=_GROUP,
    )
    threshold: float | None = option(
        None,
        "detection threshold: lower finds more notes, and more false ones (default: the best one"
        " on recordings of the same kind)",
        parse=_positive,
        metavar="X",
        group=_GROUP,
    )
    output: str | None = option(
        None,
        "folder that gets a folder for each file (default: transcribed)",
        short="-o",
        metavar="OUTPUT",
        group=OUTPUT,
    )
    salience: bool = switch(
        f"also write the strength of each pitch over time: {_EXTRAS['salience']}", group=OUTPUT
    )
    sonify: bool = switch(
        "also write the recording on the left channel and the notes as tones on the right:"
        f" {_EXTRAS['sonify']}",
        group=OUTPUT,
    )
    plot: bool = switch(
        f"also write a picture of the notes: {_EXTRAS['plot']}; needs nmfaudio[plot]", group=OUTPUT
    )
    stems: str | None = option(
        None,
        "also separate each note, pitch, hand or part of the drum kit, and the rest; they sum to"
        " the recording: stems/*.wav",
        choices=tuple(_STEMS),
        group=OUTPUT,
    )

    @property
    def inputs(self) -> tuple[str, ...]:
        """Files that are read, and must not be replaced."""
        return (*super().inputs, *([] if self.dictionary is None else [self.dictionary]))

    @property
    def root(self) -> Path:
        """Folder that gets a folder for each recording."""
        return Path(DEFAULT_ROOTS[1] if self.output is None else self.output)

    def record_path(self, track: str) -> Path:
        """Path, below `root`, of the record of the settings that made the results."""
        return Path(track, f"{PREFIX}{self.name}.json")

    def patterns(self, track: str) -> Sequence[Path]:
        """Glob patterns, below `root`, of the results of a recording."""
        extras = [file for name, file in _EXTRAS.items() if getattr(self, name)]
        names = ["notes.csv", "notes.mid", *extras, *(["stems/*.wav"] if self.stems else [])]
        return [Path(track, name) for name in names]

    def check(self) -> None:
        """Check options, that a picture can be drawn, and that the dictionary can be read."""
        if self.parts is not None and not self.drums:
            raise ParameterError("--parts is for drums; add --drums")
        choices = ("note", "part") if self.drums else ("note", "pitch", "hand")
        if self.stems not in (None, *choices):
            of = "drums" if self.drums else "notes"
            raise ParameterError(
                f"--stems {self.stems} is not available for {of}; choose {' or '.join(choices)}"
            )
        if self.plot:
            from nmfaudio._common.figures import new_figure

            new_figure(1, 1)
        _ = self._transcriber

    @cached_property
    def _transcriber(self) -> Transcriber | DrumTranscriber:
        return self._drum_transcriber() if self.drums else self._note_transcriber()

    def prepare(self) -> Worker:
        """Return the function that transcribes a recording."""
        transcriber = self._transcriber
        summary = repr(transcriber.dictionary).partition("(")[2].removesuffix(")")
        source = f"the shipped {'drums' if self.drums else 'piano'}"
        if self.dictionary is not None:
            source = printable(self.dictionary)
        dictionary = f"{source}: {summary}"
        if not self.quiet:
            print(f"transcribing with {dictionary}", file=sys.stderr)

        def transcribe(job: Job, bar: Bar) -> dict[str, Any]:
            recording = self.read(job, bar)
            result = self.compute(transcriber, recording, bar)
            paths = self._write(job, result)
            facts = {"notes": len(result.notes), "dictionary": dictionary}
            return describe_result(recording, result) | facts | paths

        return transcribe

    def _note_transcriber(self) -> Transcriber:
        from nmfaudio.dictionaries.note_dictionary import NoteDictionary
        from nmfaudio.transcription.transcriber import Transcriber

        settings = {} if self.threshold is None else {"threshold": self.threshold}
        if self.dictionary is None:
            return Transcriber().with_decoding(**settings)
        return Transcriber(NoteDictionary.load(self.dictionary)).with_decoding(**settings)

    def _drum_transcriber(self) -> DrumTranscriber:
        from nmfaudio.dictionaries.dictionary import Dictionary
        from nmfaudio.symbolic.names import DRUM_PARTS
        from nmfaudio.transcription.drums import DrumTranscriber

        settings: dict[str, Any] = {}
        if self.threshold is not None:
            settings["threshold"] = self.threshold
        if self.dictionary is not None:
            settings["dictionary"] = dictionary = Dictionary.load(self.dictionary)
            settings["parts"] = tuple(part for part in DRUM_PARTS if part in dictionary.names)
        if self.parts is not None:
            settings["parts"] = tuple(name.strip() for name in self.parts.split(","))
        return DrumTranscriber(**settings)

    def _write(self, job: Job, result: Transcription) -> dict[str, Any]:
        """Write the notes and all extras; return their paths."""
        from nmfaudio._common.figures import encode_figure
        from nmfaudio._common.files import write_bytes
        from nmfaudio.audio.io import write_group

        extras = {name: job.folder / file for name, file in _EXTRAS.items() if getattr(self, name)}
        # What may fail comes before the first file is written.
        picture = encode_figure(result.plot()) if self.plot else b""
        stems = _separate(result, _STEMS[self.stems]) if self.stems else None
        discard_record(job.record)  # it does not hold for results replaced in part
        score = result.save(job.folder, overwrite=self.overwrite)
        if self.salience:
            result.save_salience(extras["salience"], overwrite=self.overwrite)
        if self.sonify:
            audio = {extras["sonify"]: result.sonify(beside=True)}
            write_group(audio, result.sr, format="wav", overwrite=self.overwrite)
        if self.plot:
            write_bytes(extras["plot"], picture, overwrite=self.overwrite)
        paths: Sequence[Path] = ()
        if stems is not None:
            paths = stems.save(job.folder / "stems", overwrite=self.overwrite).paths
        return {"score": score, "stems": paths} | {name: extras.get(name) for name in _EXTRAS}

    def written(self, report: dict[str, Any]) -> Iterable[Path]:
        """Paths written for one file."""
        yield from report.get("score", ())
        yield from (report[name] for name in _EXTRAS if report.get(name) is not None)
        yield from report.get("stems", ())

    def lines(self, name: str, report: dict[str, Any]) -> Iterable[str]:
        """One line about the notes."""
        count = report["notes"]
        facts = [f"{count} {'note' if count == 1 else 'notes'} in {report['seconds']:.1f} s"]
        facts.append(f"{report['times_real_time']:.3g} × real time")
        return [f"{name}: {', '.join(facts)}"]


def _separate(result: Transcription, by: str) -> Stems:
    from nmfaudio.transcription.note_stems import note_stems, stems_memory

    check_memory(stems_memory(result, by))
    return note_stems(result, by)
