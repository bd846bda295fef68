"""
Templates of templates
======================

Deep NMF factorises the activations again: the second layer composes its templates of those of the
first. With eleven components for the notes of a piano, five components above them are groups of
these notes. Lines are as thick as the share of a note.
"""

import matplotlib.pyplot as plt

import nmfaudio as na

y, sr = na.read(na.example("piano"), stop=5.7)
stft = na.Stft(sr)
V = stft.features(stft.forward(y))
deep = na.recipes.deep_nmf(V, [11, 5], init="spa", rng=0)

first, last = deep.joint.losses[[0, -1]]
print(
    f"objective {first:.0f} after fitting layer by layer, {last:.0f} after all together"
)
assert last < first

fig, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
na.display.plot_layers(deep, transform=stft, ax=ax)
