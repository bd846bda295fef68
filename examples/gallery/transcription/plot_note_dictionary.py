"""
The notes of a piano
====================

The dictionary that ships with the package has three templates for each key: the attack, the early
and the late sound. One sees them for middle C: the attack is broad, and high partials fade first.
One hears the three in this order.
"""

import matplotlib.pyplot as plt
from IPython.display import Audio

import nmfaudio as na

piano = na.dictionaries.piano_notes()
stft, stages = piano.transform, ("attack", "early", "late")
components = piano.groups()[60.0]
W = piano.templates[:, components]
centres = stft.frequencies @ W / W.sum(0)
print(
    "centre of each stage in Hz:",
    dict(zip(stages, centres.round().tolist(), strict=True)),
)
assert centres[0] > centres[1] > centres[2]

fig, ax = plt.subplots(figsize=(8, 3.5), layout="constrained")
for w, stage, style in zip(W.T, stages, (":", "-", "--"), strict=True):
    ax.semilogy(stft.frequencies, w / w.max() + 1e-6, style, label=stage)
ax.set(xlim=(0, 4000), ylim=(1e-5, 2), xlabel="frequency [Hz]", ylabel="template")
ax.legend()
note = na.Dictionary(W, ["C4"] * 3, stft)
Audio(na.dictionaries.sonify_dictionary(note, "C4"), rate=stft.sr)
