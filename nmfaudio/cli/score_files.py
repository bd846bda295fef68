"""Options of `nmfaudio transcribe` that write beats and scores."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nmfaudio._common.extras import missing_extra, missing_packages
from nmfaudio.errors import ParameterError

if TYPE_CHECKING:
    from nmfaudio.symbolic.beats import Beats

SCORE_FILES = {
    "quantise": "quantised.mid",
    "musicxml": "score.musicxml",
    "jams": "notes.jams",
}
"""Files by the options that write them."""

_DEFAULT_GRID = "1/16"


@dataclass(frozen=True)
class ScoreOptions:
    """Options of beats and scores; the fields are those of the command."""

    tempo: float | Literal["auto"] | None
    beats: Beats | None
    quantise: str | None
    musicxml: bool
    jams: bool
    pedal: bool
    drums: bool

    @property
    def needs_beats(self) -> bool:
        """True if any of the files has beats."""
        return self._maps_tempo or self.quantise is not None or self.musicxml

    @property
    def _maps_tempo(self) -> bool:
        """True if the files of the notes have beats."""
        return self.tempo is not None or self.beats is not None

    def write(self, result: Any, folder: Path, *, overwrite: bool) -> dict[str, Any]:
        """Write the notes of a `NoteResult`, and the files of the options.

        Parameters
        ----------
        result : NoteResult
        folder : Path
        overwrite : bool

        Returns
        -------
        dict
            Paths under ``score``, and the tempo and time signature.
        """
        from nmfaudio.symbolic import (
            estimate_pedal,
            notate,
            quantise,
            write_musicxml,
            write_notes,
        )

        tempo = self.tempo if isinstance(self.tempo, float) else None
        beats = self.beats
        if beats is None and self.needs_beats:
            beats = result.beats(tempo)
        grid = self.quantise or _DEFAULT_GRID
        paths = {name: folder / file for name, file in SCORE_FILES.items() if getattr(self, name)}
        quantised = quantise(result.notes, beats, grid) if self.quantise and beats else []
        score = notate(result.notes, beats, grid) if self.musicxml and beats else None
        mapped = beats if self._maps_tempo else None
        pedals = estimate_pedal(result.notes) if self.pedal else []
        written = result.save(folder, beats=mapped, pedals=pedals, overwrite=overwrite)
        if self.quantise:
            write_notes(paths["quantise"], quantised, beats=beats, overwrite=overwrite)
        if score is not None:
            write_musicxml(paths["musicxml"], score, overwrite=overwrite)
        if self.jams:
            write_notes(paths["jams"], result.notes, beats=mapped, overwrite=overwrite)
        facts = (
            {}
            if beats is None
            else {
                "tempo": beats.tempo,
                "time_signature": list(beats.time_signature),
                "beats": beats.times.tolist(),
                "downbeats": beats.downbeats.tolist(),
            }
        )
        return {"score": [*written, *paths.values()], **facts}


def check_score(chosen: ScoreOptions) -> None:
    """Check options before any file is read.

    Parameters
    ----------
    chosen : ScoreOptions

    Raises
    ------
    ParameterError
        The grid is no note value, or a piano score of drums is chosen.
    MissingExtraError
        A score is chosen, and partitura is not installed.
    """
    if chosen.quantise is not None and not re.fullmatch(r"1/(4|8|16|32|64)", chosen.quantise):
        raise ParameterError(
            f"--quantise {chosen.quantise} is no note value; choose 1/8, 1/16 or 1/32"
        )
    if chosen.pedal and chosen.drums:
        raise ParameterError("--pedal is for a piano; omit it, or --drums")
    if chosen.musicxml and chosen.drums:
        raise ParameterError("--musicxml writes a piano score; omit it, or --drums")
    if chosen.musicxml and missing_packages("score"):
        raise missing_extra("score", "MusicXML files", "omit --musicxml")
