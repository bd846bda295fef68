"""Checks of the results of models and decoders of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nmfaudio._common.validation import shown
from nmfaudio.errors import ParameterError, ShapeError
from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.symbolic.note import Note


def require_decomposition(fitted: Any, V: np.ndarray, label: str) -> None:
    """Raise an error unless a model returned a decomposition of `V`.

    Parameters
    ----------
    fitted : object
        Result of the model.
    V : np.ndarray [shape=(freq, time)]
        Spectrogram that it was given.
    label : str
        Class and method, for messages.

    Raises
    ------
    ParameterError
        It is no `Decomposition`.
    ShapeError
        Its model has another shape than `V`.
    """
    if not isinstance(fitted, Decomposition):
        raise ParameterError(f"{label} returned {shown(fitted)}; it must return a Decomposition")
    shape = fitted.structure.shape(fitted.factors)
    if shape != V.shape:
        raise ShapeError(
            f"{label} returned a decomposition of shape {shape}; it must be that of V, {V.shape}"
        )


def require_notes(notes: Any, label: str) -> None:
    """Raise a `ParameterError` unless a decoder returned a sequence of notes.

    Parameters
    ----------
    notes : object
        Result of the decoder.
    label : str
        Class or function, for messages.
    """
    if not isinstance(notes, Sequence):
        raise ParameterError(f"decoding {label} returned {shown(notes)}; it must return notes")
    wrong = next((note for note in notes if not isinstance(note, Note)), None)
    if wrong is not None:
        raise ParameterError(
            f"decoding {label} returned {shown(wrong)} among the notes; each must be a Note"
        )
