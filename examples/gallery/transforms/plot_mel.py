"""
Mel bands
=========

Mel bands, the usual features of speech, do for factorisation, too: forty rows replace a thousand.
Masks on the bands are lifted to the bins, where they still sum to one. One sees the factors, and
hears the component with the lowest template.
"""

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Audio

import nmfaudio as na

y, sr = na.read(na.example("band"), stop=4)
mel = na.Mel(sr, n_mels=40, n_fft=2048)
Z = mel.forward(y)
V = mel.features(Z)
d = na.nmf(V, 4, init="nndsvdar", rng=0)
masks = na.soft_masks([d.component(k) for k in range(4)])
sounds = [mel.inverse(mel.lift(mask) * Z, y.shape[1]) for mask in masks]
print(f"{len(V)} rows instead of {Z.shape[1]}")
assert np.allclose(sum(sounds), y, atol=1e-5)

fig = plt.figure(figsize=(9, 4.5), layout="constrained")
na.plot_factors(d, V, transform=mel, fig=fig)
lowest = int(np.argmin(mel.frequencies @ d.W / d.W.sum(0)))
Audio(sounds[lowest], rate=sr)
