"""
Noise learned from a second of it
=================================

A piano begins after a second of hiss. The templates of the hiss are learned in this second, and
free components learn the piano wherever the hiss does not explain the spectrogram. One hears the
piano with most of the hiss removed.
"""

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Audio

import nmfaudio as na

y, sr = na.read(na.example("piano"), stop=3)
piano = np.pad(y[0], (sr, 0))
hiss = 0.02 * np.random.default_rng(0).standard_normal(len(piano))
stems = na.denoise(piano + hiss, sr, noise=(0, 1))

before = na.metrics.si_sdr(piano, piano + hiss)
after = na.metrics.si_sdr(piano, stems["signal"][0])
print(f"SI-SDR of the piano: {before:.1f} dB with the hiss, {after:.1f} dB without")
assert after > before + 6

na.plot_stems(stems, fig=plt.figure(figsize=(9, 4), layout="constrained"))
Audio(stems["signal"], rate=sr)
