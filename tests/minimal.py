"""The least that each separator has to be told, where it cannot do without."""

from pathlib import Path
from typing import Any

_SCORE = str(Path(__file__).parents[1] / "audio_samples" / "trio" / "score.mid")

SETTINGS: dict[str, dict[str, Any]] = {
    "guided": {"example": (("tone", "tone.wav"),)},
    "paint": {"boxes": "boxes.json"},
    "regroup": {"saved": "model.npz"},
    "score": {"score": _SCORE},
}
"""By the name of the command, the fields without which there is no separator."""

ARGUMENTS: dict[str, list[str]] = {
    "guided": ["--example", "tone=tone.wav"],
    "paint": ["boxes.json"],
    "regroup": ["model.npz"],
    "score": [_SCORE],
}
"""By the name of the command, the same as arguments."""
