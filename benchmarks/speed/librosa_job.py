"""Separation of a file with librosa and scikit-learn.

``python -m benchmarks.speed.librosa_job FILE FOLDER`` is a typical script: 32 components of the
mean magnitude, 200 multiplicative updates for KL, soft masks of four sources of eight components
each, all written as float WAV.
"""

from __future__ import annotations

import sys
from pathlib import Path

import librosa
import numpy as np
import soundfile
from sklearn.decomposition import NMF

N_FFT, HOP = 2048, 512
SOURCES, COMPONENTS = 4, 32


def main() -> None:
    recording, folder = Path(sys.argv[1]), Path(sys.argv[2])
    y, sr = librosa.load(recording, sr=None, mono=False)
    D = librosa.stft(y, n_fft=N_FFT, hop_length=HOP)
    V = np.abs(D).mean(0)
    model = NMF(
        COMPONENTS,
        solver="mu",
        beta_loss="kullback-leibler",
        init="nndsvdar",
        max_iter=200,
        tol=0,
        random_state=0,
    )
    W = model.fit_transform(V)
    H = model.components_
    total = W @ H
    for i, group in enumerate(np.split(np.arange(COMPONENTS), SOURCES)):
        part = W[:, group] @ H[group]
        mask = librosa.util.softmask(part, total - part, power=2)
        stem = librosa.istft(mask * D, n_fft=N_FFT, hop_length=HOP, length=y.shape[-1])
        soundfile.write(folder / f"{i}.wav", stem.T, sr, subtype="FLOAT")


if __name__ == "__main__":
    main()
