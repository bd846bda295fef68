"""
Phases that fit
===============

A masked spectrogram has the phases of the mixture, so that overlapping frames disagree: no sound
has this spectrogram. MISI and consistent Wiener filtering reduce the disagreement. With ideal
masks, made of the true sources, one sees how much each drum gains, and hears the hi-hat.
"""

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Audio

import nmfaudio as na

y, sr = na.read(na.example("drums"), stop=3)
names, stft = ("kick", "snare", "hihat"), na.Stft(sr, 2048)
files = [na.example("drums", f"sources/{name}.flac") for name in names]
sources = [na.read(file, stop=3).samples for file in files]
powers = np.stack([abs(stft.forward(source)) ** 2 for source in sources])
X = powers / np.maximum(powers.sum(0), 1e-12) * stft.forward(y)
sounds = {
    "masks": np.stack([stft.inverse(x, y.shape[1]) for x in X]),
    "misi": na.audio.misi(X, y, stft),
    "consistent": na.audio.consistent_wiener(X, powers, stft, y.shape[1]),
}
scores = {
    kind: np.array(
        [na.metrics.si_sdr(s, e) for s, e in zip(sources, sound, strict=True)]
    )
    for kind, sound in sounds.items()
}
gains = {k: v - scores["masks"] for k, v in scores.items() if k != "masks"}
assert all(values.mean() > 0.3 for values in gains.values())

fig, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
for shift, (kind, values), hatch in zip(
    (-0.2, 0.2), gains.items(), ("", "//"), strict=True
):
    print(kind, values.round(1).tolist())
    ax.bar(np.arange(3) + shift, values, 0.4, hatch=hatch, label=kind, edgecolor="w")
ax.set(xticks=range(3), xticklabels=names, ylabel="gain in SI-SDR [dB]")
ax.legend()
Audio(sounds["consistent"][2], rate=sr)
