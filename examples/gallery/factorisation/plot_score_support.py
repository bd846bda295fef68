"""
Zeros stay zero
===============

Multiplicative updates never leave zero. Where the score has no note, the activation is set to zero
at the start, and the templates, which begin as flat spectra, learn from the frames of their own
notes only. One hears the note with the longest activation.
"""

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Audio

import nmfaudio as na

y, sr = na.read(na.example("piano"), stop=5.7)
score = [n for n in na.read_notes(na.example("piano", "score.mid")) if n.onset < 5.6]
stft = na.Stft(sr)
Z = stft.forward(y)
pitches = sorted({note.pitch for note in score})
times = stft.times(Z.shape[2])
support = np.zeros((len(pitches), len(times)), bool)
for note in score:
    active = (times > note.onset - 0.1) & (times < note.offset + 0.3)
    support[pitches.index(note.pitch)] |= active
W = na.Factor(np.ones((Z.shape[1], len(pitches))), unit="l1")
H = na.Factor(support + 0.0, free=support)
d = na.decompose(stft.features(Z), [W, H])
assert not d.H[~support].any()

fig, (above, below) = plt.subplots(
    2, 1, figsize=(8, 5), layout="constrained", sharex=True
)
for ax, values, title in ((above, support, "allowed"), (below, np.sqrt(d.H), "fitted")):
    ax.pcolormesh(times, range(len(pitches)), values, cmap="magma", shading="nearest")
    ax.set(title=title, ylabel="pitch", yticks=range(len(pitches)), yticklabels=pitches)
below.set_xlabel("time [s]")
k = int(support.sum(1).argmax())
mask = d.component(k) / np.maximum(d.model(), 1e-12)
Audio(stft.inverse(mask * Z, y.shape[1]), rate=sr)
