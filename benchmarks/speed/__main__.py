"""Command line of the speed benchmark: ``python -m benchmarks.speed``."""

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
    "startup": ["sklearn"],
    "job": ["sklearn"],
}
"""Sections, and the modules of the peers that each compares with."""


def parsed() -> argparse.Namespace:
    """Parse the command line; exit if a peer is not installed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speed",
        description="Measure nmfaudio and its peers in one run, and print tables in Markdown.",
    )
    parser.add_argument(
        "--only",
        nargs="+",
        choices=NEEDS,
        default=list(NEEDS),
        metavar="SECTION",
        help="run only these sections",
    )
    parser.add_argument(
        "--repeats", type=int, default=3, help="number of alternating rounds (default: 3)"
    )
    parser.add_argument("--quick", action="store_true", help="use tiny sizes, to test the program")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write every round to this JSON file as well"
    )
    parser.epilog = "sections: " + ", ".join(NEEDS)
    chosen = parser.parse_args()
    missing = {peer for name in chosen.only for peer in NEEDS[name] if not find_spec(peer)}
    if missing:
        raise SystemExit(
            f"not installed: {', '.join(sorted(missing))}; install the extra nmfaudio[bench], or "
            "choose sections that do not need them with --only"
        )
    return chosen


def machine() -> str:
    """Processor, threads and versions."""
    from nmfaudio.kernels.threads import get_threads

    names = ["nmfaudio", "numpy", "numba", "librosa", "scikit-learn", "torch", "torchnmf"]
    installed = [name for name in names if find_spec({"scikit-learn": "sklearn"}.get(name, name))]
    return f"{processor()}, {get_threads()} threads, Python {platform.python_version()}, " + (
        ", ".join(f"{name} {version(name)}" for name in installed)
    )


def processor() -> str:
    """Processor model, on Linux from ``/proc/cpuinfo``."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(": ")[1] for line in lines if line.startswith("model name")), "unknown")


def measured(chosen: argparse.Namespace) -> dict[str, Any]:
    """Measure the chosen sections, and the limits if a section reports a share of the peak."""
    from benchmarks.speed import kernels, limits, processes, solvers, sound
    from benchmarks.speed.measure import say

    sizes = sound.QUICK if chosen.quick else sound.FULL
    seconds = 0.02 if chosen.quick else 1.0  # factor on the usual time of a measurement
    results: dict[str, Any] = {"machine": machine(), "repeats": chosen.repeats}
    long = sizes.seconds["3 min"]

    def peaks() -> dict[str, float]:
        return {dtype: results["limits"][f"FMA peak, {dtype}"] for dtype in kernels.DTYPES}

    sections: dict[str, Callable[[], Any]] = {
        "limits": lambda: limits.measure(sound.spectrogram(long, "float32").shape),
        "kernels": lambda: kernels.nmf_rows(sizes, peaks(), chosen.repeats, seconds),
        "nmfd": lambda: kernels.nmfd_rows(sizes, peaks(), chosen.repeats, seconds),
        "solvers": lambda: solvers.race_rows(sizes, chosen.repeats),
        "memory": lambda: processes.memory_rows(sizes),
        "startup": lambda: processes.startup_rows(chosen.repeats),
        "job": lambda: processes.job_rows(sizes, chosen.repeats),
    }
    needed = {*chosen.only, *(["limits"] if {"kernels", "nmfd"} & {*chosen.only} else [])}
    for name, section in sections.items():
        if name in needed:
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
        print("Tiny sizes (--quick): these figures are not representative.\n")
    print(markdown(results))
    if chosen.json:
        chosen.json.write_text(json.dumps(results, indent=1, default=plain))


if __name__ == "__main__":
    main()
