"""
The updates, step by step
=========================

Multiplicative updates start from noise. After a few iterations the activations have the rhythm,
later the components divide the drums among themselves. One sees H after 1, 3, 10, and 100
iterations; the objective never rises.
"""

import matplotlib.pyplot as plt
import numpy as np

import nmfaudio as na

y, sr = na.read(na.example("drums"), stop=4)
stft = na.Stft(sr)
V = stft.features(stft.forward(y))
history = na.display.History()
d = na.nmf(
    V, 4, solver="mu", max_iter=100, tol=0, check_every=1, rng=3, callback=history
)
assert (np.diff(d.losses) <= 1e-6 * d.losses[0]).all()

fig, panels = plt.subplots(4, 1, figsize=(8, 5.5), layout="constrained", sharex=True)
for count, ax in zip((1, 3, 10, 100), panels, strict=True):
    step = history.steps()[count - 1]
    W, H = step.factors
    ax.imshow(
        W.sum(0)[:, None] * H, aspect="auto", cmap="magma", interpolation="nearest"
    )
    ax.set(title=f"iteration {step.iteration}: objective {step.loss:.0f}", yticks=[])
    ax.set_ylabel("component")
panels[-1].set_xlabel("frame")
