"""
Groups of templates
===================

A piano note has three templates here: its attack, and its early and late sound. A penalty on
groups acts on the three of a note together. One sees the number of active notes over time: the
norm of each group shrinks loud notes as much as quiet ones, and only the logarithm silences some.
"""

import matplotlib.pyplot as plt
import numpy as np

import nmfaudio as na

piano = na.dictionaries.piano_notes()
y, sr = na.read(na.example("piano"), stop=5)
stft = na.Stft(sr, 2 * piano.transform.n_fft)
V = stft.features(stft.forward(y))[: len(piano.templates)]
V /= V.max()

fig, ax = plt.subplots(figsize=(8, 3.5), layout="constrained")
penalties = {"none": (), "norm, 0.3": (na.penalties.GroupSparsity(0.3, piano.pitches),)}
for weight in (0.1, 0.3):
    logarithm = na.penalties.LogGroupSparsity(weight, piano.pitches, eps=0.1)
    penalties[f"logarithm, {weight}"] = (logarithm,)
counts = []
for (name, penalty), style in zip(
    penalties.items(), (":", "-.", "--", "-"), strict=True
):
    H = na.Factor(np.full((264, V.shape[1]), 0.1), penalties=penalty)
    d = na.decompose(V, [na.Factor(piano.templates, free=False), H], max_iter=100)
    notes = d.H.reshape(88, 3, -1).sum(1)
    active = (notes > 0.01 * notes.max()).sum(0)
    counts.append(active.mean())
    ax.plot(stft.times(V.shape[1]), active, style, label=name)
ax.set(xlabel="time [s]", ylabel="active notes")
ax.legend()
print("mean number of active notes:", np.round(counts, 1).tolist())
assert min(counts[:2]) > counts[2] > counts[3]
