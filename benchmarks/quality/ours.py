"""Separators of this package with their default settings."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from benchmarks.quality.cases import Case
from nmfaudio.separators.base import load_separator

Estimates = Mapping[str, np.ndarray] | None
_KIT = {"kick", "snare", "hihat", "toms", "cymbals"}


def blind(case: Case, seed: int) -> Estimates:
    """Separate blindly into the true number of sources."""
    return _run("separate", case, seed, n_sources=len(case.sources))


def hpss(case: Case, seed: int) -> Estimates:
    """Separate harmonic and percussive sounds."""
    if set(case.sources) != {"harmonic", "percussive"}:
        return None
    return _run("hpss", case, seed)


def guided(case: Case, seed: int) -> Estimates:
    """Separate with templates learned from the sources of the training section."""
    return case.train and _run("guided", case, seed, example=dict(case.train))


def drums(case: Case, seed: int) -> Estimates:
    """Separate drums with the bundled templates."""
    return _drums(case, seed)


def drums_one_shots(case: Case, seed: int) -> Estimates:
    """Separate drums with templates of other hits of the same kit."""
    folder = case.folder / "one_shots"
    return _drums(case, seed, one_shots=folder) if folder.is_dir() else None


def drums_bars(case: Case, seed: int) -> Estimates:
    """Separate drums with templates of the stems of the training section."""
    if case.train is None or case.task != "drums":
        return None
    with tempfile.TemporaryDirectory() as folder:
        for name, y in case.train.items():
            soundfile.write(Path(folder, f"{name}.wav"), y.T, case.sr, subtype="FLOAT")
        return _drums(case, seed, one_shots=folder)


def score(case: Case, seed: int) -> Estimates:
    """Separate with the unaligned score; the separator aligns it."""
    path = case.folder / "score.mid"
    if not path.exists() or case.task == "drums":  # a drum score has no pitches
        return None
    from nmfaudio.symbolic.notes import read_notes

    notes = [
        replace(note, onset=max(note.onset - case.start, 0.0), offset=note.offset - case.start)
        for note in read_notes(path)
        if case.start < note.offset and note.onset < case.start + case.seconds
    ]
    if len({note.track for note in notes}) != len(case.sources):
        return None
    return _run("score", case, seed, score=notes)


def f0(case: Case, seed: int) -> Estimates:
    """Separate with the pitch tracks of the voices."""
    if case.task != "voice with its f0":
        return None
    import nmfaudio as na

    tracks = []
    for path in sorted((case.folder / "f0").glob("*.csv")):
        times, hertz = np.genfromtxt(path, delimiter=",", skip_header=1).T
        inside = (times >= case.start) & (times < case.start + case.seconds)
        if inside.any():
            tracks.append(na.separators.Pitch(times[inside] - case.start, hertz[inside]))
    return _run("f0", case, seed, pitch=tracks[0], second_pitch=tuple(tracks[1:]))


def denoise(case: Case, seed: int) -> Estimates:
    """Reduce noise with templates of the noise of the training section."""
    if case.task != "speech+noise" or case.train is None:
        return None
    return _denoised(case, seed, noise=(case.train["noise"],))


def denoise_voice(case: Case, seed: int) -> Estimates:
    """Reduce noise with templates of noise and voice of the training section."""
    if case.task != "speech+noise" or case.train is None:
        return None
    return _denoised(case, seed, noise=(case.train["noise"],), signal=(case.train["speech"],))


def denoise_blind(case: Case, seed: int) -> Estimates:
    """Reduce noise without examples."""
    return _denoised(case, seed) if case.task == "speech+noise" else None


def _drums(case: Case, seed: int, **settings: Any) -> Estimates:
    """Separate the parts of a drum kit."""
    if not set(case.sources) <= _KIT:
        return None
    return _run("drums", case, seed, parts=tuple(case.sources), **settings)


def _denoised(case: Case, seed: int, **settings: Any) -> Estimates:
    """Reduce noise and name the stems as the sources."""
    stems = _run("denoise", case, seed, **settings)
    return {"speech": stems["signal"], "noise": stems["noise"]}


def _run(separator: str, case: Case, seed: int, **settings: Any) -> Mapping[str, np.ndarray]:
    """Separate the mixture of a case."""
    stems: Mapping[str, np.ndarray] = load_separator(separator)(**settings)(
        case.mixture, case.sr, rng=seed
    )
    return stems
