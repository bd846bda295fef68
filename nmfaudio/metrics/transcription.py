"""How near transcribed notes are to those of the score."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from nmfaudio._common.validation import as_number
from nmfaudio._public import public
from nmfaudio.errors import MissingExtraError
from nmfaudio.metrics.annotations import Notes, as_notes
from nmfaudio.symbolic.drum_hits import read_hits
from nmfaudio.symbolic.names import DRUM_CHANNEL, part_named
from nmfaudio.symbolic.note import Note

_FRAMES_PER_SECOND = 100
_SHORTEST = 1e-3  # s; mir_eval refuses notes of no length
_FULL = 127  # the scale of velocities that mir_eval counts on
_LABELS = {
    "onset": "onset",
    "offset": "onset, offset",
    "velocity": "onset, velocity",
    "offset_velocity": "onset, offset, velocity",
    "frame": "frames of 10 ms",
}


@dataclass(frozen=True)
class TranscriptionScores:
    """Precision, recall and F of transcribed notes, each from 0 to 1.

    ``print(scores)`` shows a table. What there is nothing to say about (velocities of drums, drums
    of a piano) is NaN.

    Parameters
    ----------
    onset_p, onset_r, onset_f : float
        Of notes whose pitch and onset are right.
    offset_p, offset_r, offset_f : float
        The same, where the offset has to be right too.
    velocity_p, velocity_r, velocity_f : float
        Of notes whose pitch, onset and velocity are right.
    offset_velocity_p, offset_velocity_r, offset_velocity_f : float
        All four.
    frame_p, frame_r, frame_f, frame_accuracy : float
        Of the pitches that sound, counted every 10 ms; accuracy is hits / (hits + misses + false).
    drum_p, drum_r, drum_f : float
        Means over the drums.
    drums : dict of str to tuple of three float
        Precision, recall and F of each drum's hits.
    n_reference, n_estimated : int
        How many notes and hits there are on each side.
    """

    onset_p: float
    onset_r: float
    onset_f: float
    offset_p: float
    offset_r: float
    offset_f: float
    velocity_p: float
    velocity_r: float
    velocity_f: float
    offset_velocity_p: float
    offset_velocity_r: float
    offset_velocity_f: float
    frame_p: float
    frame_r: float
    frame_f: float
    frame_accuracy: float
    drum_p: float
    drum_r: float
    drum_f: float
    drums: dict[str, tuple[float, float, float]]
    n_reference: int
    n_estimated: int

    @property
    def measures(self) -> dict[str, float]:
        """Every figure under its name; those of a drum are ``kick_p``, ``kick_r``, ``kick_f``."""
        found = {f.name: getattr(self, f.name) for f in fields(self) if f.type == "float"}
        for part, values in self.drums.items():
            found |= {f"{part}_{which}": x for which, x in zip("prf", values, strict=True)}
        return found

    def to_dict(self) -> dict[str, Any]:
        """All of it, of JSON types; None stands for NaN."""
        counts = {"n_reference": self.n_reference, "n_estimated": self.n_estimated}
        return known(self.measures) | counts

    def __str__(self) -> str:
        measures = self.measures
        names = _LABELS | {part: part for part in self.drums} | {"drum": "mean of drums"}
        rows = [
            (label, [measures[f"{name}_{which}"] for which in "prf"])
            for name, label in names.items()
        ]
        shown = [(label, values) for label, values in rows if not math.isnan(values[-1])]
        width = max((len(label) for label, _ in shown), default=0)
        lines = [f"{'':{width}}  precision  recall      F"]
        lines += [f"{label:<{width}}  {p:9.3f}  {r:6.3f}  {f:5.3f}" for label, (p, r, f) in shown]
        if not math.isnan(self.frame_accuracy):
            lines.append(f"\naccuracy of frames {self.frame_accuracy:.3f}")
        lines.append(f"\n{self.n_reference} notes in the reference, {self.n_estimated} estimated")
        return "\n".join(lines)


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
    """Judge transcribed notes by those of the score, as mir_eval does.

    A note of the one side is matched with one of the other at most, so that most are matched.
    Notes on MIDI channel 9 are drums: their pitch says which, and only their onsets count. Order
    makes no difference, and a note of no length lasts 1 ms. Velocities are compared after a line
    has been fitted to those of the matched notes, so that their scale makes no difference.

    Where one side has no notes and the other has, all scores are 0. Where neither has, there is
    nothing to judge and they are NaN (for which mir_eval says 0).

    Parameters
    ----------
    reference, estimated : sequence of Note, path, or anything with ``.notes``
        A path is that of a MIDI file or a table, see `read_notes`. Annotations of mirdata
        (``NoteData`` in seconds, and MIDI numbers or Hz) will do too.
    tolerance : float
        How far an onset may be off, in seconds; an offset too, where that is more than
        `offset_ratio` of the note.
    pitch_tolerance : float
        How far a pitch may be off, in cents.
    offset_ratio : float
        How far an offset may be off, as a share of the length of the reference's note.
    velocity_tolerance : float
        How far a velocity may be off, as a share of the range of the reference's.
    drums : bool
        Whether all notes are drums, whatever their channel. Paths may be tables of seconds and
        drum (``0.5,kick`` or ``0.5,KD``) then.

    Returns
    -------
    TranscriptionScores

    Raises
    ------
    MissingExtraError
        mir_eval is not installed.
    AudioFileError
        A file cannot be read.
    ParameterError
        A tolerance is out of range, or a side is nothing with notes.

    Notes
    -----
    Onset, offset and frame measures are those of the MIREX tasks as mir_eval has them [1]_,
    velocity as Hawthorne et al. define it [2]_.

    .. [1] Raffel et al. (2014), "mir_eval: a transparent implementation of common MIR metrics",
       ISMIR, doi:10.5281/zenodo.1416528
    .. [2] Hawthorne et al. (2018), "Onsets and frames: dual-objective piano transcription", ISMIR,
       doi:10.5281/zenodo.1492341

    Examples
    --------
    >>> score = [Note(0.0, 1.0, 60), Note(1.0, 2.0, 64), Note(2.0, 3.0, 67)]
    >>> played = [Note(0.01, 1.0, 60), Note(1.02, 1.5, 64), Note(2.2, 3.0, 67)]
    >>> print(evaluate_transcription(score, played))
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
        "onset_tolerance": as_number(tolerance, "tolerance", above=0),
        "pitch_tolerance": as_number(pitch_tolerance, "pitch_tolerance", above=0),
        "offset_min_tolerance": tolerance,
    }
    ratio = as_number(offset_ratio, "offset_ratio", above=0)
    loudness = as_number(velocity_tolerance, "velocity_tolerance", above=0)
    _mir_eval()
    made, made_hits = _sides(estimated, drums, "estimated")
    truth, true_hits = _sides(reference, drums, "reference")
    found = _note_scores(made, truth, tolerances, ratio, loudness)
    found |= _frame_scores(made, truth, pitch_tolerance / 100)
    parts = _drum_scores(made_hits, true_hits, tolerance)
    means = np.mean(list(parts.values()), axis=0).tolist() if parts else [math.nan] * 3
    return TranscriptionScores(
        **found,
        **_named("drum", means),
        drums=parts,
        n_reference=len(truth) + sum(map(len, true_hits.values())),
        n_estimated=len(made) + sum(map(len, made_hits.values())),
    )


