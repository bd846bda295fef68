"""
Equal spectra, different positions
==================================

Two pianos play the same note, one left of the middle and one right of it. No template can tell
them apart, but their gains in the two channels can: each component of the multichannel model has a
gain per channel. One hears the left piano.
"""

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Audio

import nmfaudio as na

note = na.read(na.example("piano", "notes/60.flac"), stop=0.8)
sr, places = note.sr, np.array([[0, 0.5, 1.5, 2.25], [0.25, 1.0, 1.25, 2.5]])
pianos = np.zeros((2, int(3.5 * sr)))
for piano, onsets in zip(pianos, places, strict=True):
    for onset in onsets:
        piano[int(onset * sr) :][: note.samples.shape[1]] += note.samples[0]
y = np.array([[1, 0.4], [0.4, 1]]) @ pianos
stft, rng = na.Stft(sr, 2048), np.random.default_rng(0)
Z = stft.forward(y)
shapes = ((2, 2), (Z.shape[1], 2), (2, Z.shape[2]))
units = ("l1", "l1", None)
factors = [
    na.Factor(rng.random(s) + 0.1, unit=u) for s, u in zip(shapes, units, strict=True)
]
d = na.decompose(abs(Z), factors, structure=na.structures.Channels(), max_iter=500)
shares = d.factors[0][0]
assert np.allclose(sorted(shares), (0.4 / 1.4, 1 / 1.4), atol=0.1)

fig, ax = plt.subplots(figsize=(8, 3), layout="constrained")
left = int(shares.argmax())
for k, style in ((left, "-"), (1 - left, "--")):
    ax.plot(
        stft.times(Z.shape[2]), d.H[k], style, label="left" if k == left else "right"
    )
ax.set(xlabel="time [s]", ylabel="activation")
ax.legend()
mask = na.soft_masks([d.component(left), d.component(1 - left)])[0]
Audio(stft.inverse(mask * Z, y.shape[1]).mean(0), rate=sr)
