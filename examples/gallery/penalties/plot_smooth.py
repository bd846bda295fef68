"""
Smooth activations
==================

Notes last longer than a frame, so activations of neighbouring frames are alike. A quadratic
penalty on their differences acts where the tone is loud; a penalty on their ratios, which does not
depend on the level, also calms the quiet end. Here a tone in strong noise has a known course.
"""

import matplotlib.pyplot as plt
import numpy as np

import nmfaudio as na

truth = np.tile(0.93 ** np.arange(50), 2)
V = np.random.default_rng(0).exponential(truth, (4, 100))
ones = na.Factor(np.ones((4, 1)), free=False)
penalties = {
    "none": (),
    "Smooth(30)": (na.penalties.Smooth(30),),
    "SmoothRatio(20)": (na.penalties.SmoothRatio(20),),
}

fig, ax = plt.subplots(figsize=(8, 3.5), layout="constrained")
ax.semilogy(truth, color="0.5", linewidth=4, label="true level")
errors = {}
for (name, penalty), style in zip(penalties.items(), (":", "--", "-"), strict=True):
    H = na.Factor(np.ones((1, 100)), penalties=penalty)
    d = na.decompose(V, [ones, H], divergence=na.Beta(0), max_iter=500)
    errors[name] = abs(np.log(d.H[0] / truth)).mean()
    ax.plot(d.H[0], style, label=f"{name}: error {errors[name]:.2f}")
ax.set(xlabel="frame", ylabel="activation")
ax.legend()
assert errors["SmoothRatio(20)"] < errors["Smooth(30)"] < errors["none"]
