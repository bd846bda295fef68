"""`nmfaudio learn`: dictionaries of templates from recordings."""

from __future__ import annotations

import sys
import time
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nmfaudio._common.options import option, options, switch
from nmfaudio._common.time_ranges import parse_time_range
from nmfaudio.cli.command import describe_command
from nmfaudio.cli.dictionary_facts import describe_dictionary, summarise
from nmfaudio.cli.failures import advice_after_signal, printable
from nmfaudio.cli.learn_corpus import CORPUS_STAGES, check_corpus_options, describe_fit, fit
from nmfaudio.cli.learn_options import MAX_ITER, LearningOptions
from nmfaudio.cli.memory import check_files
from nmfaudio.cli.output import emit_path
from nmfaudio.cli.parser import OUTPUT, Parser, at_least, build_parser
from nmfaudio.cli.progress import FITTING, READING, WRITING, Bar, record_warnings
from nmfaudio.errors import ParameterError

# Slow imports are inside the functions that need them, so that --help is fast.
if TYPE_CHECKING:
    from nmfaudio.dictionaries.dictionary import Dictionary
    from nmfaudio.dictionaries.note_dictionary import NoteDictionary
    from nmfaudio.dictionaries.recordings import Recording

_STAGES = {READING: 20, FITTING: 75, WRITING: 5}
_NOTE_HOPS = 8  # hops per window
_PLAIN_ONLY = {"size": "--size", "kind": "--kind", "files": "LABEL=PATH", "ranges": "--from"}
_RECORDINGS = "recordings"
_NOTES = "recordings of notes, for transcription"
_CORPUS = "corpus of recordings"
_MEMORY = 4.0  # bytes for each byte of samples, of all recordings together
_SHORTER = "name parts of the recordings with --from, or learn with --corpus"
_CONTINUE = "repeat the command, with the same --work, to go on"


def _pitch_range(text: str) -> tuple[int, int]:
    low, _, high = text.partition("-")
    if not (low.isdecimal() and high.isdecimal()):
        raise ParameterError(f"{text!r} is not of the form LOW-HIGH, as in 21-108")
    return int(low), int(high)


def _part(recording: Recording) -> tuple[Any, tuple[float, float] | None]:
    """File of a recording, and its part in seconds."""
    if recording.stop_time is None:
        return recording.audio, None
    return recording.audio, (recording.start_time or 0.0, recording.stop_time)


