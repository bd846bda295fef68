"""
Window lengths
==============

A short window shows when a drum is hit, a long one which partials a bass note has; none shows
both. NMF components inherit the choice. One sees the same two seconds of a band with windows of
12, 46 and 186 ms.
"""

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Audio

import nmfaudio as na

y, sr = na.read(na.example("band"), start=6, stop=8)
y = y.mean(0)

fig, panels = plt.subplots(1, 3, figsize=(10, 3.5), layout="constrained", sharey=True)
for n_fft, ax in zip((512, 2048, 8192), panels, strict=True):
    stft = na.Stft(sr, n_fft, hop=256)
    Z = stft.forward(y[None])
    assert np.allclose(stft.inverse(Z, len(y)), y, atol=1e-5)
    decibels = 20 * np.log10(stft.features(Z) / n_fft + 1e-5)
    ax.pcolormesh(
        stft.times(Z.shape[2]), stft.frequencies, decibels, cmap="magma", vmin=-80
    )
    ax.set(title=f"{1000 * n_fft / sr:.0f} ms", ylim=(40, 2000), xlabel="time [s]")
panels[0].set_ylabel("frequency [Hz]")
Audio(y, rate=sr)
