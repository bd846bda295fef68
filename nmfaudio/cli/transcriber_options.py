"""Options of `nmfaudio transcribe` that choose what is transcribed, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nmfaudio._common.options import option, switch
from nmfaudio.cli.note_values import parse_pitch, parse_positive
from nmfaudio.cli.transcriber_files import load_drums, load_notes, retuned
from nmfaudio.errors import ParameterError

if TYPE_CHECKING:
    from nmfaudio.transcription.drums import DrumTranscriber
    from nmfaudio.transcription.transcriber import Transcriber

TRANSCRIPTION = "transcription"
"""Group of the options in the help."""
_OF_NOTES = {
    "low": "--low",
    "high": "--high",
    "min_note": "--min-note",
    "monophonic": "--monophonic",
    "scale": "--scale",
    "tuning": "--tuning",
}


@dataclass(frozen=True, kw_only=True)
class TranscriberOptions:
    """Options of a transcriber; part of a command."""

    dictionary: str | None = option(
        None,
        "dictionary of the notes or drums: a file, or the names of instruments that ship with"
        " nmfaudio, separated by commas (default: piano, or the drum kit that ships)",
        short="-d",
        metavar="D.NPZ",
        group=TRANSCRIPTION,
    )
    drums: bool = switch("transcribe drum hits instead of pitched notes", group=TRANSCRIPTION)
    parts: str | None = option(
        None,
        "drums to transcribe, separated by commas: kick, snare, hihat (or closed_hihat and"
        " open_hihat), toms, and cymbals (or crash and ride); all but the first three are less"
        " reliable (default: the first three, or those of --dictionary)",
        metavar="NAMES",
        group=TRANSCRIPTION,
    )
    scale: str | None = option(
        None,
        "scale of the notes, as a file of Scala whose 1/1 is middle C, instead of semitones",
        metavar="FILE.SCL",
        group=TRANSCRIPTION,
    )
    tuning: float | None = option(
        None,
        "frequency of A4 in Hz (default: the nearest one to 440 that fits; 440 in a stream)",
        parse=parse_positive,
        metavar="HZ",
        group=TRANSCRIPTION,
    )
    threshold: float | None = option(
        None,
        "detection threshold: lower finds more notes, and more false ones (default: the best one"
        " on recordings of the same kind)",
        parse=parse_positive,
        metavar="X",
        group=TRANSCRIPTION,
    )
    low: int | None = option(
        None,
        "lowest note to report: a name such as C2, or a MIDI number",
        parse=parse_pitch,
        metavar="PITCH",
        group=TRANSCRIPTION,
    )
    high: int | None = option(
        None, "highest note to report", parse=parse_pitch, metavar="PITCH", group=TRANSCRIPTION
    )
    min_note: float | None = option(
        None,
        "leave out shorter notes (default: 0.03)",
        parse=parse_positive,
        metavar="SECONDS",
        group=TRANSCRIPTION,
    )
    monophonic: bool = switch(
        "notes sound one at a time, as of a voice, a bass or a wind instrument", group=TRANSCRIPTION
    )

    def check_transcriber(self) -> None:
        """Check that the options fit together."""
        if self.parts is not None and not self.drums:
            raise ParameterError("--parts is for drums; add --drums")
        for name, flag in _OF_NOTES.items():
            if self.drums and getattr(self, name) not in (None, False):
                raise ParameterError(f"{flag} is for pitched notes; omit it, or --drums")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ParameterError(f"--low {self.low} is above --high {self.high}; exchange them")

    def note_transcriber(self, contours: bool) -> Transcriber:
        """Return the transcriber of notes that the options choose."""
        from nmfaudio.transcription.transcriber import Transcriber

        chosen = {
            "threshold": self.threshold,
            "lowest": self.low,
            "highest": self.high,
            "shortest": self.min_note,
        }
        settings: dict[str, Any] = {k: value for k, value in chosen.items() if value is not None}
        if self.monophonic:
            settings["monophonic"] = True
        dictionary = None if self.dictionary is None else load_notes(self.dictionary)
        if self.scale is not None or self.tuning is not None:
            dictionary = retuned(dictionary, self.scale, self.tuning)
        transcriber = Transcriber(dictionary, contours=contours, **settings)
        return transcriber if self.tuning is None else transcriber.with_settings(retune=False)

    def drum_transcriber(self) -> DrumTranscriber:
        """Return the transcriber of drums that the options choose."""
        from nmfaudio.symbolic.names import DRUM_PARTS
        from nmfaudio.transcription.drums import DrumTranscriber

        settings: dict[str, Any] = {}
        if self.threshold is not None:
            settings["threshold"] = self.threshold
        if self.dictionary is not None:
            settings["dictionary"] = dictionary = load_drums(self.dictionary)
            settings["parts"] = tuple(part for part in DRUM_PARTS if part in dictionary.names)
        if self.parts is not None:
            settings["parts"] = tuple(name.strip() for name in self.parts.split(","))
        return DrumTranscriber(**settings)
