"""
Components that switch themselves off
=====================================

Automatic relevance determination estimates how much each component is needed, together with W and
H. Here eight components are fitted to counts that three made: the other five fall to zero. The
number of components need not be known.
"""

import matplotlib.pyplot as plt
import numpy as np

import nmfaudio as na

rng = np.random.default_rng(0)
V = rng.poisson(rng.gamma(0.5, 20, (40, 3)) @ rng.gamma(0.5, 2, (3, 80))).astype(float)
W, H = rng.random((40, 8)), rng.random((8, 80))
ard = na.penalties.ARD.matching(V, 8)

energies = []
d = na.decompose(
    V,
    [na.Factor(W, penalties=(ard,)), na.Factor(H, penalties=(ard,))],
    max_iter=2000,
    tol=0,
    callback=lambda progress: energies.append(ard.excess(progress.factors)),
)
remaining = int((ard.excess(d.factors) > 0.1).sum())
print(f"{remaining} of 8 components remain")
assert remaining == 3

fig, ax = plt.subplots(figsize=(7, 3.5), layout="constrained")
ax.loglog(10 * np.arange(1, len(energies) + 1), np.array(energies) + 1e-6)
ax.set(xlabel="iteration", ylabel="relevance above its minimum")
