"""
Components that take turns
==========================

Two sounds that alternate have similar spectra, so that NMF lets both components sound at once.
A penalty on the inner products of their activations makes them take turns. Under too large a weight
the turns are no longer those of the sounds, and frames get either component.
"""

import matplotlib.pyplot as plt
import numpy as np

import nmfaudio as na

rng = np.random.default_rng(0)
common, own = rng.random((60, 1)), rng.random((60, 2))
turns = np.repeat([[1, 0, 1, 0, 1], [0, 1, 0, 1, 0]], 20, axis=1)
truth = turns * (0.5 + rng.random((2, 100)))
V = rng.poisson(20 * (common + 0.7 * own) @ truth) / 20
W, H = rng.random((60, 2)) + 0.1, rng.random((2, 100)) + 0.1

fig, panels = plt.subplots(3, 1, figsize=(8, 5.5), layout="constrained", sharex=True)
overlaps, right = [], []
for ax, weight in zip(panels, (0, 0.03, 1), strict=True):
    penalty = na.penalties.Decorrelated(weight)
    factors = [na.Factor(W, unit="l2"), na.Factor(H, penalties=(penalty,))]
    d = na.decompose(V, factors, max_iter=500)
    first, second = d.H / np.linalg.norm(d.H, axis=1, keepdims=True)
    overlaps.append(float(first @ second))
    agree = ((d.H[0] > d.H[1]) == turns[0]).mean()
    right.append(max(agree, 1 - agree))
    ax.plot(d.H[0], "-")
    ax.plot(d.H[1], "--")
    ax.set_title(
        f"weight {weight}: inner product {overlaps[-1]:.2f}, {right[-1]:.0%} right"
    )
    ax.set_ylabel("activation")
panels[-1].set_xlabel("frame")
assert overlaps[1] < 0.1 * overlaps[0]
assert right[1] > 0.95 > right[2]
