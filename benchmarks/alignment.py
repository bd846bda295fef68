"""Errors of aligned onsets, on performances whose score is their own, at another tempo.

    python -m benchmarks.alignment MIDI_FOLDER [NAME...]

Chords of a performance are made simultaneous and the tempo is changed by a smooth random curve:
that is the score. The recording is the performance, rendered with SoundFonts in /usr/share/sounds,
so that the onset of each note is known. Beside the performances of the folder there are random
lines of other instruments. synctoolbox is measured in the same run where it is installed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

import nmfaudio as na
from benchmarks.transcription.sound import SR, Instrument
from nmfaudio.symbolic.note import Note

_FONTS = {
    "FluidR3": "sf2/FluidR3_GM.sf2",
    "TimGM6mb": "sf2/TimGM6mb.sf2",
    "GMbank": "sf2/sf_GMbank.sf2",
    "MuseScore": "sf3/MuseScore_General_Full.sf3",
}
_PROGRAMS = {"slow strings": 49, "strings": 48, "oboe": 68, "clarinet": 71, "flute": 73}
_PROGRAMS |= {"guitar": 24, "harpsichord": 6, "vibraphone": 11}
_TOGETHER = 0.035  # s between the onsets of a performance that are one chord of its score
_KNOTS = 1.5  # s between changes of tempo
_SECONDS = 30


def score_of(notes: Sequence[Note], rng: np.random.Generator) -> list[Note]:
    """Score of a performance, in the order of its notes."""
    first, chords = -1.0, []
    for note in notes:
        first = note.onset if note.onset - first > _TOGETHER or first < 0 else first
        chords.append(first)
    seconds = np.arange(0, max(note.offset for note in notes) + 1, 0.01)
    knots = np.arange(0, seconds[-1] + 2 * _KNOTS, _KNOTS)
    walk = np.clip(0.12 * np.cumsum(rng.normal(size=len(knots))), -0.5, 0.5)
    speed = rng.uniform(0.75, 1.35) * np.exp(np.interp(seconds, knots, walk))
    places = np.concatenate([[0], np.cumsum(speed[:-1] * np.diff(seconds))])

    def at(t: float) -> float:
        return float(np.interp(t, seconds, places))

    return [
        replace(note, onset=at(chord), offset=max(at(note.offset), at(chord) + 0.03), velocity=0.6)
        for note, chord in zip(notes, chords, strict=True)
    ]


def lines(rng: np.random.Generator, voices: int) -> list[Note]:
    """Random lines, whose notes begin together within some 30 ms."""
    notes = []
    for base in (74, 67, 60, 48)[:voices]:
        t, pitch = 0.2, base
        while t < _SECONDS:
            length = float(rng.choice([0.25, 0.5, 0.5, 1.0, 1.0, 1.5]))
            pitch = int(np.clip(pitch + rng.choice([-4, -2, -1, 1, 2, 3, 5]), base - 9, base + 9))
            late = float(np.clip(rng.normal(0, 0.012), -0.03, 0.03))
            loud = float(rng.uniform(0.5, 0.9))
            notes.append(Note(t + late, t + 0.93 * length, pitch, velocity=loud))
            t += length
    return notes


def cases(folder: Path) -> Iterator[tuple[str, list[Note], Instrument]]:
    """Name, performance and instrument of each case."""
    sounds = Path("/usr/share/sounds")
    for path in sorted(folder.glob("*.mid")):
        for font, file in _FONTS.items():
            yield f"{path.stem}, {font}", na.read_notes(path), Instrument(font, sounds / file)
    for seed, (name, program) in enumerate(_PROGRAMS.items()):
        font = list(_FONTS)[seed % len(_FONTS)]
        notes = lines(np.random.default_rng(100 + seed), 2 + seed % 3)
        yield f"{name}, {font}", notes, Instrument(font, sounds / _FONTS[font], program)


def ours(score: list[Note], y: np.ndarray) -> np.ndarray:
    """Onsets by `align`."""
    return np.array([note.onset for note in na.symbolic.align(score, y, SR)])


def peer() -> Callable[[list[Note], np.ndarray], np.ndarray] | None:
    """Alignment by synctoolbox with chroma and DLNCO at 50 frames per second, if installed."""
    try:
        import pandas
        from librosa import resample
        from synctoolbox.dtw.mrmsdtw import sync_via_mrmsdtw
        from synctoolbox.dtw.utils import make_path_strictly_monotonic
        from synctoolbox.feature import chroma, csv_tools, dlnco, pitch, pitch_onset, utils
    except ImportError:
        return None
    sr, rate = 22050, 50

    def features(pitches: object, onsets: object) -> tuple[np.ndarray, np.ndarray]:
        quantised = chroma.quantize_chroma(f_chroma=chroma.pitch_to_chroma(f_pitch=pitches))
        return quantised, dlnco.pitch_onset_features_to_DLNCO(
            f_peaks=onsets, feature_rate=rate, feature_sequence_length=quantised.shape[1]
        )

    def align(score: list[Note], y: np.ndarray) -> np.ndarray:
        audio = resample(y.astype(float), orig_sr=SR, target_sr=sr)
        how = {"Fs": sr, "tuning_offset": utils.estimate_tuning(audio, sr), "verbose": False}
        played = features(
            pitch.audio_to_pitch_features(f_audio=audio, feature_rate=rate, **how),
            pitch_onset.audio_to_pitch_onset_features(f_audio=audio, **how),
        )
        rows = [(n.onset, n.offset - n.onset, round(n.pitch), n.velocity, "x") for n in score]
        names = ["start", "duration", "pitch", "velocity", "instrument"]
        table = pandas.DataFrame(rows, columns=names)
        table["end"] = table.start + table.duration
        written = features(
            csv_tools.df_to_pitch_features(table, feature_rate=rate),
            csv_tools.df_to_pitch_onset_features(table),
        )
        path = sync_via_mrmsdtw(
            f_chroma1=written[0],
            f_onset1=written[1],
            f_chroma2=played[0],
            f_onset2=played[1],
            input_feature_rate=rate,
            step_weights=np.array([1.5, 1.5, 2.0]),
            threshold_rec=10**6,
        )
        path = make_path_strictly_monotonic(path)
        return np.interp([n.onset for n in score], path[0] / rate, path[1] / rate)

    return align


def main(folder: str, *names: str) -> None:
    """Print a row for each case: median and 90 % of the absolute errors in ms, and seconds."""
    systems = {"nmfaudio": ours} | ({"synctoolbox": other} if (other := peer()) else {})
    print("| case | notes | " + " | ".join(f"{name}: median, 90 %, s" for name in systems) + " |")
    print("|---" * (2 + len(systems)) + "|")
    for name, performed, instrument in cases(Path(folder)):
        if names and not any(each in name for each in names):
            continue
        notes = sorted(performed, key=lambda note: (note.onset, note.pitch))
        score = score_of(notes, np.random.default_rng(len(name)))
        y, true = instrument.play(notes), np.array([note.onset for note in notes])
        cells = []
        for align in systems.values():
            begin = time.perf_counter()
            errors = 1000 * np.abs(align(score, y) - true)
            seconds = time.perf_counter() - begin
            cells.append(f"{np.median(errors):.1f}, {np.percentile(errors, 90):.0f}, {seconds:.1f}")
        print(f"| {name} | {len(notes)} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
