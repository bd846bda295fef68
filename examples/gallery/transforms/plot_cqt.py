"""
A constant-Q transform
======================

Bins of a constant-Q transform are semitones apart, so that every note has the same shape, only
higher or lower: a transposition is a shift. One sees and hears six notes of a piano, whose
partials have the same distances in all of them.
"""

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Audio

import nmfaudio as na

pitches = (53, 57, 60, 65, 69, 72)
notes = [na.read(na.example("piano", f"notes/{p}.flac"), stop=0.6) for p in pitches]
sr, y = notes[0].sr, np.concatenate([note.samples[0] for note in notes])
cqt = na.Cqt(sr, fmin=110, n_bins=60)
Z = cqt.forward(y[None])
V = cqt.features(Z)
frames = np.round((np.arange(6) + 0.4) * 0.6 * sr / cqt.hop).astype(int)
found = [int(np.argmax(V[:36, frame])) + 45 for frame in frames]
print("strongest bins:", found)
assert found == list(pitches)

fig, ax = plt.subplots(figsize=(8, 4), layout="constrained")
decibels = 20 * np.log10(V / V.max() + 1e-3)
ax.pcolormesh(
    cqt.times(V.shape[1]), 45 + np.arange(60), decibels, cmap="magma", shading="nearest"
)
ax.set(xlabel="time [s]", ylabel="pitch [MIDI number]")
Audio(y, rate=sr)
