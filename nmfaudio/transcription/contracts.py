"""Protocols of models and decoders, and checks of their results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from nmfaudio._common.validation import shown
from nmfaudio.errors import ParameterError, ShapeError
from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.symbolic.note import Note
from nmfaudio.transcription.salience import Salience

if TYPE_CHECKING:
    from nmfaudio.dictionaries.note_dictionary import NoteDictionary
    from nmfaudio.factorisation.engine import Callback


class Activations(Protocol):
    """Model of a recording as a sum of notes, such as `NoteModel`.

    A class of one's own needs these two methods to be the `model` of a `Transcriber`. As a frozen
    dataclass, its fields are recorded with each transcription.
    """

    def activations(
        self,
        V: np.ndarray,
        dictionary: NoteDictionary,
        *,
        rng: int | np.random.Generator | None,
        callback: Callback | None,
    ) -> Decomposition:
        """Decompose a spectrogram into notes.

        Parameters
        ----------
        V : np.ndarray [shape=(freq, time)]
            Features of the dictionary's transform, ≥ 0.
        dictionary : NoteDictionary
            Templates of the notes.
        rng : int, np.random.Generator or None
            Seed of random initial values; the same seed gives the same bytes.
        callback : callable or None
            Called with a `Progress` now and then; returning True stops.

        Returns
        -------
        Decomposition
            Components in the order of `pitches`, followed by any number of unknown ones.
        """

    def pitches(self, dictionary: NoteDictionary) -> Sequence[float]:
        """Return the pitch of each known component of `activations`.

        Parameters
        ----------
        dictionary : NoteDictionary
            Templates of the notes.

        Returns
        -------
        sequence of float
            MIDI numbers, in the order of the components.
        """


class Decoder(Protocol):
    """Conversion of salience to notes, such as `Decoding`.

    Any function will do as the `decoding` of a `Transcriber`. As a frozen dataclass, its fields are
    recorded with each transcription, and `Transcriber.tune` can choose them.
    """

    def __call__(self, salience: Salience) -> Sequence[Note]:
        """Return the notes.

        Parameters
        ----------
        salience : Salience
            Strength of each pitch in each frame.

        Returns
        -------
        sequence of Note
            Notes in any order.
        """


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
