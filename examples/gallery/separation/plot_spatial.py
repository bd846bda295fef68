"""
Spectrum and position
=====================

The oboe is on the left, the bassoon on the right. With the same models, a multichannel Wiener
filter also uses these positions, where a mask treats both channels alike. All three instruments
gain by it, and the one heard here is the guitar in the middle.
"""

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Audio

import nmfaudio as na

y, sr = na.read(na.example("trio"), stop=2.5)
score = [
    note for note in na.read_notes(na.example("trio", "score.mid")) if note.onset < 2.5
]
names = ("oboe", "guitar", "bassoon")
truth = {
    name: na.read(na.example("trio", f"sources/{name}.flac"), stop=2.5).samples
    for name in names
}
scores = {}
for spatial in ("mask", "wiener"):
    stems = na.score(y, sr, score=score, aligned=True, spatial=spatial, max_iter=10)
    scores[spatial] = np.array(
        [na.metrics.si_sdr(truth[name], stems[name]) for name in names]
    )
gains = scores["wiener"] - scores["mask"]
print("gain in dB:", dict(zip(names, gains.round(1).tolist(), strict=True)))
assert min(gains) > 1

fig, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
for shift, (spatial, values), hatch in zip(
    (-0.2, 0.2), scores.items(), ("", "//"), strict=True
):
    ax.bar(np.arange(3) + shift, values, 0.4, hatch=hatch, label=spatial, edgecolor="w")
ax.set(xticks=range(3), xticklabels=names, ylabel="SI-SDR [dB]")
ax.legend()
Audio(stems["guitar"].mean(0), rate=sr)
