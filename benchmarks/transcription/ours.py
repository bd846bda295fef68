"""Transcribers of this package with each model."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

import nmfaudio as na
from benchmarks.transcription.cases import Piece
from benchmarks.transcription.sound import SR, Instrument
from benchmarks.transcription.tries import Tries
from nmfaudio.transcription.attack_decay import AttackDecayModel

STFT = na.Stft(22050, 4096, 512)
_STEPS = 2.0 ** (np.arange(-12, 13) / 4)  # factors of the default threshold


def piano(model: Any = None, templates: Mapping[str, Any] | None = None) -> Callable[..., Any]:
    """Transcriber with the averaged dictionary of the instruments; `templates`: how to learn it."""

    def prepare(instruments: Sequence[Instrument], pieces: Sequence[Piece]) -> Any:
        first, *further = (learned(instrument, templates or {}) for instrument in instruments)
        known = first.merge(*further).average()
        transcriber = na.Transcriber(known, model=model or na.transcription.NoteModel())
        decoding: Any = transcriber.decoding
        thresholds = (decoding.threshold * _STEPS).tolist()

        def recognise(piece: Piece) -> Tries:
            salience = transcriber.transcribe(piece.y, SR).salience
            return Tries(thresholds, lambda x: replace(decoding, threshold=x)(salience))

        return recognise

    return prepare


def bundled_piano(instruments: Sequence[Instrument], pieces: Sequence[Piece]) -> Any:
    """Transcriber as shipped: the bundled piano with default settings, and no threshold to tune."""
    transcriber = na.Transcriber()

    def recognise(piece: Piece) -> Tries:
        notes = transcriber.transcribe(piece.y, SR).notes
        return Tries(["as shipped"], lambda _: notes)

    return recognise


def drums(**settings: Any) -> Callable[..., Any]:
    """Drum transcriber with a kit learned from, and thresholds tuned on, the other tracks."""

    def prepare(instruments: Sequence[Instrument], pieces: Sequence[Piece]) -> Any:
        kit = na.dictionaries.learn_drums(((p.y, SR), [*p.notes, *p.unscored]) for p in pieces)
        return _tuned(na.DrumTranscriber(kit, **settings), pieces)

    return prepare


def bundled_drums(instruments: Sequence[Instrument], pieces: Sequence[Piece]) -> Any:
    """Drum transcriber with the bundled kit and thresholds tuned on the other tracks."""
    return _tuned(na.DrumTranscriber(), pieces)


def _tuned(transcriber: na.DrumTranscriber, pieces: Sequence[Piece]) -> Any:
    """Tune the thresholds of a transcriber on the pieces."""
    tuned = transcriber.tune(((p.y, SR), p.notes) for p in pieces).transcriber
    return lambda piece: Tries(["tuned"], lambda _: tuned.transcribe(piece.y, SR).notes)


def learned(instrument: Instrument, settings: Mapping[str, Any]) -> na.NoteDictionary:
    """Dictionary of isolated notes, with gaps between pitches filled."""
    if instrument.is_font:
        known = na.dictionaries.learn_notes_from_soundfont(
            instrument.path,
            program=instrument.program,
            instrument="piano",
            transform=STFT,
            **settings,
        )
    else:
        known = na.dictionaries.learn_notes(
            instrument.path, transform=STFT, resample=True, **settings
        )
    return known.fill()


PIANO = {
    "nmfaudio, as shipped": bundled_piano,
    "nmfaudio": piano(),
    "nmfaudio, templates fixed": piano(
        na.transcription.NoteModel(equaliser=None, adaptation=math.inf)
    ),
    "nmfaudio, equaliser only": piano(na.transcription.NoteModel(adaptation=math.inf)),
    "nmfaudio, β = ½": piano(na.transcription.NoteModel(beta_loss=0.5)),
    "nmfaudio, group sparsity": piano(na.transcription.NoteModel(group_sparsity=0.3)),
    "nmfaudio, 5 free templates": piano(na.transcription.NoteModel(n_free=5)),
    "nmfaudio, one template per note": piano(templates={"stages": {}}),
    "nmfaudio, convolutive, 8 frames": piano(templates={"lags": 8}),
    "nmfaudio, attack/decay": piano(AttackDecayModel()),
}
DRUMS = {
    "nmfaudio": drums(),
    "nmfaudio, templates fixed": drums(prior_weight=math.inf),
    "nmfaudio, bundled kit": bundled_drums,
}
