"""
Fixed templates
===============

Each template is learned from an isolated note and then fixed, so that only the activations are
fitted and H is a piano roll. White lines are the notes of the score. One hears the notes above
middle C, masked out of the recording.
"""

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Audio

import nmfaudio as na

y, sr = na.read(na.example("piano"), stop=5.7)
stft = na.Stft(sr)
Z = stft.forward(y)
pitches = [41, 46, 48, 53, 57, 60, 64, 65, 69, 72, 77]
W = np.empty((Z.shape[1], 11), np.float32)
for k, pitch in enumerate(pitches):
    note = na.read(na.example("piano", f"notes/{pitch}.flac"))
    W[:, [k]] = na.nmf(stft.features(stft.forward(note.samples)), 1, rng=0).W
W /= W.sum(0)
d = na.nmf(stft.features(Z), W=W, update_W=False, rng=0)
assert (d.W == W).all()

fig, ax = plt.subplots(figsize=(8, 4), layout="constrained")
ax.pcolormesh(
    stft.times(Z.shape[2]), range(11), np.sqrt(d.H), cmap="magma", shading="nearest"
)
for note in na.read_notes(na.example("piano", "score.mid")):
    if note.offset < 5.7:
        ax.plot(
            (note.onset, note.offset), 2 * [pitches.index(note.pitch)], "w", linewidth=1
        )
ax.set(
    xlabel="time [s]",
    ylabel="pitch [MIDI number]",
    yticks=range(11),
    yticklabels=pitches,
)
high = d.part(np.flatnonzero(np.array(pitches) > 60)) / np.maximum(d.model(), 1e-12)
Audio(stft.inverse(high * Z, y.shape[1]), rate=sr)
