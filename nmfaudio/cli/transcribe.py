"""`nmfaudio transcribe`: notes or drum hits of recordings."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from nmfaudio._common.options import Option, option, options, switch
from nmfaudio.cli.batch import DEFAULT_ROOTS, BatchCommand, Worker, describe_result
from nmfaudio.cli.command import STDOUT
from nmfaudio.cli.failures import check_ended, printable
from nmfaudio.cli.memory import check_memory
from nmfaudio.cli.note_values import parse_program, parse_tempo
from nmfaudio.cli.pages import page_patterns, page_title
from nmfaudio.cli.parser import OUTPUT, REPORTING
from nmfaudio.cli.progress import FITTING, PREPARING, READING, WRITING, times
from nmfaudio.cli.record import PREFIX, discard_record
from nmfaudio.cli.score_files import SCORE_FILES, ScoreOptions, check_score
from nmfaudio.cli.transcriber_options import TRANSCRIPTION, TranscriberOptions
from nmfaudio.cli.transcription_facts import describe_fit, describe_notes
from nmfaudio.errors import ParameterError

# Slow imports are inside the functions that need them, so that --help is fast.
if TYPE_CHECKING:
    from nmfaudio.audio.io import DecodedAudio
    from nmfaudio.audio.io.track import Track
    from nmfaudio.cli.jobs import Job
    from nmfaudio.cli.progress import Bar
    from nmfaudio.stems.stems import Stems
    from nmfaudio.symbolic.beats import Beats
    from nmfaudio.transcription.drums import DrumTranscriber
    from nmfaudio.transcription.result import Transcription
    from nmfaudio.transcription.transcribed_file import TranscribedFile
    from nmfaudio.transcription.transcriber import Transcriber

_SCORE = "score"
# Arguments of stems().
_STEMS = {"note": "note", "pitch": "pitch", "hand": "hand", "instrument": "track", "part": "track"}
_EXTRAS = {
    "salience": "salience.npz",
    "sonify": "sonification.wav",
    "plot": "plot.png",
    "report": "report.html",
}
_IN_MEMORY = ("stems", "sonify", "report")  # options that need the whole recording


@dataclass(frozen=True, kw_only=True)
class TranscribeCommand(TranscriberOptions, BatchCommand):
    """``nmfaudio transcribe``."""

    details = """\
The notes of each FILE are written to OUTPUT/<name of FILE>/notes.mid, and to
notes.csv, a table. The default dictionary is one of a piano; nmfaudio
dictionary list shows others that ship with nmfaudio. With several instruments,
each has a track. With --preview, times count from the beginning of that part.
"""
    epilog = f"""\
examples:
  nmfaudio transcribe piano.wav
  nmfaudio transcribe *.flac -d upright.npz -o notes --skip-existing
  nmfaudio transcribe duo.wav -d flute,guitar --stems instrument
  nmfaudio transcribe piano.wav --sonify --plot --stems hand
  nmfaudio transcribe --drums loop.wav

