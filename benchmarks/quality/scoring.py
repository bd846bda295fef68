"""Scores of separation estimates, and tables of scores."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

import nmfaudio as na
from benchmarks.quality.cases import Case
from benchmarks.quality.systems import SYSTEMS, System
from nmfaudio.metrics import BssEval
from nmfaudio.metrics.scale_invariant import assign

MEASURES = {"sdr": "SDR", "si_sdr": "SI-SDR"}
Row = dict[str, Any]


def judge(case: Case, systems: Mapping[str, System], seeds: int) -> Iterable[Row]:
    """Yield one row per applicable system and seed."""
    bss = BssEval(np.stack(list(case.sources.values())))
    for name, system in systems.items():
        for seed in range(seeds if system.random else 1):
            began = time.perf_counter()
            estimates = system.run(case, seed)
            seconds = time.perf_counter() - began
            if estimates is None:
                break
            yield {
                "case": case.name,
                "task": case.task,
                "system": name,
                "seed": seed,
                "seconds": round(seconds, 2),
                **_scores(case, bss, estimates),
            }


def _scores(case: Case, bss: BssEval, estimates: Mapping[str, np.ndarray]) -> Row:
    """SDR and SI-SDR of each source; unnamed estimates are assigned to sources by their SIR."""
    if set(case.sources) <= set(estimates):
        ordered = np.stack([estimates[name] for name in case.sources])
    else:
        unordered = np.stack(list(estimates.values()))
        ordered = unordered[list(assign(bss.sir(unordered)))]
    si_sdrs = [na.metrics.si_sdr(y, e) for y, e in zip(case.sources.values(), ordered, strict=True)]
    return {
        "sdr": dict(zip(case.sources, bss.scores(ordered).sdr.tolist(), strict=True)),
        "si_sdr": dict(zip(case.sources, si_sdrs, strict=True)),
    }


def by_task(rows: Sequence[Row], measure: str) -> str:
    """Table of means over the sources and cases of each task, ± standard deviation over seeds."""
    return _table(rows, measure, "task")


def by_case(rows: Sequence[Row], measure: str) -> str:
    """Table of means over the sources of each case, ± standard deviation over seeds."""
    return _table(rows, measure, "case")


def _table(rows: Sequence[Row], measure: str, unit: str) -> str:
    """Markdown table of `unit` by systems."""
    systems = [name for name in SYSTEMS if any(row["system"] == name for row in rows)]
    lines = [f"| {unit} | {' | '.join(systems)} |", "|---" * (len(systems) + 1) + "|"]
    for label in dict.fromkeys(row[unit] for row in rows):
        cells = [
            _cell([r for r in rows if r[unit] == label and r["system"] == system], measure)
            for system in systems
        ]
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(rows: Sequence[Row], measure: str) -> str:
    """Mean of the rows ± standard deviation of the means per seed."""
    if not rows:
        return ""
    # Average over sources and cases first, so that the deviation is that between seeds alone.
    means: dict[int, list[float]] = {}
    for row in rows:
        means.setdefault(row["seed"], []).append(float(np.mean(list(row[measure].values()))))
    seed_means = [np.mean(values) for values in means.values()]
    spread = f" ± {np.std(seed_means):.1f}" if len(seed_means) > 1 else ""
    return f"{np.mean(seed_means):z.1f}{spread}"
