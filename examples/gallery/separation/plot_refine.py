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

y, sr = na.read(na.example("drums"), stop=2)
names, stft = ("kick", "snare", "hihat"), na.Stft(sr, 2048)
files = [na.example("drums", f"sources/{name}.flac") for name in names]
sources = [na.read(file, stop=2).samples for file in files]
powers = np.stack([abs(stft.forward(source)) ** 2 for source in sources])
X = powers / np.maximum(powers.sum(0), 1e-12) * stft.forward(y)
sounds = {
    "masks": np.stack([stft.inverse(x, y.shape[1]) for x in X]),
    "misi": na.audio.misi(X, y, stft),
    "consistent": na.audio.consistent_wiener(X, powers, stft, y.shape[1]),
}
truth = dict(zip(names, sources, strict=True))
scores = {
    kind: na.evaluate(truth, dict(zip(names, sound, strict=True))) for kind, sound in sounds.items()
}
print({kind: round(score.mean["si_sdr"], 1) for kind, score in scores.items()})
assert scores["consistent"].mean["si_sdr"] > scores["masks"].mean["si_sdr"] + 0.5

fig, ax = plt.subplots(figsize=(7, 3.5), layout="constrained")
na.display.plot_evaluation(scores, ax=ax)
Audio(sounds["consistent"][2], rate=sr)
