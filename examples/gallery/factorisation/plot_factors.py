"""
A spectrogram as a product of two matrices
==========================================

The spectrogram of a piano is approximated by eleven templates, the columns of W, times their
activations, the rows of H. Nobody told the model about notes: most templates become spectra of
single notes because notes recur. One hears the component with the highest energy.
"""

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Audio

import nmfaudio as na

y, sr = na.read(na.example("piano"), stop=5.7)
stft = na.Stft(sr)
Z = stft.forward(y)
V = stft.features(Z)
d = na.nmf(V, 11, rng=0)

strongest = int(np.argmax(d.W.sum(0) * d.H.sum(1)))
mask = d.component(strongest) / np.maximum(d.model(), 1e-12)
print(f"the residual is {abs(V - d.model()).sum() / V.sum():.0%} of V")

fig = plt.figure(figsize=(9, 5), layout="constrained")
na.plot_factors(d, V, transform=stft, top_hz=3000, fig=fig)
Audio(stft.inverse(mask * Z, y.shape[1]), rate=sr)
