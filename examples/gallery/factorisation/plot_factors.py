"""
A spectrogram as a product of two matrices
==========================================

The spectrogram of a piano is approximated by eleven templates, the columns of W, times their
activations, the rows of H. The model knows nothing of notes, yet most templates become spectra of
single notes, since notes recur. They are named by the closest isolated note, and one hears the
strongest.
"""

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Audio

import nmfaudio as na

y, sr = na.read(na.example("piano"), stop=5.7)
stft = na.Stft(sr)
Z = stft.forward(y)
V = stft.features(Z)
d = na.nmf(V, 11, rng=0)

pitches, cosines = (41, 46, 48, 53, 57, 60, 64, 65, 69, 72, 77), []
for pitch in pitches:
    note = na.read(na.example("piano", f"notes/{pitch}.flac")).samples
    w = na.nmf(stft.features(stft.forward(note)), 1, rng=0).W[:, 0]
    cosines.append(w @ d.W / np.linalg.norm(w) / np.linalg.norm(d.W, axis=0))
closest, similar = np.argmax(cosines, axis=0), np.max(cosines, axis=0) > 0.7
print(f"{similar.sum()} of 11 templates have a cosine similarity above 0.7 to a note")
assert similar.sum() >= 8

names = [
    str(pitches[n]) if clear else "?" for n, clear in zip(closest, similar, strict=True)
]
fig = plt.figure(figsize=(9, 6.5), layout="constrained")
na.plot_factors(d, V, transform=stft, names=names, top_hz=3000, fig=fig)
mask = d.component(int(np.argmax(d.W.sum(0) * d.H.sum(1)))) / np.maximum(
    d.model(), 1e-12
)
Audio(stft.inverse(mask * Z, y.shape[1]), rate=sr)