def known(measures: Mapping[str, float]) -> dict[str, float | None]:
    """With None, which JSON has, for NaN, which it has not."""
    return {name: None if math.isnan(x) else x for name, x in measures.items()}


def _mir_eval() -> None:
    try:
        import mir_eval  # noqa: F401
    except ImportError:
        raise MissingExtraError(
            "scores of transcriptions need mir_eval, which is not installed; "
            "pip install 'nmfaudio[eval]'"
        ) from None


def _sides(
    source: Notes, drums: bool, name: str
) -> tuple[list[Note], Mapping[str, Sequence[float]]]:
    """The pitched notes, and when each drum is hit."""
    if drums and isinstance(source, str | os.PathLike):
        return [], read_hits(source)
    pitched: list[Note] = []
    hits: dict[str, list[float]] = {}
    for note in as_notes(source, name):
        if drums or note.channel == DRUM_CHANNEL:
            key = f"{note.pitch:g}"
            hits.setdefault(part_named(key) or key, []).append(note.onset)
        else:
            pitched.append(note)
    # Of several best matchings one is taken, by order; velocities could tell which.
    pitched.sort(key=lambda note: (note.onset, note.pitch, note.offset, note.velocity))
    return pitched, {part: sorted(times) for part, times in hits.items()}


def _named(name: str, values: Iterable[float]) -> dict[str, float]:
    return {f"{name}_{which}": float(x) for which, x in zip("prf", values, strict=True)}


