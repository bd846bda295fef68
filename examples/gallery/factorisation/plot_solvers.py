"""
Solvers
=======

From the same start the solvers reach similar objectives at different speeds: ``mu`` are the
multiplicative updates, ``bmme`` extrapolates them, and ``ccd`` updates one coordinate after the
other. One sees the excess over the lowest objective, over iterations.
"""

import matplotlib.pyplot as plt
import numpy as np

import nmfaudio as na

y, sr = na.read(na.example("piano"), stop=4)
stft = na.Stft(sr)
V = stft.features(stft.forward(y))[:600]
settings = {"max_iter": 300, "tol": 0, "check_every": 1, "rng": 0}
runs = {
    solver: na.nmf(V, 8, solver=solver, **settings) for solver in ("mu", "bmme", "ccd")
}
lowest = min(d.losses.min() for d in runs.values())
needed = {
    s: int(np.argmax(d.losses < 1.05 * runs["mu"].losses[-1])) for s, d in runs.items()
}
print("iterations to within 5 % of the end of mu:", needed)
assert needed["bmme"] < needed["mu"]

fig, ax = plt.subplots(figsize=(7, 3.5), layout="constrained")
for (solver, d), style in zip(runs.items(), (":", "--", "-"), strict=True):
    ax.semilogy(d.checks, d.losses / lowest - 1 + 1e-6, style, label=solver)
ax.set(xlabel="iteration", ylabel="excess over the lowest", ylim=(1e-4, None))
ax.legend()
