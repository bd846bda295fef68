"""
A gliding voice
===============

A voice glides through an octave over a sustained chord. In the source–filter model its sources are
fixed spectra of all pitches, its filter is smooth and learned, and free components take the chord.
One sees the glide in the activations of the sources, and hears the mixture.
"""

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Audio

import nmfaudio as na

sr, rng = 16000, np.random.default_rng(0)
t = np.arange(2 * sr) / sr
glide = 60 + 6 * t
phase = 2 * np.pi * np.cumsum(440 * 2 ** ((glide - 69) / 12)) / sr
voice = sum(np.sin(h * phase) / h for h in range(1, 12))
chord = sum(
    np.sin(2 * np.pi * f * h * t) / h for f in (196, 247, 294) for h in range(1, 9)
)
stft = na.Stft(sr, 1024, power=2.0)
V = stft.features(stft.forward((voice + 0.5 * chord)[None])) + 1e-6
pitches = np.arange(58, 75, 0.5)
W0 = na.structures.glottal_sources(stft.frequencies, pitches)
WF = na.structures.filter_bumps(stft.frequencies, 12)
free = [(len(pitches), V.shape[1]), (12, V.shape[1]), (len(V), 3), (3, V.shape[1])]
H0, HF, WM, HM = (na.Factor(rng.random(shape) + 0.1) for shape in free)
factors = [na.Factor(W0, free=False), H0, na.Factor(WF, free=False), HF, WM, HM]
structure = na.structures.SourceFilter()
d = na.decompose(V, factors, structure=structure, divergence=na.Beta(0), max_iter=100)

times = stft.times(V.shape[1])
found, true = pitches[d.factors[1].argmax(0)], np.interp(times, t, glide)
assert np.mean(abs(found - true) <= 1) > 0.9  # within a semitone
fig, ax = plt.subplots(figsize=(8, 3.5), layout="constrained")
decibels = 10 * np.log10(d.factors[1] / d.factors[1].max() + 1e-5)
ax.pcolormesh(times, pitches, decibels, cmap="magma", shading="nearest")
ax.set(xlabel="time [s]", ylabel="pitch [MIDI number]")
Audio(voice + 0.5 * chord, rate=sr)
