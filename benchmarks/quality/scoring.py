"""Measures of estimates, and tables of them."""

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
    """A row for each system that has business with the case, and each seed."""
    bss = BssEval(np.stack(list(case.sources.values())))
    for name, system in systems.items():
        for seed in range(seeds if system.chance else 1):
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
    if set(case.sources) <= set(estimates):
        found = np.stack([estimates[name] for name in case.sources])
    else:
        every = np.stack(list(estimates.values()))
        found = every[list(assign(bss.sir(every)))]
    si_sdrs = [na.metrics.si_sdr(y, e) for y, e in zip(case.sources.values(), found, strict=True)]
    return {
        "sdr": dict(zip(case.sources, bss.scores(found).sdr.tolist(), strict=True)),
        "si_sdr": dict(zip(case.sources, si_sdrs, strict=True)),
    }


def by_task(rows: Sequence[Row], measure: str) -> str:
    """Mean over the sources and cases of each task, ± standard deviation over seeds."""
    return _table(rows, measure, "task")


def by_case(rows: Sequence[Row], measure: str) -> str:
    """Mean over the sources of each case, ± standard deviation over seeds."""
    return _table(rows, measure, "case")


def _table(rows: Sequence[Row], measure: str, unit: str) -> str:
    systems = [name for name in SYSTEMS if any(row["system"] == name for row in rows)]
    lines = [f"| {unit} | {' | '.join(systems)} |", "|---" * (len(systems) + 1) + "|"]
    for one in dict.fromkeys(row[unit] for row in rows):
        cells = [
            _cell([r for r in rows if r[unit] == one and r["system"] == system], measure)
            for system in systems
        ]
        lines.append(f"| {one} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(rows: Sequence[Row], measure: str) -> str:
    """The mean of all rows, and how far means of seeds are apart."""
    if not rows:
        return ""
    means: dict[int, list[float]] = {}
    for row in rows:
        means.setdefault(row["seed"], []).append(float(np.mean(list(row[measure].values()))))
    of_seeds = [np.mean(values) for values in means.values()]
    spread = f" ± {np.std(of_seeds):.1f}" if len(of_seeds) > 1 else ""
    return f"{np.mean(of_seeds):z.1f}{spread}"