def _note_scores(
    made: Sequence[Note],
    truth: Sequence[Note],
    tolerances: Mapping[str, float],
    offset_ratio: float,
    velocity_tolerance: float,
) -> dict[str, float]:
    names = ("onset", "offset", "velocity", "offset_velocity")
    if not (made and truth):
        nothing = math.nan if not (made or truth) else 0.0
        return {k: v for name in names for k, v in _named(name, [nothing] * 3).items()}
    from mir_eval import transcription, transcription_velocity

    a, b = _arrays(truth), _arrays(made)
    found: dict[str, float] = {}
    for ending, ratio in (("onset", None), ("offset", offset_ratio)):
        rules = {**tolerances, "offset_ratio": ratio}
        plain = transcription.precision_recall_f1_overlap(*a[:2], *b[:2], **rules)
        loud = transcription_velocity.precision_recall_f1_overlap(
            *a, *b, velocity_tolerance=velocity_tolerance, **rules
        )
        found |= _named(ending, plain[:3])
        found |= _named("velocity" if ratio is None else "offset_velocity", loud[:3])
    return found


def _arrays(notes: Sequence[Note]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Intervals in seconds, pitches in Hz and velocities, as mir_eval takes them."""
    intervals = np.array([(n.onset, max(n.offset, n.onset + _SHORTEST)) for n in notes])
    hertz = 440.0 * 2.0 ** ((np.array([n.pitch for n in notes]) - 69) / 12)
    return intervals, hertz, _FULL * np.array([n.velocity for n in notes])


def _frame_scores(
    made: Sequence[Note], truth: Sequence[Note], semitones: float
) -> dict[str, float]:
    """As `mir_eval.multipitch` counts, but once for each stretch in which nothing changes."""
    if not (made and truth):
        nothing = math.nan if not (made or truth) else 0.0
        return _named("frame", [nothing] * 3) | {"frame_accuracy": nothing}
    from mir_eval import multipitch, util

    spans = _frames(truth), _frames(made)
    edges = np.unique(np.concatenate(spans))
    lengths = np.diff(edges)
    a, b = (_sounding(*side, edges[:-1]) for side in zip((truth, made), spans, strict=True))
    hits = multipitch.compute_num_true_positives(a, b, window=semitones) * lengths
    counts = (multipitch.compute_num_freqs(side) * lengths for side in (a, b))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a side whose notes are all too short for a frame
        precision, recall, accuracy = multipitch.compute_accuracy(hits, *counts)
    f = util.f_measure(precision, recall)
    return _named("frame", (precision, recall, f)) | {"frame_accuracy": float(accuracy)}


def _frames(notes: Sequence[Note]) -> np.ndarray:
    """The first frame in which each note sounds, and the first in which not [shape=(note, 2)]."""
    seconds = np.array([(n.onset, n.offset) for n in notes])
    return np.ceil(np.round(seconds * _FRAMES_PER_SECOND, 6)).astype(int)  # 0.07 s is in frame 7


def _sounding(notes: Sequence[Note], spans: np.ndarray, frames: np.ndarray) -> list[np.ndarray]:
    """The pitches of some frames, each once."""
    pitches = np.array([n.pitch for n in notes])
    start, stop = spans.T
    return [np.unique(pitches[(start <= t) & (t < stop)]) for t in frames]


def _drum_scores(
    made: Mapping[str, Sequence[float]], truth: Mapping[str, Sequence[float]], tolerance: float
) -> dict[str, tuple[float, float, float]]:
    from mir_eval import util

    scores = {}
    for part in dict.fromkeys((*truth, *made)):
        a, b = np.array(truth.get(part, [])), np.array(made.get(part, []))
        hits = len(util.match_events(a, b, tolerance)) if a.size and b.size else 0
        precision, recall = hits / max(b.size, 1), hits / max(a.size, 1)
        scores[part] = (precision, recall, float(util.f_measure(precision, recall)))
    return scores
