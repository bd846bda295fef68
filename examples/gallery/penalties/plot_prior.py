"""
Templates that adapt, but not too far
=====================================

The templates of one piano are used for another, whose partials have other levels. Free templates
adapt best to the notes that sound and may end up anywhere; a prior keeps them near what is known.
One sees the error of the templates, over the weight of the prior, for a recording of few frames.
"""

import matplotlib.pyplot as plt
import numpy as np

import nmfaudio as na

rng = np.random.default_rng(0)
W = na.dictionaries.piano_notes().templates[:, 96:144:6]  # eight notes
H = rng.gamma(0.2, 1.0, (8, 16))
V = rng.poisson(2000 * W @ H) / 2000  # few counts per bin: a noisy recording
known = W * np.exp(0.7 * rng.standard_normal(W.shape))
known /= known.sum(0)


def error(X):
    return float(abs(X / X.sum(0) - W / W.sum(0)).sum() / 8)


weights = np.geomspace(1e-3, 1e2, 11)
errors = []
for weight in weights:
    prior = na.penalties.Prior(float(weight), known)
    factors = [
        na.Factor(known, penalties=(prior,)),
        na.Factor(np.full_like(H, H.mean())),
    ]
    errors.append(error(na.decompose(V, factors, max_iter=300).W))
print(f"known {error(known):.2f}, nearly free {errors[0]:.2f}, best {min(errors):.2f}")
assert min(errors) < 0.9 * min(errors[0], error(known))

fig, ax = plt.subplots(figsize=(7, 3.5), layout="constrained")
ax.semilogx(weights, errors, "o-", label="adapted with a prior")
ax.axhline(error(known), linestyle="--", color="0.4", label="templates as known")
ax.set(xlabel="weight of the prior", ylabel="error of the templates", ylim=(0, None))
ax.legend()
