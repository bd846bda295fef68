"""
Fewer rows with auditory bands
==============================

Sixty-four bands on the frequency scale of the ear replace two thousand bins: the factorisation has
a thirtieth of the data. Masks on the bands are lifted to the bins, still sum to one, and invert
exactly. One sees the templates of three components in both, and hears one from the bands.
"""

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Audio

import nmfaudio as na

y, sr = na.read(na.example("drums"), stop=3)
erb, stft = na.Erb(sr, n_bands=64), na.Stft(sr)
Z = erb.forward(y)
V = erb.features(Z)
d, full = (
    na.nmf(X, 3, init="nndsvdar", rng=0) for X in (V, stft.features(stft.forward(y)))
)
masks = na.soft_masks([d.component(k) for k in range(3)])
sounds = [erb.inverse(erb.lift(mask) * Z, y.shape[1]) for mask in masks]
print(f"{V.shape[0]} rows instead of {full.W.shape[0]}")
assert np.allclose(sum(sounds), y, atol=1e-5)

fig, panels = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained", sharey=True)
for ax, transform, W in ((panels[0], erb, d.W), (panels[1], stft, full.W)):
    order = np.argsort(transform.frequencies @ W / W.sum(0))  # the same in both
    for k, style in zip(order, ("-", "--", ":"), strict=True):
        ax.loglog(transform.frequencies, W[:, k] / W[:, k].max() + 1e-3, style)
    ax.set(xlabel="frequency [Hz]", xlim=(40, 16000), title=f"{len(W)} rows")
panels[0].set_ylabel("template")
Audio(sounds[0], rate=sr)