{STDOUT}"""
    stages: ClassVar[Mapping[str, float]] = {
        READING: 1,
        PREPARING: 9,
        FITTING: 80,
        "detecting notes": 5,
        WRITING: 5,
    }

    output: str | None = option(
        None,
        "folder that gets a folder for each file (default: transcribed)",
        short="-o",
        metavar="OUTPUT",
        group=OUTPUT,
    )
    tempo: float | Literal["auto"] | None = option(
        None,
        "find beats and bars, and write them to notes.mid as tempo map and time signature: auto,"
        " or the approximate beats per minute, which choose between quarters and eighths as beats",
        parse=parse_tempo,
        metavar="BPM",
        group=_SCORE,
        excludes="beats",
    )
    beats: str | None = option(
        None,
        "read the beats and bars instead: a JAMS file with beat, or a table of seconds and the"
        " number in the bar",
        metavar="FILE",
        group=_SCORE,
        excludes="beats",
    )
    quantise: str | None = option(
        None,
        "also write the notes on a grid of the beats, such as 1/16, with triplets and swing:"
        f" {SCORE_FILES['quantise']}",
        metavar="GRID",
        group=_SCORE,
    )
    musicxml: bool = switch(
        f"also write a piano score on two staves: {SCORE_FILES['musicxml']}; needs partitura",
        group=_SCORE,
    )
    jams: bool = switch(
        f"also write the notes, and the beats with --tempo or --beats, as {SCORE_FILES['jams']}",
        group=_SCORE,
    )
    contours: bool = switch(
        "follow the pitch of each note: vibrato and slides stay one note, and pitches between the"
        " semitones are written to notes.mid as pitch bends, to notes.csv as contours",
        group=_SCORE,
    )
    pedal: bool = switch(
        "also write the sustain pedal to notes.mid, estimated from notes that end together; notes"
        " that end while it is down then sound until it rises",
        group=_SCORE,
    )
    program: int | None = option(
        None,
        "General MIDI instrument of the notes, by number from 0 or name (default: 0, a piano)",
        parse=parse_program,
        metavar="NAME",
        group=_SCORE,
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
        f"also write a picture of the notes: {_EXTRAS['plot']}; needs matplotlib", group=OUTPUT
    )
    report: bool = switch(
        "also write a page for the browser, to hear and see the notes, and the hands, instruments"
        f" or parts of the drum kit: {_EXTRAS['report']}",
        group=OUTPUT,
    )
    stems: str | None = option(
        None,
        "also separate each note, pitch, hand, instrument or part of the drum kit, and the rest;"
        " they sum to the recording: stems/*.wav",
        choices=tuple(_STEMS),
        group=OUTPUT,
    )

    verbose: bool = switch(
        "also show the fit, and how well the recording suits the dictionary",
        short="-v",
        group=REPORTING,
        excludes="verbosity",
    )

    @property
    def inputs(self) -> tuple[str, ...]:
        """Files that are read, and must not be replaced."""
        from nmfaudio.dictionaries.named_notes import is_shipped

        shipped = self.dictionary is None or is_shipped(self.dictionary)
        chosen = (None if shipped else self.dictionary, self.scale, self.beats)
        return (*super().inputs, *(path for path in chosen if path is not None))

    @property
    def root(self) -> Path:
        """Folder that gets a folder for each recording."""
        return Path(DEFAULT_ROOTS[1] if self.output is None else self.output)

    def record_path(self, track: str) -> Path:
        """Path, below `root`, of the record of the settings that made the results."""
        return Path(track, f"{PREFIX}{self.name}.json")

    def patterns(self, track: str) -> Sequence[Path]:
        """Glob patterns, below `root`, of the results of a recording."""
        files = _EXTRAS | SCORE_FILES
        extras = [file for name, file in files.items() if getattr(self, name)]
        names = ["notes.csv", "notes.mid", *extras, *(["stems/*.wav"] if self.stems else [])]
        page = page_patterns(Path(track, _EXTRAS["report"])) if self.report else []
        return [*(Path(track, name) for name in names), *page[1:]]

    def check(self) -> None:
        """Check options, that a picture can be drawn, and that the dictionary can be read."""
        self.check_transcriber()
        for flag, is_used in (("contours", self.contours), ("program", self.program is not None)):
            if self.drums and is_used:
                raise ParameterError(f"--{flag} is for pitched notes; omit it, or --drums")
        choices = ("note", "part") if self.drums else ("note", "pitch", "hand", "instrument")
        if self.stems not in (None, *choices):
            of = "drums" if self.drums else "notes"
            raise ParameterError(
                f"--stems {self.stems} is not available for {of}; choose {' or '.join(choices)}"
            )
        check_score(self._score_options)
        if self.plot:
            from nmfaudio._common.figures import new_figure

            new_figure(1, 1)
        _ = self._transcriber

    @property
    def _score_options(self) -> ScoreOptions:
        return ScoreOptions(
            self.tempo,
            self._known_beats,
            self.quantise,
            self.musicxml,
            self.jams,
            self.pedal,
            self.drums,
        )

    @cached_property
    def _known_beats(self) -> Beats | None:
        """Beats of the file, in seconds of the part that is processed."""
        if self.beats is None:
            return None
        if len(self.recordings) > 1:
            raise ParameterError(
                f"--beats is for one recording, got {len(self.recordings)}; transcribe each alone"
            )
        from nmfaudio.symbolic import read_beats

        beats = read_beats(self.beats)
        start = 0.0 if self.preview is None else self.preview[0]
        return replace(beats, times=beats.times - start)

    @property
    def _page_stems(self) -> Literal["hand", "track"]:
        """Stems of the page."""
        several = len(self._transcriber.dictionary.names) > 1
        return "track" if self.drums or several else "hand"

    @cached_property
    def _transcriber(self) -> Transcriber | DrumTranscriber:
        return self.drum_transcriber() if self.drums else self.note_transcriber(self.contours)

    def transcriber(self) -> Transcriber | DrumTranscriber:
        """Return the transcriber that the options choose, after checking them."""
        self.check()
        return self._transcriber

    def prepare(self) -> Worker:
        """Return the function that transcribes a recording."""
        from nmfaudio.dictionaries.named_notes import is_shipped

        transcriber = self._transcriber
        summary = repr(transcriber.dictionary).partition("(")[2].removesuffix(")")
        source = f"the shipped {'drums' if self.drums else 'piano'}"
        if self.dictionary is not None:
            shipped = "the shipped " if is_shipped(self.dictionary) else ""
            source = shipped + printable(self.dictionary)
        dictionary = f"{source}: {summary}"
        if not self.quiet:
            print(f"transcribing with {source} ({summary})", file=sys.stderr)

        def transcribe(job: Job, bar: Bar) -> dict[str, Any]:
            recording, result = self._transcribe(transcriber, job, bar)
            if self.program is not None:
                notes = tuple(replace(note, program=self.program) for note in result.notes)
                result = replace(result, notes=notes)
            paths = self._write(job, result)
            facts = {"dictionary": dictionary, **describe_notes(result)}
            return describe_result(recording, result) | facts | paths

        return transcribe

    def _transcribe(
        self, transcriber: Transcriber | DrumTranscriber, job: Job, bar: Bar
    ) -> tuple[DecodedAudio | Track, Transcription | TranscribedFile]:
        """Transcribe a recording in memory, or in blocks."""
        if not self.in_blocks(job, transcriber, bar):
            recording = self.read(job, bar)
            return recording, self.compute(transcriber, recording, bar)
        for name in _IN_MEMORY:
            if getattr(self, name):
                raise ParameterError(
                    f"--{name} needs the whole recording in memory, which is processed in blocks;"
                    f" leave out --{name} or --stream, or allow more with --memory"
                )
        with self.open(job, bar) as track:
            bar.show_stage(PREPARING)
            result = transcriber.transcribe_file(track, callback=bar.update)
        check_ended()
        bar.show_stage(WRITING)
        return track, result

    def _write(self, job: Job, result: Any) -> dict[str, Any]:
        """Write the notes of a `NoteResult` and all extras; return their paths."""
        from nmfaudio._common.figures import encode_figure

        extras = {name: job.folder / file for name, file in _EXTRAS.items() if getattr(self, name)}
        # What may fail comes before the first file is written.
        picture = encode_figure(result.plot().figure) if self.plot else b""
        if self.report:
            _check_memory(result, self._page_stems)
        stems = _separate(result, _STEMS[self.stems]) if self.stems else None
        discard_record(job.record)  # it does not hold for results replaced in part
        score = self._score_options.write(result, job.folder, overwrite=self.overwrite)
        sounds = self._write_extras(job, result, extras, picture)
        paths: Sequence[Path] = ()
        if stems is not None:
            paths = stems.save(job.folder / "stems", overwrite=self.overwrite).paths
        facts = {**score, "stems": paths, "report_files": sounds}
        return facts | {name: extras.get(name) for name in _EXTRAS}

    def _write_extras(
        self, job: Job, result: Any, extras: Mapping[str, Path], picture: bytes
    ) -> list[Path]:
        """Write the files beside the notes; return those of the sounds of the page."""
        from nmfaudio._common.files import write_bytes
        from nmfaudio.audio.io import write_group

        if self.salience:
            result.save_salience(extras["salience"], overwrite=self.overwrite)
        if self.sonify:
            audio = {extras["sonify"]: result.sonify(beside=True)}
            write_group(audio, result.sr, format="wav", overwrite=self.overwrite)
        if self.plot:
            write_bytes(extras["plot"], picture, overwrite=self.overwrite)
        if not self.report:
            return []
        pages: list[Path] = result.report(
            extras["report"],
            by=self._page_stems,
            title=page_title(job.source, self.preview),
            recording=job.source,
            overwrite=self.overwrite,
        )
        return pages[1:]

    def written(self, report: dict[str, Any]) -> Iterable[Path]:
        """Paths written for one file."""
        yield from report.get("score", ())
        *others, page = (report.get(name) for name in _EXTRAS)
        yield from (path for path in others if path is not None)
        yield from report.get("stems", ())
        yield from report.get("report_files", ())
        if page is not None:  # the last one, where it is easily found
            yield page

    def lines(self, name: str, report: dict[str, Any]) -> Iterable[str]:
        """One line about the notes; with -v another one about the fit."""
        count = len(report["notes"])
        notes = "note" if count == 1 else "notes"
        found = f"{count} {notes}"
        if "tempo" in report:
            above, below = report["time_signature"]
            found += f", {report['tempo']:.0f} beats per minute in {above}/{below}"
        lines = [f"{name}: {found} in {times(report['seconds'], report['duration'])}"]
        return [*lines, describe_fit(report)] if self.verbose else lines


def transcriber_options() -> tuple[Option, ...]:
    """Options that choose the transcriber."""
    return tuple(each for each in options(TranscribeCommand) if each.group == TRANSCRIPTION)


def _separate(result: Transcription, by: str) -> Stems:
    from nmfaudio.transcription.note_stems import note_stems

    _check_memory(result, by)
    return note_stems(result, by)


def _check_memory(result: Transcription, by: str) -> None:
    from nmfaudio.transcription.note_stems import stems_memory

    check_memory(stems_memory(result, by))
