"""Separation outside the purpose of each separator: ``python -m benchmarks.quality.information``.

Each separator gets suitable and unsuitable information on the same section of a sample recording.
Printed is the SDR (BSS-eval version 3), mean over the sources, in dB.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

import nmfaudio as na
from benchmarks.quality import ours, peers
from benchmarks.quality.cases import SAMPLES, Case, load_cases
from benchmarks.quality.scoring import judge
from benchmarks.quality.systems import System
from nmfaudio.audio.io import read

Estimates = Mapping[str, np.ndarray] | None
_SECONDS = 3.0  # length of a box


def other_kit(case: Case, seed: int) -> Estimates:
    """Take the example of the drums from another recording."""
    example = dict(case.train or {}) | {"drums": read(SAMPLES / "drums" / "mixture.wav").samples}
    return _run("guided", case, example=example)


def transposed_score(case: Case, seed: int) -> Estimates:
    """Separate with a score one semitone too high."""
    notes = [replace(note, pitch=note.pitch + 1) for note in _score(case)]
    return _run("score", case, score=notes)


def late_score(case: Case, seed: int) -> Estimates:
    """Separate with a score half a second late that is declared to be aligned."""
    notes = [
        replace(note, onset=note.onset + 0.5, offset=note.offset + 0.5) for note in _score(case)
    ]
    return _run("score", case, score=notes, aligned=True)


def best_groups(case: Case, seed: int) -> Estimates:
    """Regroup blind components, each to the source that it resembles most."""
    blind = na.BlindSeparator(n_sources=len(case.sources))(case.mixture, case.sr, rng=seed)
    members = range(blind.decomposition.n_components)
    single = _run("regroup", case, saved=blind.decomposition, groups={str(k): [k] for k in members})
    likeness = [
        [float(np.vdot(y, single[str(k)]) / np.linalg.norm(y)) for k in members]
        for y in case.sources.values()
    ]
    best = np.argmax(likeness, axis=0)
    groups = {name: np.flatnonzero(best == j).tolist() for j, name in enumerate(case.sources)}
    return _run("regroup", case, saved=blind.decomposition, groups=groups)


def tight_boxes(case: Case, seed: int) -> Estimates:
    """Paint three boxes of each source, each where hardly anything else sounds."""
    return _run(
        "paint", case, boxes=_boxes(case, [60, 120, 240, 480, 960, 1920, 3840, 7680, 15360])
    )


def coarse_boxes(case: Case, seed: int) -> Estimates:
    """Paint three boxes of each source over all frequencies, where it is loudest."""
    return _run("paint", case, boxes=_boxes(case, [20, 20_000]))


def _boxes(case: Case, edges: list[float]) -> list[dict[str, Any]]:
    """Three boxes of each source where its share of the energy is largest."""
    stft = na.Stft(case.sr)
    power = {name: (np.abs(stft.forward(y)) ** 2).mean(axis=0) for name, y in case.sources.items()}
    total, times = sum(power.values()), np.arange(0, case.seconds - _SECONDS, 0.5)
    frames = stft.times(next(iter(power.values())).shape[1])
    boxes = []
    for name, own in power.items():
        found = []
        for low, high in itertools.pairwise(edges):
            rows = (stft.frequencies >= low) & (stft.frequencies < high)
            for start in times:
                cells = np.ix_(rows, (frames >= start) & (frames < start + _SECONDS))
                share = own[cells].sum() / max(total[cells].sum(), 1e-12)
                # Boxes that are almost silent would teach nothing.
                if own[cells].sum() > 0.01 * own.sum():
                    span = {"start": start, "end": start + _SECONDS, "low": low, "high": high}
                    found.append((share, {"source": name} | span))
        found.sort(key=lambda pair: -pair[0])
        boxes += [box for _, box in found[:3]]
    return boxes


def _score(case: Case) -> list[na.Note]:
    """Notes of the score within the test section, at its times."""
    end = case.start + case.seconds
    return [
        replace(note, onset=max(note.onset - case.start, 0.0), offset=note.offset - case.start)
        for note in na.read_notes(case.folder / "score.mid")
        if case.start < note.offset and note.onset < end
    ]


def _run(separator: str, case: Case, **settings: Any) -> Mapping[str, np.ndarray]:
    stems: Mapping[str, np.ndarray] = ours.load_separator(separator)(**settings)(
        case.mixture, case.sr, rng=0
    )
    return stems


TRIALS: dict[str, tuple[str, Callable[[Case, int], Estimates]]] = {
    "mixture, band": ("band", peers.mixture),
    "mixture, trio": ("trio", peers.mixture),
    "guided, examples of the same recording": ("band", ours.guided),
    "guided, drums from another kit": ("band", other_kit),
    "score, the right one": ("trio", ours.score),
    "score, a semitone too high": ("trio", transposed_score),
    "score, half a second late with --aligned": ("trio", late_score),
    "separate, three sources": ("band", ours.blind),
    "regroup, best groups of its components": ("band", best_groups),
    "paint, three tight boxes each": ("trio", tight_boxes),
    "paint, three boxes over all frequencies": ("trio", coarse_boxes),
    "paint, three tight boxes each, band": ("band", tight_boxes),
}


def main() -> None:
    cases = {case.name: case for case in load_cases()}
    chosen = sys.argv[1:]
    print("| information | case | SDR in dB |\n|---|---|---|")
    for name, (case, run) in TRIALS.items():
        if not chosen or any(text in name for text in chosen):
            (row,) = judge(cases[case], {name: System(run, random=False)}, 1)
            values = ", ".join(f"{source} {sdr:.1f}" for source, sdr in row["sdr"].items())
            mean = float(np.mean(list(row["sdr"].values())))
            print(f"| {name} | {case} | {mean:.1f} ({values}) |", flush=True)


if __name__ == "__main__":
    main()
