"""Command line of the separation benchmark: ``python -m benchmarks.quality [DIR]``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from benchmarks.quality.cases import SAMPLES, load_cases
from benchmarks.quality.scoring import MEASURES, Row, by_case, by_task, judge
from benchmarks.quality.systems import SYSTEMS


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality",
        description="Measure SDR (BSS-eval version 3) and SI-SDR of separators and reference "
        "systems against the true sources, and print tables in Markdown.",
    )
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=SAMPLES,
        metavar="DIR",
        help="folder of cases (default: the sample recordings of the project)",
    )
    parser.add_argument(
        "--seeds", type=int, default=3, metavar="N", help="number of random seeds (default: 3)"
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write all results to this JSON file as well"
    )
    for kind in ("cases", "tasks", "systems"):
        parser.add_argument(
            f"--{kind}",
            nargs="+",
            metavar="TEXT",
            help=f"run only {kind} whose name contains one of these texts",
        )
    chosen = parser.parse_args()

    def selected(name: str, texts: list[str] | None) -> bool:
        return texts is None or any(text in name for text in texts)

    systems = {name: s for name, s in SYSTEMS.items() if selected(name, chosen.systems)}
    rows: list[Row] = []
    for case in load_cases(chosen.folder):
        if selected(case.name, chosen.cases) and selected(case.task, chosen.tasks):
            print(case.name, file=sys.stderr)
            rows += judge(case, systems, chosen.seeds)
    for measure, label in MEASURES.items():
        print(f"\n{label}, mean over sources, in dB\n")
        print(by_task(rows, measure))
        print()
        print(by_case(rows, measure))
    if chosen.json:
        chosen.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
