"""A plain model and a plain decoding, so that what lies around them is tested by itself."""

from dataclasses import dataclass

import numpy as np
from transcription.scenes import SR, STFT, played, tone

import nmfaudio as na
from nmfaudio.errors import NumericalError


@dataclass(frozen=True)
class PlainModel:
    """A fixed dictionary and one free component."""

    max_iter: int = 30
    broken: bool = False
    beta_loss: float = 1.0
    adaptation: float = 1.0
    retune: bool = False

    def pitches(self, dictionary):
        return dictionary.pitches

    def activations(self, V, dictionary, *, rng, callback):
        if self.broken:
            raise NumericalError("iteration 3 left the finite numbers; lower the step")
        known = dictionary.templates.astype(V.dtype)
        W = np.concatenate([known, np.full((len(V), 1), 1 / len(V), V.dtype)], axis=1)
        free = np.arange(W.shape[1]) == W.shape[1] - 1
        return na.nmf(V, W=W, update_W=free, max_iter=self.max_iter, rng=rng, callback=callback)


@dataclass(frozen=True)
class PlainDecoding:
    """A note is a stretch in which a pitch is above a share of what is loudest."""

    threshold: float = 0.3
    lowest: float = 0.0
    highest: float = 127.0
    shortest: float = 0.0
    starts: str = "strength"
    ends: str = "activity"
    calibrated: bool = False
    repeat: float = 0.0
    monophonic: bool = False
    bass: float = 0.0
    treble: float = 0.0
    selection: str = "threshold"

    def __call__(self, salience):
        return [
            note
            for note in self.runs(salience)
            if self.lowest <= note.pitch <= self.highest
            and note.offset - note.onset >= self.shortest
        ]

    def runs(self, salience):
        notes = []
        level = self.threshold * float(salience.values.max())
        for pitch, row in zip(salience.pitches, salience.values, strict=True):
            above = np.concatenate([[0], (row > level).astype(int), [0]])
            starts, ends = (np.flatnonzero(np.diff(above) == way) for way in (1, -1))
            for start, end in zip(starts, ends, strict=True):
                times = salience.times[[start, end - 1]].tolist()
                notes.append(na.Note(*times, float(pitch), float(row[start:end].max() > 0)))
        return notes


def dictionary(pitches=(60, 64, 67, 72)):
    spectra = [STFT.features(STFT.forward(tone(p))).mean(axis=1) for p in pitches]
    templates = np.array([s / s.sum() for s in spectra]).T
    return na.NoteDictionary(templates, ["tone"] * len(pitches), STFT, pitches)


def transcriber(**settings):
    return na.Transcriber(
        dictionary(), **{"model": PlainModel(), "decoding": PlainDecoding()} | settings
    )


SCORE = (na.Note(0.1, 0.5, 60), na.Note(0.3, 0.9, 72), na.Note(0.7, 1.0, 64))


def piece(sr=SR):
    return (played(SCORE, sr=sr).sum(axis=0) / 3).astype(np.float32)
