"""
A gap filled in
===============

Four blocks of a drum groove are hidden: their weight is zero, so they do not enter the objective.
Since the same hits recur, templates learned elsewhere explain the hidden bins by the visible bins
above and below them. One sees the data, the model, and the truth.
"""

import matplotlib.pyplot as plt
import numpy as np

import nmfaudio as na

y, sr = na.read(na.example("drums"), stop=3)
stft = na.Stft(sr, 2048)
V = stft.features(stft.forward(y))[:400]
hidden = np.zeros(V.shape, bool)
for first in range(20, V.shape[1], 60):
    hidden[100:300, first : first + 30] = True
d = na.nmf(V, 12, weights=~hidden, rng=0)

model, mean = d.model(), np.broadcast_to(V.mean(1, keepdims=True), V.shape)
error, baseline = (abs(V - X)[hidden].sum() / V[hidden].sum() for X in (model, mean))
print(f"error in the hidden bins: {error:.0%}, of the average frame {baseline:.0%}")
assert error < 0.6 * baseline

fig, panels = plt.subplots(1, 3, figsize=(9, 3.2), layout="constrained", sharey=True)
pictures = {"data": np.where(hidden, np.nan, V), "model": model, "truth": V}
for ax, (title, X) in zip(panels, pictures.items(), strict=True):
    decibels = 20 * np.log10(np.maximum(X, 1e-2))
    ax.imshow(decibels, origin="lower", aspect="auto", cmap="magma", vmin=-40, vmax=40)
    ax.set(title=title, xlabel="frame")
panels[0].set_ylabel("frequency bin")
