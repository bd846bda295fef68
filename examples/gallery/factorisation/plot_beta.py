"""
The beta-divergences
====================

The divergence decides which errors count. With β = 2 (Euclidean) loud bins dominate, with β = 0
(Itakura–Saito) a bin counts the same at any level, and β = 1 (Kullback–Leibler) is between. The
right panel shows the relative error of the model in bins of each level.
"""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np

import nmfaudio as na

y, sr = na.read(na.example("piano"), stop=4)
stft = na.Stft(sr)
V = stft.features(stft.forward(y))[1:400] + 1e-3

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
na.display.plot_divergences([0, 1, 2], ax=left)
edges = np.quantile(V, np.linspace(0, 1, 9))
levels = 20 * np.log10(np.sqrt(edges[1:] * edges[:-1]))
errors = {}
for beta, style in ((0, "o-"), (1, "s--"), (2, "^:")):
    d = na.nmf(V, 8, beta_loss=beta, max_iter=100, rng=0)
    ratios = abs(np.log(np.maximum(d.model(), 1e-3) / V))
    bins = [(low <= V) & (high >= V) for low, high in pairwise(edges)]
    errors[beta] = [np.median(ratios[b]) for b in bins]
    right.plot(levels, errors[beta], style, label=f"β = {beta}")
right.set(xlabel="level [dB]", ylabel="median of |log model / V|")
right.legend()
assert errors[0][0] < errors[1][0] < errors[2][0]
