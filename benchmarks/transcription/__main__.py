"""Command line of the transcription benchmark: ``python -m benchmarks.transcription [DIR]``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from benchmarks.transcription.cases import SAMPLES, load_cases
from benchmarks.transcription.scoring import Row, judge, tables
from benchmarks.transcription.sound import Instrument
from benchmarks.transcription.speed import speed_table
from benchmarks.transcription.systems import SYSTEMS


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.transcription",
        description="Compute F-measures (mir_eval) of transcribers and reference systems, and "
        "print tables in Markdown.",
    )
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=SAMPLES,
        metavar="DIR",
        help="folder of pieces (default: the sample recordings of the project)",
    )
    parser.add_argument(
        "--notes",
        type=Path,
        metavar="DIR",
        help="folder of isolated notes of one more piano to render MIDI files with, named by MIDI "
        "number (60.flac)",
    )
    parser.add_argument(
        "--font",
        type=Path,
        metavar="FILE",
        help="SoundFont of one more piano to render MIDI files with",
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write all results to this JSON file as well"
    )
    parser.add_argument(
        "--speed",
        type=int,
        metavar="ROUNDS",
        help="also measure the run time for 30 s of piano in this number of rounds",
    )
    for kind in ("cases", "pianos", "systems"):
        parser.add_argument(
            f"--{kind}",
            nargs="+",
            metavar="TEXT",
            help=f"run only {kind} whose name contains one of these texts",
        )
    chosen = parser.parse_args()

    def selected(name: str, texts: list[str] | None) -> bool:
        return texts is None or any(text in name for text in texts)

    systems = [system for system in SYSTEMS if selected(system.name, chosen.systems)]
    rows: list[Row] = []
    more = [Instrument(path.stem, path) for path in (chosen.notes, chosen.font) if path]
    loaded = load_cases(chosen.folder, lambda piano: selected(piano, chosen.pianos), more)
    cases = [case for case in loaded if selected(case.name, chosen.cases)]
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
