"""
A glide through a chord
=======================

In masked NMF each group of components has a mask that tells where it may be. Here that of a voice
follows its known pitch, so that W and H are its filter; the chord has none. One sees the share of
each in the mixture, and hears the voice.
"""

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Audio

import nmfaudio as na

sr, rng = 16000, np.random.default_rng(0)
time = np.arange(2 * sr) / sr
pitch = 300 * 2 ** (time / 2)  # Hz, an octave in two seconds
phase = 2 * np.pi * np.cumsum(pitch) / sr
voice = sum(np.sin(h * phase) / h for h in range(1, 7))
chord = sum(np.sin(2 * np.pi * f * time) for f in (330, 415, 494, 660, 831))
stft = na.Stft(sr, 1024, hop=256)
Z = stft.forward((voice + chord)[None])
V = stft.features(Z)
at = np.interp(stft.times(V.shape[1]), time, pitch)
near = abs(stft.frequencies[:, None] - at * np.arange(1, 7)[:, None, None]).min(0)
M, shape = np.exp(-((near / 25) ** 2)), V.shape
groups = [[M, rng.random((shape[0], 2)), rng.random((2, shape[1]))]]
groups += [[np.ones((1, 1)), rng.random((shape[0], 1)), rng.random((1, shape[1]))]]
factors = [na.Factor(F, free=i > 0) for group in groups for i, F in enumerate(group)]
d = na.decompose(V, factors, structure=na.structures.Masked(), max_iter=200)
mask = na.soft_masks([d.part([0, 1]), d.part([2])])[0]
found = stft.inverse(mask * Z, len(time))
score = na.metrics.si_sdr(voice[None], found)
print(f"SI-SDR {score:.1f} dB")
assert score > 6

fig = plt.figure(figsize=(8, 4), layout="constrained")
na.display.plot_masks(
    {"voice": mask, "chord": 1 - mask}, transform=stft, top_hz=3000, fig=fig
)
Audio(found, rate=sr)
