"""
One activation per note
=======================

A piano note is struck once and then rings. Plain activations follow its decay; in the attack/decay
model a fixed envelope does, and the activation is nearly a spike at each onset. One hears four
strokes of one key, the second of them soft.
"""

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Audio

import nmfaudio as na

note = na.read(na.example("piano", "notes/60.flac"), stop=1.5)
sr, onsets, gains = note.sr, (0.3, 1.0, 1.4, 2.2), (1.0, 0.4, 0.8, 1.0)
y = np.zeros(3 * sr)
for onset, gain in zip(onsets, gains, strict=True):
    first = int(onset * sr)
    y[first:] += gain * np.pad(note.samples[0], (0, 3 * sr))[: len(y) - first]
stft = na.Stft(sr, 2048)
V = stft.features(stft.forward(y))
plain = na.nmf(V, 1, rng=0)
E = na.structures.attack_decay_envelopes([0.02], lags=100, attack=2)
W = np.stack([plain.W, plain.W])
factors = [na.Factor(W, unit="l1"), na.Factor(E, free=False), na.Factor(plain.H)]
structure = na.structures.AttackDecay()
d = na.decompose(V, factors, structure=structure, max_iter=200, tol=0)

times = stft.times(V.shape[1])
fig, ax = plt.subplots(figsize=(8, 3.5), layout="constrained")
ax.plot(times, plain.H[0] / plain.H.max(), "--", label="plain NMF")
ax.plot(times, d.H[0] / d.H.max(), label="attack/decay")
ax.set(xlabel="time [s]", ylabel="activation")
ax.legend()
frames = [int((h > 0.1 * h.max()).sum()) for h in (plain.H[0], d.H[0])]
print("active frames:", frames)
assert frames[1] < frames[0] / 5
Audio(y, rate=sr)
