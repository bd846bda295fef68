"""Errors of note ends: ``python -m benchmarks.transcription.ends AUDIO MIDI``.

A reference has two readings: a note ends with its key, or sounds on until the sustain pedal rises.
"""

from __future__ import annotations

import argparse
import io
import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

import nmfaudio as na
from nmfaudio.symbolic.midi import decode

_LENGTHS = (0.0, 0.15, 0.4, 1.0, math.inf)  # s, limits of the rows of the table
_TOLERANCE = 0.05  # s, as for onsets in the scores


def key_notes(path: Path) -> list[na.Note]:
    """Read the notes of a MIDI file as if the sustain pedal (CC64) were never pressed."""
    import mido

    file = mido.MidiFile(path)
    for message in itertools.chain(*file.tracks):
        if message.type == "control_change" and message.control == 64:
            message.value = 0
    content = io.BytesIO()
    file.save(file=content)
    return decode(content.getvalue(), path.name)


def end_errors(reference: Sequence[na.Note], estimate: Sequence[na.Note]) -> np.ndarray:
    """Return duration and error of the end, in seconds, of each detected note of the reference."""
    rows = []
    for note in reference:
        found = [
            other
            for other in estimate
            if other.pitch == note.pitch and abs(other.onset - note.onset) <= _TOLERANCE
        ]
        if found:
            rows.append((note.offset - note.onset, found[0].offset - note.offset))
    return np.array(rows, np.float64).reshape(-1, 2)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.transcription.ends",
        description="Print scores and errors of the ends of transcribed notes, for keys and for "
        "sounding ends.",
    )
    parser.add_argument("audio", type=Path, metavar="AUDIO")
    parser.add_argument("midi", type=Path, metavar="MIDI")
    chosen = parser.parse_args()
    transcription = na.Transcriber()(str(chosen.audio))
    duration = transcription.duration
    readings = {"keys": key_notes(chosen.midi), "sounding": na.read_notes(chosen.midi)}
    print("| ends | onset F | onset + offset F | length (s) | notes | median error (s) |")
    print("|---|---|---|---|---|---|")
    for name, notes in readings.items():
        reference = [
            replace(note, offset=min(note.offset, duration))
            for note in notes
            if note.onset < duration
        ]
        scores = na.evaluate_transcription(reference, transcription.notes).measures
        errors = end_errors(reference, transcription.notes)
        head = f"| {name} | {scores['onset_f']:.3f} | {scores['offset_f']:.3f} |"
        for low, high in itertools.pairwise(_LENGTHS):
            part = errors[(errors[:, 0] >= low) & (errors[:, 0] < high), 1]
            if len(part):
                print(f"{head} {low:g}–{high:g} | {len(part)} | {np.median(part):+.3f} |")


if __name__ == "__main__":
    main()
