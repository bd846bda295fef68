"""
Drum hits as short spectrograms
===============================

In NMF deconvolution (NMFD) a template has several frames, so that one component is a whole hit:
its attack, and the order in which its partials decay. One sees the three templates of a groove in
milliseconds and Hz, and hears the first of them wherever it is active.
"""

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Audio

import nmfaudio as na

y, sr = na.read(na.example("drums"), stop=4)
stft = na.Stft(sr, n_fft=2048, hop=512)
Z = stft.forward(y)
V = stft.features(Z)
plain = na.nmf(V, 3, init="spa", rng=0)
W = np.repeat(plain.W[None], 12, axis=0) * 0.8 ** np.arange(12)[:, None, None]
factors = [na.Factor(W), na.Factor(plain.H)]
d = na.decompose(V, factors, structure=na.structures.Convolutive(), rng=0)
print(
    f"objective {plain.losses[-1]:.0f} with one frame, {d.losses[-1]:.0f} with twelve"
)
assert d.losses[-1] < 0.7 * plain.losses[-1]

fig = plt.figure(figsize=(9, 4), layout="constrained")
na.display.plot_templates(d, transform=stft, fig=fig)
mask = d.component(0) / np.maximum(d.model(), 1e-12)
Audio(stft.inverse(mask * Z, y.shape[1]), rate=sr)
