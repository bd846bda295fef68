"""
A structure of your own
=======================

A model is a class of a few lines; a check tests it, and every solver, penalty and divergence works
with it. Here all templates pass the same equaliser. One sees its gains, found and true.
"""

import matplotlib.pyplot as plt
import numpy as np

import nmfaudio as na


class Equalised(na.structures.Product):
    def shape(self, factors):
        return super().shape(factors[1:])  # after the gains (freq, 1) come W and H

    def left(self, factors):
        return factors[0] * factors[1]

    def left_adjoint(self, i, G, factors):
        return (G * factors[1]).sum(1, keepdims=True) if i == 0 else G * factors[0]


na.check_structure(Equalised(), [(9, 1), (9, 2), (2, 12)])
rng = np.random.default_rng(0)
known, gains = rng.random((60, 4)), np.exp(np.sin(np.arange(60) / 6))[:, None]
V = rng.poisson(50 * (gains * known) @ rng.gamma(0.3, 1, (4, 200))) / 50
factors = [
    na.Factor(np.ones((60, 1))),
    na.Factor(known, free=False),
    na.Factor(np.ones((4, 200))),
]
d = na.decompose(V, factors, structure=Equalised(), max_iter=500)
found = d.factors[0] * gains.mean() / d.factors[0].mean()
assert abs(np.log(found / gains)).max() < 0.2

ax = plt.figure(figsize=(7, 3.2), layout="constrained").subplots()
ax.set(xlabel="bin", ylabel="gain")
ax.plot(gains, color="0.6", linewidth=4, label="true equaliser")
ax.plot(found, "--", label="found")
ax.legend()
