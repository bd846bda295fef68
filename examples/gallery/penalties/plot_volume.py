"""
The narrowest cone
==================

Each frame is a mixture of three materials, and none is pure. Many sets of templates explain them
exactly; the penalty on the volume prefers the narrowest, which are nearly the true spectra. Frames
and templates are drawn as seen along the axis of the cone.
"""

import matplotlib.pyplot as plt
import numpy as np

import nmfaudio as na

rng = np.random.default_rng(2)
truth, shares = rng.random((20, 3)), rng.dirichlet([0.7] * 3, 200)
V = truth @ shares[shares.max(1) < 0.8][:80].T
W, H = rng.random((20, 3)), rng.random((3, 80))
axes = np.linalg.svd(V / V.sum(0) - (V / V.sum(0)).mean(1, keepdims=True))[0][:, :2]

fig, ax = plt.subplots(figsize=(5.5, 4.5), layout="constrained")
ax.plot(*axes.T @ (V / V.sum(0)), ".", color="0.6", label="frames")
ax.plot(*axes.T @ (truth / truth.sum(0)), "k*", markersize=14, label="true spectra")
errors = []
for penalties, style in (((), "s"), ((na.penalties.MinVolume(0.1, delta=1.0),), "o")):
    factors = [na.Factor(W, penalties=penalties), na.Factor(H, unit="l1")]
    d = na.decompose(V, factors, max_iter=1000, tol=0)
    cosines = (truth / np.linalg.norm(truth, axis=0)).T @ (
        d.W / np.linalg.norm(d.W, axis=0)
    )
    errors.append(1 - cosines.max(1).mean())
    label = "minimum volume" if penalties else "no penalty"
    label += f": 1 − cosine {errors[-1]:.4f}"
    ax.plot(
        *axes.T @ (d.W / d.W.sum(0)), style, fillstyle="none", markersize=9, label=label
    )
ax.set(xticks=[], yticks=[])
ax.legend()
assert errors[1] < errors[0] / 3