@dataclass(frozen=True, kw_only=True)
class LearnCommand(LearningOptions):
    """``nmfaudio learn``."""

    operands = "LABEL=PATH... -o DICTIONARY.npz"
    details = """\
A PATH is an isolated recording of the sound, or a folder of them. Each file of
a folder is one hit or one note, with the pitch in its name if all names are
MIDI numbers or notes (60.wav, F#3.flac). A label may occur several times.

Notes for transcription get templates of the attack, and of an early and a late
stage, for each pitch.

A corpus of any size gets one set of templates for all its recordings. With
--work, a run that was interrupted continues when the command is repeated. For
a dictionary of each file of a folder, see nmfaudio batch learn.
"""
    epilog = """\
examples:
  nmfaudio learn guitar=guitar.wav voice=a.wav voice=b.wav -o songs.npz
  nmfaudio learn --from mix.wav 12.0-15.5,1:02-1:09=guitar -o mix.npz
  nmfaudio learn kick=kicks/ snare=snares/ --kind convolutive -o kit.npz
  nmfaudio learn --notes piano=notes/ --fill 21-108 -o piano.npz
  nmfaudio learn --recording piano=take.wav take.mid -o piano.npz
  nmfaudio learn --soundfont piano=FluidR3_GM.sf2 --average -o piano.npz
  nmfaudio learn --corpus songs/ -k 64 --work scratch/ -o songs.npz

The path written goes to stdout.
"""

    ranges: tuple[tuple[str, str], ...] = option(
        (),
        "parts of a recording, as in mix.wav 12.0-15.5,1:02-1:09=guitar",
        flag="--from",
        metavar=("FILE", "RANGES=LABEL"),
        many=True,
        group=_RECORDINGS,
    )
    resample: bool = switch(
        "resample all to the sample rate of the first (default: refuse other rates)",
        group=_RECORDINGS,
    )
    notes: tuple[str, ...] = option(
        (),
        "isolated notes, in files named by pitch, and velocity if known: 60.wav, F#3_v100.wav",
        metavar="LABEL=FOLDER",
        many=True,
        group=_NOTES,
    )
    recordings: tuple[tuple[str, str], ...] = option(
        (),
        "music, and the MIDI file or table of its notes, aligned with it in time",
        flag="--recording",
        metavar=("LABEL=FILE", "SCORE"),
        many=True,
        group=_NOTES,
    )
    soundfonts: tuple[str, ...] = option(
        (),
        "notes played by fluidsynth",
        flag="--soundfont",
        metavar="LABEL=FONT.sf2",
        many=True,
        group=_NOTES,
    )
    program: int = option(
        0,
        "General MIDI instrument of the soundfonts, 0 to 127",
        parse=at_least(0),
        metavar="N",
        group=_NOTES,
    )
    average: bool = switch(
        "keep one template per pitch and stage of a label: the mean over velocities, and over"
        " several instruments, for an unknown one",
        group=_NOTES,
    )
    fill: tuple[int, int] | None = option(
        None,
        "add all missing semitones between two MIDI numbers, by transposing the nearest note:"
        " 21-108 for the keys of a piano",
        parse=_pitch_range,
        metavar="LOW-HIGH",
        group=_NOTES,
    )
    corpus: str | None = option(
        None,
        "learn templates from all audio files in a folder and the folders in it",
        metavar="[LABEL=]FOLDER",
        group=_CORPUS,
    )
    passes: int | None = option(
        None,
        "passes over all frames, after a fit to frames spread over the corpus (default: 1)",
        parse=at_least(0),
        metavar="N",
        group=_CORPUS,
    )
    exact: bool = switch(
        "iterate over all frames instead, with 1.2 GB on disk for each hour", group=_CORPUS
    )
    workers: int | None = option(
        None,
        "number of processes; the result does not depend on it (default: 1)",
        parse=at_least(1, 1024),
        metavar="N",
        group=_CORPUS,
    )
    work: str | None = option(
        None,
        "folder for intermediate results, from which an interrupted run continues (default: a"
        " temporary one)",
        metavar="FOLDER",
        group=_CORPUS,
    )
    output: str | None = option(
        None,
        "file of the dictionary",
        short="-o",
        metavar="DICTIONARY.npz",
        group=OUTPUT,
    )
    overwrite: bool = switch("replace a file that exists (default: refuse)", group=OUTPUT)

    @classmethod
    def parser(cls, name: str) -> Parser:
        """Build the parser of the command, with the recordings before the ways to learn."""
        return build_parser(
            name,
            options(cls),
            operands=cls.operands,
            description=describe_command(name, cls.details),
            epilog=cls.epilog,
        )

    def run(self) -> int:
        """Learn a dictionary and write it."""
        self._check()
        sounds = {} if self._has_notes or self.corpus else self._sounds()
        path = self._checked_output()
        from nmfaudio._common.files import check_targets

        check_targets([path], overwrite=self.overwrite)
        self.set_threads()
        began = time.perf_counter()
        stages = CORPUS_STAGES if self.corpus else _STAGES
        bar = Bar(printable(path.name), stages, quiet=self.quiet, lines=self.progress)
        facts: dict[str, Any] = {}
        with record_warnings("learn", bar) as messages, bar:
            bar.show_stage(READING)
            if self.corpus:
                with advice_after_signal(_CONTINUE) if self.work else nullcontext():
                    label, found = fit(self, bar, self.transform)
                learned = found.to_dictionary(label)
                facts["corpus"] = describe_fit(found)
            else:
                learned = self._learn_notes(bar) if self._has_notes else self._learn(sounds, bar)
            bar.show_stage(WRITING)
            learned.save(path, overwrite=self.overwrite)
        seconds = time.perf_counter() - began
        if not self.quiet:
            print(
                f"{printable(str(path))}: {summarise(learned)}, in {seconds:.1f} s",
                file=sys.stderr,
            )
        if self.json:
            facts |= {"path": path, "seconds": seconds, "warnings": messages}
            self.emit_result(0, facts | describe_dictionary(learned))
        else:
            emit_path(path)
        return 0

    @property
    def _has_notes(self) -> bool:
        return bool(self.notes or self.recordings or self.soundfonts)

    def _check(self) -> None:
        """Refuse options that cannot be combined."""
        check_corpus_options(self)
        if not self._has_notes:
            for flag in ("average", "fill"):
                if getattr(self, flag):
                    raise ParameterError(f"--{flag} is for notes; add --notes LABEL=FOLDER")
            return
        for name, text in _PLAIN_ONLY.items():
            if getattr(self, name):
                raise ParameterError(
                    f"{text} cannot be combined with notes; leave it out, or learn a dictionary"
                    " without notes"
                )
        if self.lags is not None and self.recordings:
            raise ParameterError(
                "--lags cannot be combined with --recording; leave it out, or learn from isolated"
                " notes"
            )

    def _checked_output(self) -> Path:
        """Require a file of the dictionary, with the suffix by which it is recognised."""
        if not self.output:
            raise ParameterError(
                "learn needs -o/--output DICTIONARY.npz, the file of the dictionary"
            )
        if not self.output.lower().endswith(".npz"):
            name = printable(self.output)
            raise ParameterError(f"--output {name} must end in .npz; write -o {name}.npz")
        return Path(self.output)

    def _sounds(self) -> dict[str, list[Recording]]:
        """Recordings of each label: files in the order of the command line, then ranges."""
        from nmfaudio.dictionaries.recordings import Recording, as_recordings

        sounds: dict[str, list[Recording]] = {}
        for text in self.files:
            label, path = _split(text, "LABEL=PATH, as in guitar=guitar.wav")
            sounds.setdefault(label, []).extend(as_recordings(path))
        for path, text in self.ranges:
            ranges, label = _split(text, "RANGES=LABEL, as in 12.0-15.5=guitar")
            spans = [parse_time_range(span) for span in ranges.split(",")]
            sounds.setdefault(label, []).extend(Recording(path, *span) for span in spans)
        if not sounds:
            raise ParameterError(f"no recordings given: nmfaudio learn {self.operands}")
        return sounds

    def _learn(self, sounds: dict[str, list[Recording]], bar: Bar) -> Dictionary:
        from nmfaudio.audio.io.decoding import open_audio
        from nmfaudio.dictionaries.learning import learn

        every = [recording for recordings in sounds.values() for recording in recordings]
        check_files(map(_part, every), _MEMORY, _SHORTER)
        first = every[0]
        with open_audio(first.audio) as audio:  # type: ignore[arg-type]  # a path, here
            transform = self.transform(audio.sr)
        return learn(
            sounds,
            kind=self.kind or "exemplars",  # type: ignore[arg-type]  # argparse checks the choices
            size=self.size,
            lags=self.lags,
            transform=transform,
            beta_loss=self.beta_loss,
            max_iter=MAX_ITER if self.max_iter is None else self.max_iter,
            resample=self.resample,
            callback=bar.update,
            rng=self.seed,
        )

    def _learn_notes(self, bar: Bar) -> NoteDictionary:
        """Merge the dictionaries of all notes, which have the transform of the first."""
        parts: list[NoteDictionary] = []
        for folder in self.notes:
            parts.append(self._from_folder(folder, parts))
        for recording, score in self.recordings:
            parts.append(self._from_recording(recording, score, parts, bar))
        for font in self.soundfonts:
            parts.append(self._from_soundfont(font, parts))
        merged = parts[0].merge(*parts[1:])
        if self.average:
            merged = merged.average()
        return merged.fill(*self.fill) if self.fill else merged

    def _from_folder(self, text: str, parts: list[NoteDictionary]) -> NoteDictionary:
        from nmfaudio.dictionaries.note_folders import learn_notes, note_files
        from nmfaudio.dictionaries.note_learning import sample_rate_of

        label, folder = _split(text, "LABEL=FOLDER, as in piano=notes/")
        sr = 0 if parts else sample_rate_of(note_files(folder, None)[0].path)
        return learn_notes(
            folder,
            instrument=label,
            transform=parts[0].transform if parts else self.transform(sr, _NOTE_HOPS),
            lags=self.lags,
            beta_loss=self.beta_loss,
            resample=self.resample,
        )

    def _from_recording(
        self, text: str, score: str, parts: list[NoteDictionary], bar: Bar
    ) -> NoteDictionary:
        from nmfaudio.dictionaries.note_from_score import learn_notes_from_recording
        from nmfaudio.dictionaries.note_learning import sample_rate_of

        label, audio = _split(text, "LABEL=FILE, as in piano=take.wav")
        sr = 0 if parts else sample_rate_of(audio)
        settings: dict[str, Any] = {} if self.max_iter is None else {"max_iter": self.max_iter}
        return learn_notes_from_recording(
            audio,
            score,
            instrument=label,
            transform=parts[0].transform if parts else self.transform(sr, _NOTE_HOPS),
            beta_loss=self.beta_loss,
            resample=self.resample,
            callback=bar.update,
            **settings,
        )

    def _from_soundfont(self, text: str, parts: list[NoteDictionary]) -> NoteDictionary:
        from nmfaudio.dictionaries.soundfont import DEFAULT_RATE, learn_notes_from_soundfont

        label, font = _split(text, "LABEL=FONT.sf2, as in piano=FluidR3_GM.sf2")
        return learn_notes_from_soundfont(
            font,
            program=self.program,
            instrument=label,
            transform=parts[0].transform if parts else self.transform(DEFAULT_RATE, _NOTE_HOPS),
            lags=self.lags,
            beta_loss=self.beta_loss,
        )


def _split(text: str, form: str) -> tuple[str, str]:
    """Split text at its first equals sign."""
    before, _, after = text.partition("=")
    if not (before and after):
        raise ParameterError(f"{printable(text)} is not of the form {form}")
    return before, after
