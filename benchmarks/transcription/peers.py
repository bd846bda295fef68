"""Reference transcribers: scikit-learn's NMF with fixed templates, and basic-pitch."""

from __future__ import annotations

import importlib.util
import logging
import tempfile
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import soundfile
from sklearn.decomposition import non_negative_factorization

import nmfaudio as na
from benchmarks.transcription.cases import DRUM_PITCHES, Piece
from benchmarks.transcription.picking import THRESHOLDS, hits
from benchmarks.transcription.sound import KEYS, SR, Instrument
from benchmarks.transcription.tries import Tries
from nmfaudio.symbolic.note import Note

N_FFT, HOP = 4096, 512
_STAGES = ((0.0, 0.03), (0.03, 0.15), (0.15, 2.0))  # attack, early and late, in s after the onset
_ITERATIONS = 100
# Thresholds, and minimum note lengths in frames of 11.6 ms.
_NETWORK_SETTINGS = tuple(product((0.2, 0.3, 0.4, 0.5, 0.6, 0.7), (5, 11)))
_DRUM_FFT, _DRUM_FRAMES = 2048, 8  # samples; frames of a hit
_MIN_DISTANCE = 0.08  # s between an isolated hit and any other


def sklearn_piano(instruments: Sequence[Instrument], pieces: Sequence[Piece]) -> Any:
    """KL-NMF with three fixed templates per note (attack, early, late), decoded as in `ours`."""
    templates, pitches = _templates(instruments)

    def recognise(piece: Piece) -> Tries:
        H = _activations(_magnitudes(piece.y, N_FFT), templates)
        times = np.arange(H.shape[1]) * HOP / SR
        salience = na.transcription.Salience.from_activations(H, pitches, times)
        return Tries(THRESHOLDS, lambda x: na.transcription.Decoding(threshold=x)(salience))

    return recognise


def sklearn_drums(instruments: Sequence[Instrument], pieces: Sequence[Piece]) -> Any:
    """KL-NMF with one fixed template per drum and track, the mean of its isolated hits."""
    templates = [(part, template) for piece in pieces for part, template in _drum_templates(piece)]
    parts = np.array([part for part, _ in templates])

    def recognise(piece: Piece) -> Tries:
        H = _activations(
            _magnitudes(piece.y, _DRUM_FFT), np.stack([t for _, t in templates], axis=1)
        )
        salience = np.array([H[parts == part].sum(axis=0) for part in DRUM_PITCHES])
        times = np.arange(H.shape[1]) * HOP / SR
        return Tries(THRESHOLDS, lambda x: hits(salience, list(DRUM_PITCHES.values()), times, x))

    return recognise


def basic_pitch(instruments: Sequence[Instrument], pieces: Sequence[Piece]) -> Any:
    """Network of Bittner et al. (2022), doi:10.1109/ICASSP43922.2022.9746549, as ONNX."""
    level = logging.getLogger().level
    logging.getLogger().setLevel(
        logging.ERROR
    )  # hide warnings about runtimes that are not installed
    from basic_pitch import ICASSP_2022_MODEL_PATH
    from basic_pitch.inference import Model, run_inference
    from basic_pitch.note_creation import model_output_to_notes

    logging.getLogger().setLevel(level)
    model = Model(ICASSP_2022_MODEL_PATH)

    def recognise(piece: Piece) -> Tries:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "piece.wav")
            soundfile.write(path, piece.y, SR, subtype="FLOAT")
            output = run_inference(path, model)

        def notes(setting: tuple[float, int]) -> list[Note]:
            threshold, min_length = setting
            _, events = model_output_to_notes(
                output, threshold, 0.3, min_note_len=min_length, include_pitch_bends=False
            )
            return [
                Note(float(on), float(off), int(pitch), min(1.0, float(level)))
                for on, off, pitch, level, _ in events
            ]

        return Tries(_NETWORK_SETTINGS, notes)

    return recognise


def has_basic_pitch() -> bool:
    """Return True if basic-pitch is installed with what it needs for ONNX."""
    needed = ("basic_pitch", "onnxruntime", "pretty_midi", "resampy")
    return all(importlib.util.find_spec(name) for name in needed)


def _templates(instruments: Sequence[Instrument]) -> tuple[np.ndarray, np.ndarray]:
    """Templates [shape=(freq, component)] that each sum to one, and their pitches."""
    spectra, pitches = [], []
    for instrument in instruments:
        isolated = instrument.notes()
        for key in KEYS:
            # Keys without a recording get the spectra of the nearest key, shifted in frequency.
            nearest = min(isolated, key=lambda known: abs(known - key))
            Z = _magnitudes(isolated[nearest], N_FFT)
            for stage in _STAGES:
                first, last = (round(t * SR / HOP) for t in stage)
                mean = Z[:, first : max(last, first + 1)].mean(axis=1)
                spectra.append(_stretched(mean, 2 ** ((key - nearest) / 12)))
                pitches.append(key)
    W = np.stack(spectra, axis=1)
    return W / W.sum(axis=0), np.array(pitches)


def _stretched(spectrum: np.ndarray, factor: float) -> np.ndarray:
    """Spectrum with all frequencies multiplied by `factor`."""
    bins = np.arange(len(spectrum))
    return np.interp(bins / factor, bins, spectrum, right=0.0).astype(spectrum.dtype)


def _drum_templates(piece: Piece) -> Iterator[tuple[str, np.ndarray]]:
    """Yield each drum that has isolated hits, and its template."""
    Z = _magnitudes(piece.y, _DRUM_FFT)
    onsets = np.array([n.onset for n in (*piece.notes, *piece.unscored)])
    for part, key in DRUM_PITCHES.items():
        alone = [
            n.onset
            for n in piece.notes
            if n.pitch == key and np.count_nonzero(np.abs(onsets - n.onset) < _MIN_DISTANCE) == 1
        ]
        frames = [round(t * SR / HOP) + i for t in alone for i in range(_DRUM_FRAMES)]
        frames = [t for t in frames if t < Z.shape[1]]
        if frames:
            mean = Z[:, frames].mean(axis=1)
            yield part, mean / mean.sum()


def _activations(V: np.ndarray, W: np.ndarray) -> np.ndarray:
    """Activations H of V ≈ W H with W fixed [shape=(component, time)]."""
    H, *_ = non_negative_factorization(
        np.ascontiguousarray(V.T),
        H=np.ascontiguousarray(W.T),
        n_components=W.shape[1],
        update_H=False,
        init="custom",
        solver="mu",
        beta_loss="kullback-leibler",
        max_iter=_ITERATIONS,
        tol=0,
    )
    return H.T


def _magnitudes(y: np.ndarray, n_fft: int) -> np.ndarray:
    """Magnitude spectrogram [shape=(freq, time)] in float32."""
    return np.abs(librosa.stft(y.astype(np.float32), n_fft=n_fft, hop_length=HOP))
