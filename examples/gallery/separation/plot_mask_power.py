"""
The exponent of a mask
======================

The models of the sources are raised to a power α before their shares become masks. Small powers
leak other sources (a low SIR); beyond α = 2 the interference hardly falls any further, while
artefacts grow (SAR). One hears the snare drum at α = 0.25, with much of the other drums.
"""

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Audio

import nmfaudio as na

y, sr = na.read(na.example("drums"), stop=1.5)
stems = na.drums(y, sr, refine="none")
d, stft, powers = stems.decomposition, stems.transform, [0.25, 0.5, 1, 2, 8]
parts = [d.part(list(group.components)) for group in stems.groups.values()]
truth = {
    name: na.read(na.example("drums", f"sources/{name}.flac"), stop=1.5).samples
    for name in stems
}
Z, sounds, scores = stft.forward(y), [], []
for alpha in powers:
    masks = na.soft_masks(parts, alpha=alpha)
    sounds.append(
        dict(zip(stems, (stft.inverse(m * Z, y.shape[1]) for m in masks), strict=True))
    )
    scores.append(na.evaluate(truth, sounds[-1]).mean)

fig, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
for name, style in (("sir", "s--"), ("sar", "^:"), ("sdr", "o-")):
    values = [score[name] for score in scores]
    assert name == "sir" or values[-1] < max(values)
    print(name, np.round(values, 1).tolist())
    ax.semilogx(powers, values, style, base=2, label=name.upper())
ax.set(xlabel="α", ylabel="mean of the drums [dB]")
ax.legend()
Audio(sounds[0]["snare"], rate=sr)
