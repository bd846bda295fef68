"""Recordings with their true sources and the side information that separators may use.

A case is a folder with ``mixture.*``, ``sources/<name>.*`` and ``case.json``. The latter has the
keys ``task``, ``sources`` (in order), ``train`` and ``test``; the last two are [start, stop] in
seconds, `train` null if there is no training section. Optional files are ``score.mid``,
``one_shots/<source>/`` and ``f0/*.csv``, the pitch tracks of the voices. A folder with `f0` is
also a second case: the voices against the accompaniment.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nmfaudio.audio.io import read

SAMPLES = Path(__file__).parents[2] / "audio_samples"
_BAND = {"harmonic": ["bass", "keys"], "percussive": ["drums"]}
SAMPLE_CASES: dict[str, dict[str, Any]] = {
    "drums": {"task": "drums", "sources": ["kick", "snare", "hihat"]},
    "trio": {"task": "score", "sources": ["oboe", "guitar", "bassoon"], "halves": True},
    "band": {"task": "multi-instrument", "sources": ["drums", "bass", "keys"], "halves": True},
    "band, 2": {"task": "harmonic+percussive", "sources": _BAND, "halves": True},
}
"""Contents of ``case.json`` for the project's samples; `halves` are for training and testing."""
VOICES = ("vocals", "voice", "singing")


@dataclass(frozen=True)
class Case:
    """Test section of a recording, and its training section.

    Audio has shape (channel, sample).
    """

    name: str
    task: str
    sr: int
    folder: Path
    start: float
    """Start of the test section within the files in seconds."""
    mixture: np.ndarray
    sources: Mapping[str, np.ndarray]
    train: Mapping[str, np.ndarray] | None
    """Sources of the training section."""

    @property
    def seconds(self) -> float:
        """Duration of the test section in seconds."""
        return self.mixture.shape[1] / self.sr


def load_cases(folder: Path = SAMPLES) -> Iterator[Case]:
    """Yield all cases of a folder in the order of their names."""
    if folder.resolve() == SAMPLES.resolve():
        for name, facts in SAMPLE_CASES.items():
            yield _load(folder / name.partition(",")[0], {"name": name} | facts)
        return
    for path in sorted(folder.glob("*/case.json")):
        case = _load(path.parent, json.loads(path.read_text()))
        yield case
        if (path.parent / "f0").is_dir():
            yield _voice_and_rest(case)


def _load(folder: Path, facts: Mapping[str, Any]) -> Case:
    """Read the files of a case and cut its sections."""
    mixture = read(next(folder.glob("mixture.*")))
    sr, y = mixture.sr, mixture.samples
    names = facts["sources"]
    members = names if isinstance(names, dict) else {name: [name] for name in names}
    stems = {path.stem: read(path).samples for path in (folder / "sources").iterdir()}
    sources = {name: np.sum([stems[n] for n in parts], axis=0) for name, parts in members.items()}
    half = y.shape[1] / sr / 2
    train, test = (facts.get(section) for section in ("train", "test"))
    if facts.get("halves"):
        train, test = [0, half], [half, 2 * half]

    def section(z: np.ndarray, span: list[float] | None) -> np.ndarray:
        return z if span is None else z[:, slice(*(round(t * sr) for t in span))]

    return Case(
        name=facts.get("name", folder.name),
        task=facts["task"],
        sr=sr,
        folder=folder,
        start=test[0] if test else 0.0,
        mixture=section(y, test),
        sources={name: section(z, test) for name, z in sources.items()},
        train=train and {name: section(z, train) for name, z in sources.items()},
    )


def _voice_and_rest(case: Case) -> Case:
    """Merge all sources but the voice, for separation of voice and accompaniment."""

    def merged(sources: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        voice = next(name for name in sources if name in VOICES)
        rest = [y for name, y in sources.items() if name != voice]
        return {"voice": sources[voice], "rest": np.sum(rest, axis=0)}

    return replace(
        case,
        name=f"{case.name}, voice",
        task="voice with its f0",
        sources=merged(case.sources),
        train=case.train and merged(case.train),
    )
