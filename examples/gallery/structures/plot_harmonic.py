"""
Templates with a fixed pitch
============================

Templates are sums of fixed atoms, bands of neighbouring partials of one pitch each. Only the
weights of the bands are learned, so a component keeps its pitch while it finds the timbre. One
sees which pitches of three octaves are active in the first notes of a piano piece.
"""

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Audio

import nmfaudio as na

y, sr = na.read(na.example("piano"), stop=4.5)
stft = na.Stft(sr)
V = stft.features(stft.forward(y))[:600]
pitches = np.arange(41, 78)
atoms = na.structures.harmonic_atoms(stft.frequencies[:600], pitches)
factors = [
    na.Factor(atoms, free=False),
    na.Factor(np.ones(atoms.shape[1:])),
    na.Factor(np.full((len(pitches), V.shape[1]), V.mean())),
]
d = na.decompose(V, factors, structure=na.structures.Harmonic(), max_iter=200)
levels = d.W.sum(0)[:, None] * d.H
strongest = sorted(pitches[np.argsort(levels.sum(1))[-4:]].tolist())
score = {
    note.pitch
    for note in na.read_notes(na.example("piano", "score.mid"))
    if note.onset < 4.5
}
print("strongest pitches:", strongest, "score:", sorted(score))
assert set(strongest) <= score

fig, ax = plt.subplots(figsize=(8, 4), layout="constrained")
times = stft.times(V.shape[1])
ax.pcolormesh(times, pitches, np.sqrt(levels), cmap="magma", shading="nearest")
ax.set(xlabel="time [s]", ylabel="pitch [MIDI number]")
Audio(y, rate=sr)
