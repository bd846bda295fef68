"""``python -m benchmarks.transcription [DIR] [--cases …] [--systems …] [--json FILE] …``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from benchmarks.transcription import __doc__ as summary
from benchmarks.transcription.cases import SAMPLES, load_cases
from benchmarks.transcription.scoring import Row, judge, tables
from benchmarks.transcription.speed import speed_table
from benchmarks.transcription.systems import SYSTEMS


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.transcription", description=summary)
    parser.add_argument("folder", nargs="?", type=Path, default=SAMPLES, metavar="DIR")
    parser.add_argument(
        "--notes",
        type=Path,
        metavar="DIR",
        help="isolated notes of another piano, as 60.flac, to play MIDI files with",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all rows here")
    parser.add_argument(
        "--speed", type=int, metavar="ROUNDS", help="also time 30 s of piano, in so many rounds"
    )
    for what in ("cases", "pianos", "systems"):
        parser.add_argument(
            f"--{what}", nargs="+", metavar="TEXT", help="only those whose name has one of these"
        )
    chosen = parser.parse_args()

    def wanted(name: str, texts: list[str] | None) -> bool:
        return texts is None or any(text in name for text in texts)

    systems = [system for system in SYSTEMS if wanted(system.name, chosen.systems)]
    rows: list[Row] = []
    loaded = load_cases(chosen.folder, lambda piano: wanted(piano, chosen.pianos), chosen.notes)
    cases = [case for case in loaded if wanted(case.name, chosen.cases)]
    for case in cases:
        for system in systems:
            if system.task == case.task:
                print(f"{case.name}: {system.name}", file=sys.stderr, end=" ")
                rows += judge(case, system)
                print(file=sys.stderr)
    for table in tables(rows):
        print(f"\n{table}")
    if chosen.speed:
        print(f"\n{speed_table(cases, systems, chosen.speed)}")
    if chosen.json:
        chosen.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
