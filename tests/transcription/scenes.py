"""Transcriptions made by hand: tones whose notes and templates are known."""

import numpy as np

import nmfaudio as na

SR = 8000
STFT = na.Stft(SR, 512)
NOTES = (
    na.Note(0.1, 0.5, 60, 0.5, "low"),
    na.Note(0.3, 0.9, 72, 1.0, "high"),
    na.Note(0.6, 1.0, 60, 0.01, "low"),
)


def tone(pitch, seconds=1.2, sr=SR):
    t = np.arange(round(seconds * sr)) / sr
    return np.sin(2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * t)


def played(notes, seconds=1.2, sr=SR):
    """Each note's sound [shape=(note, sample)]: tones that fade in and out."""
    t = np.arange(round(seconds * sr)) / sr
    gates = [np.clip(np.minimum(t - n.onset, n.offset - t) / 0.02, 0, 1) for n in notes]
    return np.array([g * tone(n.pitch, seconds, sr) for g, n in zip(gates, notes, strict=True)])


def transcription(
    notes=NOTES, *, y=None, sr=SR, transform=STFT, structure=None, pitches=(60.0, 72.0, None)
):
    """A transcription whose model knows the tones, and has one free component."""
    rng = np.random.default_rng(0)
    if y is None:
        y = played(notes, sr=sr).sum(axis=0) / 3 + 0.01 * rng.standard_normal(round(1.2 * sr))
    y = np.atleast_2d(y).astype(np.float32)
    frames = transform.n_frames(round(y.shape[1] * transform.sr / sr))
    spectra = [transform.features(transform.forward(tone(p))).mean(axis=1) for p in (60, 72)]
    W = np.array([*spectra, np.full(len(spectra[0]), 0.05)], np.float32).T
    H = rng.uniform(0.1, 1, (3, frames)).astype(np.float32)
    if isinstance(structure, na.structures.Convolutive):
        W = np.stack([W, 0.5 * W, 0.2 * W])
    d = na.Decomposition(
        (W, H),
        np.ones(1),
        np.zeros(1, int),
        False,
        structure or na.structures.Product(),
        na.Beta(1),
    )
    salience = na.transcription.Salience(H[:2], np.array([60.0, 72.0]), transform.times(frames))
    return na.Transcription(tuple(notes), salience, y, sr, d, transform, pitches)
