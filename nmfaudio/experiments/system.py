"""Systems of an experiment, checked before any work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from nmfaudio._common.validation import as_choice
from nmfaudio.errors import ParameterError
from nmfaudio.metrics.transcription_scores import TranscriptionScores
from nmfaudio.symbolic.names import DRUM_PARTS
from nmfaudio.transcription.base import BaseTranscriber
from nmfaudio.transcription.transcriber import Transcriber

_FLOATS = [name for name, kind in TranscriptionScores.__annotations__.items() if kind == "float"]
MEASURES = (*_FLOATS, *(f"{part}_{which}" for part in DRUM_PARTS for which in "prf"))
"""Names of the measures of `TranscriptionScores`, also those of parts of a drum kit."""
_CHOICES = ("mean", "worst")


@dataclass(frozen=True)
class System:
    """Transcriber of an experiment, and the settings to choose for each piece on the others.

    Parameters
    ----------
    transcriber : BaseTranscriber
        `nmfaudio.Transcriber` or `nmfaudio.DrumTranscriber`.
    grid : mapping of str to sequence
        Settings to try as for `Transcriber.tune`; empty for settings that are fixed. Each piece is
        transcribed with the settings that score best on the other pieces.
    metric : str
        Measure that the choice maximises.
    choice : "mean" or "worst"
        Whether the mean over the pieces chooses, or the worst piece.

    Raises
    ------
    ParameterError
        There is a grid, and the transcriber has no such settings or the metric is unknown.

    Examples
    --------
    >>> import nmfaudio as na
    >>> na.experiments.System(na.Transcriber(), {"threshold": [0.08, 0.1]}).choice
    'mean'
    """

    transcriber: BaseTranscriber
    grid: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    _: KW_ONLY
    metric: str = "onset_f"
    choice: str = "mean"

    def __post_init__(self) -> None:
        as_choice(self.metric, "metric", MEASURES)
        as_choice(self.choice, "choice", _CHOICES)
        if not self.grid:
            return
        if not isinstance(self.transcriber, Transcriber):
            raise ParameterError(
                "a grid is for transcribers of notes; tune drums with DrumTranscriber.tune first"
            )
        for name, values in self.grid.items():
            if not isinstance(values, tuple | list) or not values:
                raise ParameterError(f"grid has {name} = {values!r}; it must be a list of values")
            for value in values:
                self.transcriber.with_settings(**{name: value})
