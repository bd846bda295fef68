"""
Sparse activations
==================

An L1 penalty lets a component be active in few frames only. The templates have norm 1, since the
penalty could otherwise be avoided by scaling. The larger the weight, the more activations are
nearly zero, and the larger the residual.
"""

import matplotlib.pyplot as plt
import numpy as np

import nmfaudio as na

y, sr = na.read(na.example("piano"), stop=5.7)
V = na.Stft(sr).features(na.Stft(sr).forward(y))
rng = np.random.default_rng(0)
W, H = rng.random((len(V), 11)), rng.random((11, V.shape[1])) * V.mean()

fig, panels = plt.subplots(3, 1, figsize=(8, 5), layout="constrained", sharex=True)
shares, residuals = [], []
for weight, ax in zip((0, 1, 4), panels, strict=True):
    sparse = na.Factor(H, penalties=(na.penalties.L1(weight),))
    d = na.decompose(V, [na.Factor(W, unit="l2"), sparse])
    shares.append((d.H < 1e-3 * d.H.max()).mean())
    residuals.append(abs(V - d.model()).sum() / V.sum())
    ax.imshow(np.sqrt(d.H), aspect="auto", cmap="magma", interpolation="nearest")
    ax.set(
        title=f"L1({weight}): {shares[-1]:.0%} near zero, residual {residuals[-1]:.0%}"
    )
    ax.set(ylabel="component", yticks=[])
panels[-1].set_xlabel("frame")
assert shares[0] < shares[1] < shares[2]
assert residuals[0] < residuals[1] < residuals[2]
