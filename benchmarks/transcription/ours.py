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
from nmfaudio.transcription.attack_decay import AttackDecayModel

_STEPS = 2.0 ** (np.arange(-12, 13) / 4)  # of the threshold, as many times as the one there is


def piano(**settings: Any) -> Callable[..., Any]:
    """Transcribers with the dictionary of the instruments."""

    def prepare(instruments: Sequence[Instrument], pieces: Sequence[Piece]) -> Any:
        first, *others = map(_dictionary, instruments)
        transcriber = na.Transcriber(first.merge(*others), **settings)
        decoding: Any = transcriber.decoding
        thresholds = (decoding.threshold * _STEPS).tolist()

        def recognise(piece: Piece) -> Mapping[float, list[na.Note]]:
            salience = transcriber.transcribe(piece.y, SR).salience
            return {x: list(replace(decoding, threshold=x)(salience)) for x in thresholds}

        return recognise

    return prepare


def drums(**settings: Any) -> Callable[..., Any]:
    """A kit learned from the other tracks, thresholds tuned on them."""

    def prepare(instruments: Sequence[Instrument], pieces: Sequence[Piece]) -> Any:
        kit = na.learn_drums(((p.y, SR), [*p.notes, *p.others]) for p in pieces)
        return _tuned(na.DrumTranscriber(kit, **settings), pieces)

    return prepare


def shipped_drums(instruments: Sequence[Instrument], pieces: Sequence[Piece]) -> Any:
    """The kit that ships with the package."""
    return _tuned(na.DrumTranscriber(), pieces)


def _tuned(transcriber: na.DrumTranscriber, pieces: Sequence[Piece]) -> Any:
    tuned = transcriber.tune(((p.y, SR), p.notes) for p in pieces).transcriber
    return lambda piece: {"tuned": list(tuned.transcribe(piece.y, SR).notes)}


def _dictionary(instrument: Instrument) -> na.NoteDictionary:
    if instrument.is_font:
        known = na.NoteDictionary.from_soundfont(instrument.path, program=instrument.program, sr=SR)
    else:
        known = na.NoteDictionary.from_folder(instrument.path)
    return known.fill()


PIANO = {"nmfaudio": piano(), "nmfaudio, attack/decay": piano(model=AttackDecayModel())}
DRUMS = {
    "nmfaudio": drums(),
    "nmfaudio, fixed templates": drums(pull=math.inf),
    "nmfaudio, shipped kit": shipped_drums,
}
