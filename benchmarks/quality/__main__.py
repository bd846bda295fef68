"""``python -m benchmarks.quality [DIR] [--seeds N] [--json FILE] [--tasks …] …``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from benchmarks.quality import __doc__ as summary
from benchmarks.quality.cases import SAMPLES, load_cases
from benchmarks.quality.scoring import MEASURES, Row, by_case, by_task, judge
from benchmarks.quality.systems import SYSTEMS


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=summary)
    parser.add_argument("folder", nargs="?", type=Path, default=SAMPLES, metavar="DIR")
    parser.add_argument("--seeds", type=int, default=3, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all rows here")
    for what in ("cases", "tasks", "systems"):
        parser.add_argument(
            f"--{what}", nargs="+", metavar="TEXT", help="only those whose name has one of these"
        )
    chosen = parser.parse_args()

    def wanted(name: str, texts: list[str] | None) -> bool:
        return texts is None or any(text in name for text in texts)

    systems = {name: s for name, s in SYSTEMS.items() if wanted(name, chosen.systems)}
    rows: list[Row] = []
    for case in load_cases(chosen.folder):
        if wanted(case.name, chosen.cases) and wanted(case.task, chosen.tasks):
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
