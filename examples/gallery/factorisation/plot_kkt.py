"""
Converged, or slow?
===================

A flat curve of the objective may be a minimum, or a slow solver. The residual of the KKT
conditions is zero at a stationary point only. One sees it for four solvers of one problem: the
projected gradient ``pg`` and ``hals`` reach a point that multiplicative updates are far from.
"""

import matplotlib.pyplot as plt
import numpy as np

import nmfaudio as na

y, sr = na.read(na.example("drums"), stop=2)
stft = na.Stft(sr, 1024, hop=512)
V = stft.features(stft.forward(y))[:200]
solvers = {"mu": na.solvers.MU(), "bmme": na.solvers.BMME()}
solvers |= {"hals": na.solvers.HALS(), "pg": na.solvers.PG()}
iterations, residuals = (10, 30, 100, 300, 1000), {}
for name, solver in solvers.items():
    runs = [
        na.nmf(V, 3, beta_loss=2, solver=solver, max_iter=n, tol=0, rng=0)
        for n in iterations
    ]
    residuals[name] = [na.factorisation.kkt_residual(V, d) for d in runs]
    print(
        f"{name}: objective {runs[-1].losses[-1]:.5g}, "
        f"residual {residuals[name][-1]:.1e}"
    )
assert residuals["hals"][-1] < 0.1 * residuals["mu"][-1]

fig, ax = plt.subplots(figsize=(7, 3.5), layout="constrained")
for (name, values), style in zip(
    residuals.items(), ("o:", "s--", "^-", "D-."), strict=True
):
    ax.loglog(iterations, np.maximum(values, 1e-16), style, label=name)
ax.set(xlabel="iteration", ylabel="KKT residual")
ax.legend()
