"""
Sparser, with less bias
=======================

L1 takes the same from large activations as from small ones. A logarithm takes less, the larger an
activation is: the small ones vanish, and the large ones keep their level. One sees the activations
of two known templates under both, beside the true ones.
"""

import matplotlib.pyplot as plt
import numpy as np

import nmfaudio as na

rng = np.random.default_rng(0)
W = rng.random((30, 2)) + 0.3 * rng.random((30, 1))
truth = rng.gamma(3.0, 1.0, (2, 60)) * (rng.random((2, 60)) < 0.4)
V = rng.poisson(4 * W @ truth + 0.3) / 4
penalties = {"none": (), "L1(6)": (na.penalties.L1(6),)}
penalties |= {"Log(2, 0.2)": (na.penalties.Log(2, eps=0.2),)}

fig, ax = plt.subplots(figsize=(7, 3.8), layout="constrained")
largest = max(truth.max(), 1.0)
ax.plot([0, largest], [0, largest], color="0.6", label="truth")
bias = {}
for (name, chosen), mark in zip(penalties.items(), ("o", "s", "^"), strict=True):
    H = na.Factor(np.ones((2, 60)), penalties=chosen)
    d = na.decompose(V, [na.Factor(W, free=False), H], max_iter=500)
    wrong, right = d.H[truth == 0], d.H[truth > 2]
    bias[name] = (wrong.mean(), right.mean() / truth[truth > 2].mean())
    ax.plot(
        truth.ravel(), d.H.ravel(), mark, markersize=4, fillstyle="none", label=name
    )
    print(
        f"{name}: {wrong.mean():.3f} where there is nothing, "
        f"{bias[name][1]:.0%} of the large ones"
    )
ax.set(xlabel="true activation", ylabel="activation")
ax.legend()
assert bias["Log(2, 0.2)"][0] < bias["none"][0]
assert bias["L1(6)"][1] < bias["Log(2, 0.2)"][1]
