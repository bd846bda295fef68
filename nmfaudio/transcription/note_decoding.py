"""Decoding of activations or salience of any origin into notes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nmfaudio._common.validation import as_number, frame_step, shown
from nmfaudio._public import public
from nmfaudio.errors import ParameterError, ShapeError
from nmfaudio.symbolic.note import Note
from nmfaudio.transcription.contracts import Decoder, require_notes
from nmfaudio.transcription.decoding import Decoding
from nmfaudio.transcription.salience import Salience


@public
def decode_notes(
    activations: np.ndarray,
    pitches: Sequence[float | None],
    times: np.ndarray | float,
    *,
    decoding: Decoder | None = None,
    **settings: Any,
) -> list[Note]:
    """Decode activations or salience of any origin into notes.

    They may come from another package: activations of scikit-learn's NMF, the salience of a
    multi-pitch estimator, or the output of a network.

    Parameters
    ----------
    activations : np.ndarray [shape=(component, time)]
        ≥ 0; components of one pitch are summed. Activations of templates should each be of
        templates of one norm, such as a sum of 1, so that they can be compared.
    pitches : sequence of (float or None)
        MIDI number of each component; None for one that is no note, which is left out.
    times : np.ndarray [shape=(time,)] or float
        Centre of each frame in seconds, evenly spaced; or seconds between frames, the first of
        which is at 0.
    decoding : Decoder, optional
        Conversion of salience to notes; by default a `Decoding` with the settings.
    **settings
        Settings of a `Decoding`: ``threshold=0.2``.

    Returns
    -------
    list of Note
        By onset, then pitch.

    Raises
    ------
    ShapeError
        The shapes do not fit each other.
    ParameterError
        Values are negative, NaN or infinite, times are not evenly spaced, all pitches are None, or
        there is no such setting.

    Examples
    --------
    Activations of scikit-learn, of two templates with known pitches:

    >>> import numpy as np, nmfaudio as na
    >>> times = np.arange(100) * 0.02
    >>> H = np.stack([np.where(times >= t, np.exp(t - times), 0) for t in (0.5, 1.0)])
    >>> [(note.pitch, round(note.onset, 2)) for note in na.decode_notes(H, [60, 64], 0.02)]
    [(60.0, 0.5), (64.0, 1.0)]
    """
    if decoding is not None and settings:
        raise ParameterError(
            f"decoding and the setting {next(iter(settings))!r} are both given; set it in decoding"
        )
    decoder = Decoding(**settings) if decoding is None else decoding
    if isinstance(decoder, type) or not callable(decoder):
        raise ParameterError(
            f"decoding is {shown(decoder)}; it must be a function of salience, e.g. "
            "na.transcription.Decoding()"
        )
    values = np.asarray(activations)
    if values.ndim != 2 or len(pitches) != len(values):
        raise ShapeError(
            f"activations have shape {values.shape} and there are {len(pitches)} pitches; need "
            "(component, time), and a pitch or None for each component"
        )
    if np.ndim(times) == 0:
        times = as_number(times, "times", above=0) * np.arange(values.shape[1])
    times = np.asarray(times, np.float64)
    frame_step(values, times)
    rows = [row for row, pitch in enumerate(pitches) if pitch is not None]
    if not rows:
        raise ParameterError("pitches are all None; at least one component must be a note")
    known = [as_number(pitches[row], "a pitch") for row in rows]
    notes = decoder(Salience.from_activations(values[rows], known, times))
    require_notes(notes, type(decoder).__name__)
    return sorted(notes, key=lambda note: (note.onset, note.pitch))
