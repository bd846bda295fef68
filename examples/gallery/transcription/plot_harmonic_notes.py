"""
Notes without a recording
=========================

Templates of notes can also be computed from the places of their partials, which needs no data; a
stiff string has its partials slightly too high. One sees such a template of A2 beside that of the
shipped piano: the peaks coincide, the envelopes differ. One hears the learned one first.
"""

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Audio

import nmfaudio as na

piano = na.dictionaries.piano_notes()
stft = piano.transform
computed = na.dictionaries.harmonic_notes(stft, pitches=[45], inharmonicity="piano")
learned = piano.templates[:, piano.groups()[45.0][1]]
template = computed.templates[:, computed.groups()[45.0][0]]
cosine = learned @ template / np.linalg.norm(learned) / np.linalg.norm(template)
print(f"cosine similarity {cosine:.2f}")
assert cosine > 0.9

fig, ax = plt.subplots(figsize=(8, 3.5), layout="constrained")
ax.semilogy(stft.frequencies, learned / learned.max() + 1e-6, label="learned")
ax.semilogy(stft.frequencies, template / template.max() + 1e-6, "--", label="computed")
ax.set(xlim=(0, 1500), ylim=(1e-4, 2), xlabel="frequency [Hz]", ylabel="template")
ax.legend()
both = na.Dictionary(np.stack([learned, template], axis=1), ["A2", "A2"], stft)
Audio(na.dictionaries.sonify_dictionary(both, "A2"), rate=stft.sr)
