"""Measures of matched notes, of frames and of hits, by mir_eval."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from nmfaudio._common.pitch import midi_to_hz
from nmfaudio.symbolic.note import Note

_FRAMES_PER_SECOND = 100  # as in MIREX multi-F0 estimation
_SHORTEST = 1e-3  # s; mir_eval rejects notes of length 0
_FULL = 127  # highest velocity on the scale that mir_eval expects


def named(name: str, values: Iterable[float]) -> dict[str, float]:
    """Precision, recall and F-measure under their names."""
    return {f"{name}_{which}": float(x) for which, x in zip("prf", values, strict=True)}


def _score_of_empty(reference: Sequence[Note], estimated: Sequence[Note]) -> float:
    """Score where at least one side has no notes."""
    return 0.0 if reference or estimated else math.nan


def note_scores(
    reference: Sequence[Note],
    estimated: Sequence[Note],
    tolerances: Mapping[str, float],
    offset_ratio: float,
    velocity_tolerance: float,
) -> dict[str, float]:
    """Measures of matched notes, with and without offsets and velocities."""
    names = ("onset", "offset", "velocity", "offset_velocity")
    if not (reference and estimated):
        empty = [_score_of_empty(reference, estimated)] * 3
        return {k: v for name in names for k, v in named(name, empty).items()}
    from mir_eval import transcription, transcription_velocity

    ref, est = note_arrays(reference), note_arrays(estimated)
    scores: dict[str, float] = {}
    for name, ratio in (("onset", None), ("offset", offset_ratio)):  # None: offsets do not count
        settings = {**tolerances, "offset_ratio": ratio}
        timing = transcription.precision_recall_f1_overlap(*ref[:2], *est[:2], **settings)
        velocity = transcription_velocity.precision_recall_f1_overlap(
            *ref, *est, velocity_tolerance=velocity_tolerance, **settings
        )
        scores |= named(name, timing[:3])
        scores |= named("velocity" if ratio is None else "offset_velocity", velocity[:3])
    return scores


def note_arrays(notes: Sequence[Note]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Intervals in seconds [shape=(note, 2)], pitches in Hz and velocities, as in mir_eval."""
    intervals = np.array([(n.onset, max(n.offset, n.onset + _SHORTEST)) for n in notes])
    hertz = midi_to_hz(np.array([n.pitch for n in notes]))
    return intervals, hertz, _FULL * np.array([n.velocity for n in notes])


def frame_scores(
    reference: Sequence[Note], estimated: Sequence[Note], semitones: float
) -> dict[str, float]:
    """Frame measures of `mir_eval.multipitch`, computed once per run of equal frames."""
    if not (reference and estimated):
        empty = _score_of_empty(reference, estimated)
        return named("frame", [empty] * 3) | {"frame_accuracy": empty}
    from mir_eval import multipitch, util

    spans = _frames(reference), _frames(estimated)
    edges = np.unique(np.concatenate(spans))
    lengths = np.diff(edges)  # frames per run
    ref, est = (
        _active_pitches(notes, span, edges[:-1])
        for notes, span in zip((reference, estimated), spans, strict=True)
    )
    hits = multipitch.compute_num_true_positives(ref, est, window=semitones) * lengths
    counts = (multipitch.compute_num_freqs(pitches) * lengths for pitches in (ref, est))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # all notes of one side may be shorter than a frame
        precision, recall, accuracy = multipitch.compute_accuracy(hits, *counts)
    f = util.f_measure(precision, recall)
    return named("frame", (precision, recall, f)) | {"frame_accuracy": float(accuracy)}


def _frames(notes: Sequence[Note]) -> np.ndarray:
    """First frame of each note, and the first after it [shape=(note, 2)]."""
    seconds = np.array([(n.onset, n.offset) for n in notes])
    # Rounded first: 0.07 s · 100 is above 7 in floating point, and belongs to frame 7.
    return np.ceil(np.round(seconds * _FRAMES_PER_SECOND, 6)).astype(int)


def _active_pitches(
    notes: Sequence[Note], spans: np.ndarray, frames: np.ndarray
) -> list[np.ndarray]:
    """Distinct pitches active in each of `frames`."""
    pitches = np.array([n.pitch for n in notes])
    start, stop = spans.T
    return [np.unique(pitches[(start <= t) & (t < stop)]) for t in frames]


def drum_scores(
    reference: Mapping[str, Sequence[float]],
    estimated: Mapping[str, Sequence[float]],
    tolerance: float,
) -> dict[str, tuple[float, float, float]]:
    """Precision, recall and F-measure of each drum; its hits are matched as events."""
    from mir_eval import util

    scores = {}
    for part in dict.fromkeys((*reference, *estimated)):
        ref, est = np.array(reference.get(part, [])), np.array(estimated.get(part, []))
        hits = len(util.match_events(ref, est, tolerance)) if ref.size and est.size else 0
        precision, recall = hits / max(est.size, 1), hits / max(ref.size, 1)
        scores[part] = (precision, recall, float(util.f_measure(precision, recall)))
    return scores
