"""Precision, recall and F-measure of transcribed notes."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from nmfaudio._common.files import show
from nmfaudio._common.validation import as_number
from nmfaudio._public import public
from nmfaudio.errors import ContentError, ParameterError
from nmfaudio.metrics.transcription_scores import TranscriptionScores, measures_named
from nmfaudio.symbolic.conversion import Notes, as_notes
from nmfaudio.symbolic.names import DRUM_CHANNEL, part_named
from nmfaudio.symbolic.note import Note
from nmfaudio.symbolic.note_matches import note_arrays

_FRAMES_PER_SECOND = 100  # as in MIREX multi-F0 estimation
_MOST_PAIRS = 4_000_000  # several times those of an orchestra
_FULL = 127  # highest velocity on the scale that mir_eval expects


@public
def evaluate_transcription(
    reference: Notes,
    estimated: Notes,
    *,
    tolerance: float = 0.05,
    pitch_tolerance: float = 50.0,
    offset_ratio: float = 0.2,
    velocity_tolerance: float = 0.1,
    drums: bool = False,
) -> TranscriptionScores:
    """Compare transcribed notes with reference notes, by the measures of mir_eval.

    Each reference note is matched with at most one estimated note and vice versa, by a matching of
    maximum size. Notes on MIDI channel 9 are drums: their pitch names the drum, and only onsets
    count. If one side has drums only, the other's notes on channel 0 are taken for drums, too:
    tables of other programs have no channels. The order of notes does not matter; notes of length
    0 last 1 ms. Velocities are compared after a linear regression on the matched notes, so their
    scale does not matter.

    If only one side has notes, all scores are 0. If neither has, they are NaN (0 in mir_eval).

    Parameters
    ----------
    reference, estimated : sequence of Note, path, or object of another package
        Paths name MIDI files, tables of notes or of drum hits, see `read_notes`. Accepted objects
        are those of `nmfaudio.symbolic.as_notes`: results with ``notes``, `pretty_midi.PrettyMIDI`,
        ``NoteData`` of mirdata, and (intervals, Hz) of mir_eval.
    tolerance : float
        Largest deviation of an onset, in seconds, at most 1; also of an offset, unless
        `offset_ratio` allows more.
    pitch_tolerance : float
        Largest deviation of a pitch, in cents.
    offset_ratio : float
        Largest deviation of an offset, relative to the length of the reference note.
    velocity_tolerance : float
        Largest deviation of a velocity, relative to the range of reference velocities.
    drums : bool
        Treat all notes as drums, on any channel.

    Returns
    -------
    TranscriptionScores
        Precision, recall and F-measure of notes, frames and drums.

    Raises
    ------
    AudioFileError
        A file cannot be read.
    ParameterError
        A tolerance is out of range, or a side is not notes.
    ContentError
        One side has drums only, and the other a note that is none, or more than 4 million pairs of
        notes begin together.

    See Also
    --------
    nmfaudio.metrics.evaluate_transcriptions : Scores of several pieces and their means.

    Notes
    -----
    Onset, offset and frame measures are those of the MIREX tasks as implemented by mir_eval [1]_,
    velocity measures those of Hawthorne et al. [2]_.

    References
    ----------
    .. [1] Raffel et al. (2014), "mir_eval: a transparent implementation of common MIR metrics",
       ISMIR, doi:10.5281/zenodo.1416528
    .. [2] Hawthorne et al. (2018), "Onsets and frames: dual-objective piano transcription", ISMIR,
       doi:10.5281/zenodo.1492341

    Examples
    --------
    >>> import nmfaudio as na
    >>> score = [na.Note(0.0, 1.0, 60), na.Note(1.0, 2.0, 64), na.Note(2.0, 3.0, 67)]
    >>> played = [na.Note(0.01, 1.0, 60), na.Note(1.02, 1.5, 64), na.Note(2.2, 3.0, 67)]
    >>> print(na.evaluate_transcription(score, played))
                             precision  recall      F
    onset                        0.667   0.667  0.667
    onset, offset                0.333   0.333  0.333
    onset, velocity              0.667   0.667  0.667
    onset, offset, velocity      0.333   0.333  0.333
    frames of 10 ms              1.000   0.757  0.861
    <BLANKLINE>
    accuracy of frames 0.757
    <BLANKLINE>
    3 notes in the reference, 3 estimated
    """
    tolerances = {
        "onset_tolerance": tolerance_in_seconds(tolerance),
        "pitch_tolerance": as_number(pitch_tolerance, "pitch_tolerance", above=0),
        "offset_min_tolerance": tolerance,
    }
    offset_ratio = as_number(offset_ratio, "offset_ratio", above=0)
    velocity_tolerance = as_number(velocity_tolerance, "velocity_tolerance", above=0)
    sides = note_sides(reference, estimated, drums=drums)
    (notes, hits), (est_notes, est_hits) = (_notes_and_hits(side) for side in sides)
    scores = _note_scores(notes, est_notes, tolerances, offset_ratio, velocity_tolerance)
    scores |= _frame_scores(notes, est_notes, pitch_tolerance / 100)
    parts = _drum_scores(hits, est_hits, tolerance)
    means = np.mean(list(parts.values()), axis=0).tolist() if parts else [math.nan] * 3
    return TranscriptionScores(
        **scores,
        **measures_named("drum", means),
        drums=parts,
        n_reference=len(notes) + sum(map(len, hits.values())),
        n_estimated=len(est_notes) + sum(map(len, est_hits.values())),
    )


def note_sides(
    reference: Notes, estimated: Notes, *, drums: bool = False
) -> tuple[list[Note], list[Note]]:
    """Return the notes of both sides, with drums on channel 9, sorted by onset.

    If one side has drums only, notes on channel 0 of the other are drums, too.

    Parameters
    ----------
    reference, estimated : sequence of Note, path, or object of another package
    drums : bool
        Put all notes on channel 9.

    Returns
    -------
    reference, estimated : list of Note

    Raises
    ------
    AudioFileError
        A file cannot be read.
    ParameterError
        A side is not notes.
    ContentError
        One side has drums only, and the other a note that is none.
    """
    sides = as_notes(reference, "reference"), as_notes(estimated, "estimated")
    if drums or _lost_channel(sides):
        _require_drums(sides[0], _label(reference, "reference"))
        _require_drums(sides[1], _label(estimated, "estimated"))
        sides = _as_drums(sides[0]), _as_drums(sides[1])
    # mir_eval's choice among several maximum matchings depends on the order, and the velocity
    # measures on the choice.
    return _in_order(sides[0]), _in_order(sides[1])


def _as_drums(notes: Sequence[Note]) -> list[Note]:
    return [replace(note, channel=DRUM_CHANNEL) for note in notes]


def _in_order(notes: Sequence[Note]) -> list[Note]:
    return sorted(notes, key=lambda note: (note.onset, note.pitch, note.offset, note.velocity))


def tolerance_in_seconds(tolerance: float) -> float:
    """Return a tolerance in seconds; more than one second is mistaken for milliseconds."""
    tolerance = as_number(tolerance, "tolerance", above=0)
    if tolerance > 1:
        raise ParameterError(
            f"tolerance is {tolerance:g} seconds; at most 1 is allowed: did you mean "
            f"{tolerance / 1000:g}?"
        )
    return tolerance


def _label(source: Notes, name: str) -> str:
    """Name of a side in messages."""
    return show(source) if isinstance(source, str | os.PathLike) else name


def _lost_channel(sides: Sequence[Sequence[Note]]) -> bool:
    """Return whether one side has drums only, and the other notes without a channel.

    These are then drums too: tables of other programs have no column of channels.
    """
    channels = [{note.channel for note in side} for side in sides]
    return {DRUM_CHANNEL} in channels and {0} in channels


def _require_drums(notes: Sequence[Note], label: str) -> None:
    """Raise `ContentError` if a note is neither on the channel of drums nor of their pitches."""
    for note in notes:
        if note.channel != DRUM_CHANNEL and part_named(f"{note.pitch:g}") is None:
            raise ContentError(
                f"{label}: {note.pitch:g} at {note.onset:g} s is not a part of a drum kit; compare "
                "drums with drums, as General MIDI or rows of seconds,drum"
            )


def _notes_and_hits(notes: Sequence[Note]) -> tuple[list[Note], Mapping[str, list[float]]]:
    """Pitched notes, and the onsets of each drum."""
    hits: dict[str, list[float]] = {}
    for note in notes:
        if note.channel == DRUM_CHANNEL:
            key = f"{note.pitch:g}"
            hits.setdefault(part_named(key) or key, []).append(note.onset)
    return [note for note in notes if note.channel != DRUM_CHANNEL], hits


def _score_of_empty(reference: Sequence[Note], estimated: Sequence[Note]) -> float:
    """Score where at least one side has no notes."""
    return 0.0 if reference or estimated else math.nan


def _note_scores(
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
        return {k: v for name in names for k, v in measures_named(name, empty).items()}
    from mir_eval import transcription, transcription_velocity

    ref, est = _arrays(reference), _arrays(estimated)
    _check_pairs(ref[0][:, 0], est[0][:, 0], tolerances["onset_tolerance"])
    scores: dict[str, float] = {}
    for name, ratio in (("onset", None), ("offset", offset_ratio)):  # None: offsets do not count
        settings = {**tolerances, "offset_ratio": ratio}
        timing = transcription.precision_recall_f1_overlap(*ref[:2], *est[:2], **settings)
        velocity = transcription_velocity.precision_recall_f1_overlap(
            *ref, *est, velocity_tolerance=velocity_tolerance, **settings
        )
        scores |= measures_named(name, timing[:3])
        scores |= measures_named("velocity" if ratio is None else "offset_velocity", velocity[:3])
    return scores


def _check_pairs(reference: np.ndarray, estimated: np.ndarray, tolerance: float) -> None:
    """Refuse onsets of which too many lie together: matching takes a second for a million pairs."""
    ordered = np.sort(estimated)
    first = np.searchsorted(ordered, reference - tolerance, "left")
    last = np.searchsorted(ordered, reference + tolerance, "right")
    pairs = int((last - first).sum())
    if pairs > _MOST_PAIRS:
        raise ContentError(
            f"{pairs} pairs of notes begin within {tolerance:g} s of each other, at most "
            f"{_MOST_PAIRS} are matched; remove notes that are there several times"
        )


def _arrays(notes: Sequence[Note]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Intervals in seconds [shape=(note, 2)], pitches in Hz and velocities, as in mir_eval."""
    return *note_arrays(notes), _FULL * np.array([n.velocity for n in notes])


def _frame_scores(
    reference: Sequence[Note], estimated: Sequence[Note], semitones: float
) -> dict[str, float]:
    """Frame measures of `mir_eval.multipitch`, computed once per run of equal frames."""
    if not (reference and estimated):
        empty = _score_of_empty(reference, estimated)
        return measures_named("frame", [empty] * 3) | {"frame_accuracy": empty}
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
    return measures_named("frame", (precision, recall, f)) | {"frame_accuracy": float(accuracy)}


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


def _drum_scores(
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
