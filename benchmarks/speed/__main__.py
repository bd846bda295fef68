"""Measure and print Markdown: ``python -m benchmarks.speed [--help]``."""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

NEEDS = {
    "limits": [],
    "kernels": ["sklearn", "torch", "torchnmf"],
    "nmfd": ["sklearn", "torch", "torchnmf"],
    "solvers": ["sklearn"],
    "memory": ["sklearn"],
    "start": ["sklearn"],
    "job": ["sklearn"],
}
"""Sections, and the peers that each compares with."""


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speed",
        description="Measure ours and the peers in one run, and print tables in Markdown.",
    )
    parser.add_argument("--only", nargs="+", choices=NEEDS, default=list(NEEDS), metavar="SECTION")
    parser.add_argument("--repeats", type=int, default=3, help="rounds that alternate")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to try the program")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything here")
    parser.epilog = "sections: " + ", ".join(NEEDS)
    chosen = parser.parse_args()
    missing = {peer for name in chosen.only for peer in NEEDS[name] if not find_spec(peer)}
    if missing:
        raise SystemExit(
            f"not installed: {', '.join(sorted(missing))}; install the extra nmfaudio[bench], or "
            "name sections without them after --only"
        )
    return chosen


def machine() -> str:
    """Processor, threads and versions."""
    from nmfaudio.kernels.threads import get_threads

    names = ["nmfaudio", "numpy", "numba", "librosa", "scikit-learn", "torch", "torchnmf"]
    there = [name for name in names if find_spec({"scikit-learn": "sklearn"}.get(name, name))]
    return f"{processor()}, {get_threads()} threads, Python {platform.python_version()}, " + (
        ", ".join(f"{name} {version(name)}" for name in there)
    )


def processor() -> str:
    """Its model, where Linux tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(": ")[1] for line in lines if line.startswith("model name")), "unknown")


def measured(chosen: argparse.Namespace) -> dict[str, Any]:
    """The results of the chosen sections; the limits too where we give our share of them."""
    from benchmarks.speed import kernels, limits, processes, solvers, sound
    from benchmarks.speed.measure import say

    sizes = sound.QUICK if chosen.quick else sound.FULL
    seconds = 0.02 if chosen.quick else 1.0  # how long to measure, times the usual
    results: dict[str, Any] = {"machine": machine(), "repeats": chosen.repeats}
    long = sizes.seconds["3 min"]

    def peaks() -> dict[str, float]:
        return {dtype: results["limits"][f"FMA peak, {dtype}"] for dtype in kernels.DTYPES}

    sections: dict[str, Callable[[], Any]] = {
        "limits": lambda: limits.measure(sound.spectrogram(long, "float32").shape),
        "kernels": lambda: kernels.nmf_rows(sizes, peaks(), chosen.repeats, seconds),
        "nmfd": lambda: kernels.nmfd_rows(sizes, peaks(), chosen.repeats, seconds),
        "solvers": lambda: solvers.rows(sizes, chosen.repeats),
        "memory": lambda: processes.memory_rows(sizes),
        "start": lambda: processes.start_rows(chosen.repeats),
        "job": lambda: processes.job_rows(sizes, chosen.repeats),
    }
    wanted = {*chosen.only, *(["limits"] if {"kernels", "nmfd"} & {*chosen.only} else [])}
    for name, section in sections.items():
        if name in wanted:
            say(name)
            results[name] = section()
    return results


def main() -> None:
    chosen = parsed()
    from benchmarks.speed.measure import Spread
    from benchmarks.speed.table import markdown

    def plain(value: Spread) -> dict[str, Any]:
        return {"median": value.median, "values": value.values}

    results = measured(chosen)
    if chosen.quick:
        print("Tiny sizes (--quick): these figures say nothing about speed.\n")
    print(markdown(results))
    if chosen.json:
        chosen.json.write_text(json.dumps(results, indent=1, default=plain))


if __name__ == "__main__":
    main()
