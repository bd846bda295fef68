"""Ours, in each model."""

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
_STEPS = 2.0 ** (np.arange(-12, 13) / 4)  # of the threshold, as many times as the one there is


def piano(model: Any = None, templates: Mapping[str, Any] | None = None) -> Callable[..., Any]:
    """Transcribers with the dictionary of the instruments, whose templates are made as said."""

    def prepare(instruments: Sequence[Instrument], pieces: Sequence[Piece]) -> Any:
        first, *others = (_dictionary(one, templates or {}) for one in instruments)
        known = first.merge(*others).average()
        transcriber = na.Transcriber(known, model=model or na.transcription.NoteModel())
        decoding: Any = transcriber.decoding
        thresholds = (decoding.threshold * _STEPS).tolist()

        def recognise(piece: Piece) -> Tries:
            salience = transcriber.transcribe(piece.y, SR).salience
            return Tries(thresholds, lambda x: replace(decoding, threshold=x)(salience))

        return recognise

    return prepare


def drums(**settings: Any) -> Callable[..., Any]:
    """A kit learned from the other tracks, thresholds tuned on them."""

    def prepare(instruments: Sequence[Instrument], pieces: Sequence[Piece]) -> Any:
        kit = na.dictionaries.learn_drums(((p.y, SR), [*p.notes, *p.others]) for p in pieces)
        return _tuned(na.DrumTranscriber(kit, **settings), pieces)

    return prepare


def shipped_drums(instruments: Sequence[Instrument], pieces: Sequence[Piece]) -> Any:
    """The kit that ships with the package."""
    return _tuned(na.DrumTranscriber(), pieces)


def _tuned(transcriber: na.DrumTranscriber, pieces: Sequence[Piece]) -> Any:
    tuned = transcriber.tune(((p.y, SR), p.notes) for p in pieces).transcriber
    return lambda piece: Tries(["tuned"], lambda _: tuned.transcribe(piece.y, SR).notes)


def _dictionary(instrument: Instrument, made: Mapping[str, Any]) -> na.NoteDictionary:
    if instrument.is_font:
        known = na.dictionaries.learn_notes_from_soundfont(
            instrument.path, program=instrument.program, instrument="piano", transform=STFT, **made
        )
    else:
        known = na.dictionaries.learn_notes(instrument.path, transform=STFT, resample=True, **made)
    return known.fill()


PIANO = {
    "nmfaudio": piano(),
    "nmfaudio, templates fixed": piano(
        na.transcription.NoteModel(equaliser=None, adaptation=math.inf)
    ),
    "nmfaudio, equalised only": piano(na.transcription.NoteModel(adaptation=math.inf)),
    "nmfaudio, β = ½": piano(na.transcription.NoteModel(beta=0.5)),
    "nmfaudio, groups": piano(na.transcription.NoteModel(group_sparsity=0.3)),
    "nmfaudio, 5 free": piano(na.transcription.NoteModel(n_free=5)),
    "nmfaudio, one template": piano(templates={"stages": {}}),
    "nmfaudio, 8 frames": piano(templates={"lags": 8}),
    "nmfaudio, attack/decay": piano(AttackDecayModel()),
}
DRUMS = {
    "nmfaudio": drums(),
    "nmfaudio, fixed templates": drums(prior_weight=math.inf),
    "nmfaudio, shipped kit": shipped_drums,
}
