"""The least that each separator has to be told, where it cannot do without."""

from pathlib import Path
from typing import Any

SETTINGS: dict[str, dict[str, Any]] = {"guided": {"example": (("tone", "tone.wav"),)}}
"""By the name of the command, the fields without which there is no separator."""

ARGUMENTS: dict[str, list[str]] = {"guided": ["--example", "tone=tone.wav"]}
SETTINGS: dict[str, dict[str, Any]] = {"regroup": {"saved": "model.npz"}}
ARGUMENTS: dict[str, list[str]] = {"regroup": ["model.npz"]}
_SCORE = str(Path(__file__).parents[1] / "audio_samples" / "trio" / "score.mid")

SETTINGS: dict[str, dict[str, Any]] = {"score": {"score": _SCORE}}
"""By the name of the command, the fields without which there is no separator."""

ARGUMENTS: dict[str, list[str]] = {"score": [_SCORE]}
"""By the name of the command, the same as arguments."""
