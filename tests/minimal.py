"""Minimal settings of the separators that have required ones."""

from pathlib import Path
from typing import Any

_SCORE = str(Path(__file__).parents[1] / "audio_samples" / "trio" / "score.mid")

SETTINGS: dict[str, dict[str, Any]] = {
    "f0": {"guess": True},
    "guided": {"example": (("tone", "tone.wav"),)},
    "paint": {"boxes": "boxes.json"},
    "regroup": {"saved": "model.npz"},
    "score": {"score": _SCORE},
}
"""Required fields, by name of the command."""

ARGUMENTS: dict[str, list[str]] = {
    "f0": ["--guess"],
    "guided": ["--example", "tone=tone.wav"],
    "paint": ["boxes.json"],
    "regroup": ["model.npz"],
    "score": [_SCORE],
}
"""The same as arguments of the command."""
