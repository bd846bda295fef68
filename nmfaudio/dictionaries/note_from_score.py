"""Templates of notes from a recording whose notes are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nmfaudio._common.pitch import midi_to_hz
from nmfaudio._common.validation import as_count, as_number
from nmfaudio.audio.transforms import Transform
from nmfaudio.dictionaries.note_dictionary import NoteDictionary
from nmfaudio.dictionaries.note_stages import Stage, as_stages
from nmfaudio.dictionaries.template_conversion import unit_sums
from nmfaudio.errors import ContentError
from nmfaudio.factorisation.divergences import Beta
from nmfaudio.factorisation.engine import Callback, decompose
from nmfaudio.factorisation.factors import Factor
from nmfaudio.symbolic.names import DRUM_CHANNEL
from nmfaudio.symbolic.note import Note

_NEAR = 0.5  # semitones about a partial that belong to it
_LOBE = 2  # rows about a partial that do, however far apart they are
_SOFT = 0.1  # what the softest note's activations start from, in shares of the hardest's


def learn_aligned(
    V: np.ndarray,
    notes: Sequence[Note],
    transform: Transform,
    *,
    instrument: str,
    stages: Mapping[str, tuple[float, float]] | None,
    tolerance: float,
    beta: float,
    max_iter: int,
    callback: Callback | None,
    metadata: dict[str, Any],
) -> NoteDictionary:
    """The templates of the notes of a recording; see `NoteDictionary.from_recording`."""
    spans = as_stages(stages)
    tolerance = as_number(tolerance, "tolerance", low=0)
    beta = as_number(beta, "beta")
    heard = [note for note in notes if note.channel != DRUM_CHANNEL]
    pitches = sorted({note.pitch for note in heard})
    groups = ([note for note in heard if note.pitch == pitch] for pitch in pitches)
    gates = [_gates(group, spans, transform, V, tolerance) for group in groups]
    H = np.concatenate([np.zeros((0, V.shape[1]), V.dtype), *gates])
    if not (H.any() and V.any()):
        raise ContentError(
            f"{instrument}: none of the {len(heard)} pitched notes lies within the recording's "
            f"sound; give notes that are in time with it, as na.symbolic.align makes them"
        )
    W = np.stack([_start(transform, pitch, span) for pitch in pitches for span in spans], axis=1)
    found = decompose(
        V,
        [Factor(W.astype(V.dtype)), Factor(H * V.mean(dtype=np.float64).astype(V.dtype))],
        divergence=Beta(beta),
        max_iter=as_count(max_iter, "max_iter", low=0),
        callback=callback,
    )
    used = np.flatnonzero(found.H.any(axis=1) & found.W.any(axis=0))
    hardness = {p: np.mean([n.velocity for n in heard if n.pitch == p]) for p in pitches}
    owners = [pitches[k // len(spans)] for k in used]
    return NoteDictionary(
        unit_sums(found.W[:, used]),
        (instrument,) * len(used),
        transform,
        tuple(owners),
        beta,
        "templates",
        metadata,
        tuple(float(hardness[pitch]) for pitch in owners),
        tuple(spans[k % len(spans)].name for k in used),
    )


def _gates(
    notes: Sequence[Note],
    stages: Sequence[Stage],
    transform: Transform,
    V: np.ndarray,
    tolerance: float,
) -> np.ndarray:
    """Where the stages of a pitch start from: 0 where they cannot sound [shape=(stage, time)]."""
    times = transform.times(V.shape[1])
    H = np.zeros((len(stages), V.shape[1]), V.dtype)
    begins = [*(stage.begin for stage in stages), np.inf]
    for note in notes:
        for gate, begin, following in zip(H, begins, begins[1:], strict=False):
            # No frame of a note is without a stage that explains it.
            start, end = note.onset + begin, min(note.onset + following, note.offset)
            if start < note.offset:
                inside = (times >= start - tolerance) & (times <= end + tolerance)
                gate[inside] = np.maximum(gate[inside], _SOFT + note.velocity)
    return H


def _start(transform: Transform, pitch: float, stage: Stage) -> np.ndarray:
    """What a template starts from: 0 where it stays 0 [shape=(freq,)].

    An attack may have any spectrum, as the stroke of a hammer has; else only the neighbourhood of
    the partials is open, and they fall off.
    """
    f = transform.frequencies
    f0 = midi_to_hz(pitch)
    falling: np.ndarray = f0 / np.maximum(f, f0)
    if stage.name == "attack":
        return falling
    partial = np.maximum(np.rint(f / f0), 1) * f0
    apart = np.abs(f - partial)
    open_rows = apart <= np.maximum(partial * (2 ** (_NEAR / 12) - 1), _LOBE * np.gradient(f))
    falling[~open_rows] = 0
    return falling
