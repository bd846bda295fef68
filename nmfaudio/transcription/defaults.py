"""Models and decodings that a `Transcriber` uses for its dictionary by default."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nmfaudio.audio.transforms import Stft
from nmfaudio.dictionaries.parametric_notes import is_synthetic
from nmfaudio.dictionaries.shipped_instruments import instruments

if TYPE_CHECKING:
    from nmfaudio.dictionaries.note_dictionary import NoteDictionary
    from nmfaudio.transcription.contracts import Activations, Decoder

_PIANO = "piano"
_WINDOW = 4096 / 22050  # s
_STRUCK = {"piano", "electric piano", "guitar", "electric guitar"}  # labels whose notes decay


def is_piano(dictionary: NoteDictionary) -> bool:
    """Return whether all notes of a dictionary are of a piano.

    Parameters
    ----------
    dictionary : NoteDictionary

    Returns
    -------
    bool
    """
    return _labels(dictionary) == {_PIANO}


def default_model(dictionary: NoteDictionary) -> Activations:
    """Return the model for a dictionary.

    Parameters
    ----------
    dictionary : NoteDictionary

    Returns
    -------
    NoteModel

    Notes
    -----
    Equaliser and adaptation raise onset F from 0.72 to 0.93 with the templates of another piano.
    Synthetic templates lack the sound between partials, so that both fit it with wrong notes: they
    lower F from 0.70 to 0.63 (seven pieces, three pianos, best threshold of each).
    """
    from nmfaudio.transcription.note_model import NoteModel

    if is_synthetic(dictionary):
        return NoteModel(retune=True, equaliser=None, adaptation=math.inf)
    if is_piano(dictionary):
        # Chosen with the decoding on the same pieces and pianos: onset F rises from 0.917 to 0.922,
        # and falls for none of the pianos.
        return NoteModel(beta_loss=0.75, retune=True, adaptation=0.8)
    return NoteModel(retune=True)


def default_decoding(dictionary: NoteDictionary) -> Decoder:
    """Return the decoding for a dictionary.

    Parameters
    ----------
    dictionary : NoteDictionary

    Returns
    -------
    Decoding

    Notes
    -----
    The networks of `note_starts` know frames of 186 ms. With frames of half that length, onset F
    of three pieces falls from 0.97 to 0.92, and of another piano than the dictionary's from 0.76
    to 0.71, so that starts are found by strength.
    """
    from nmfaudio.transcription.decoding import Decoding

    if is_synthetic(dictionary):
        # Their activations are less sparse; 0.3 was the best of 0.04 to 0.5 on the same pieces.
        return Decoding(threshold=0.3)
    if is_piano(dictionary):
        # Threshold, bass and treble were chosen on six pieces and nine pianos, four of them with
        # reverberation, for starts by strength, which streams use: onset F rose from 0.907 to
        # 0.917, and fell for none of the pianos.
        starts = "piano" if _has_usual_window(dictionary) else "strength"
        return Decoding(
            starts=starts, threshold=0.085, bass=2.0, treble=0.4, ends="piano", calibrated=True
        )
    if _labels(dictionary) <= _STRUCK:
        return Decoding(threshold=0.14, repeat=0.3)
    # The network is of candidates with these settings. It has not learned other instruments.
    selection = (
        "network" if _labels(dictionary) <= {each.name for each in instruments()} else "auto"
    )
    return Decoding(threshold=0.07, repeat=0.3, selection=selection)


def _labels(dictionary: NoteDictionary) -> set[str]:
    return {name.casefold() for name in dictionary.names}


def _has_usual_window(dictionary: NoteDictionary) -> bool:
    """Return whether frames are about as long as those on which `note_starts` was trained."""
    transform = dictionary.transform
    if not isinstance(transform, Stft):
        return False
    return abs(math.log2(transform.n_fft / transform.sr / _WINDOW)) < 0.5
