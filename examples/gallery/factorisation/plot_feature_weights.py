"""
Unreliable frequencies
======================

One band of a piano's spectrogram is replaced by noise. The reliability of each frequency is
learned together with the factors, as a weight: the noisy band gets a low one. Which bands are
reliable need not be known.
"""

import matplotlib.pyplot as plt
import numpy as np

import nmfaudio as na

y, sr = na.read(na.example("piano"), stop=5.7)
stft = na.Stft(sr)
V = stft.features(stft.forward(y))[1:400]
V /= V.mean(1, keepdims=True)
noisy = slice(150, 200)
V[noisy] = 2 * np.random.default_rng(0).random(V[noisy].shape)
result = na.recipes.feature_weighted_nmf(V, 11, beta_loss="kl", rng=0)

weights = result.feature_weights
others = np.delete(weights, np.r_[noisy])
print(
    f"mean weight {weights[noisy].mean():.2f} in noise, {others.mean():.2f} elsewhere"
)
assert weights[noisy].mean() < 0.5 * others.mean()

fig, ax = plt.subplots(figsize=(8, 3), layout="constrained")
ax.plot(stft.frequencies[1:400], weights)
ax.axvspan(*stft.frequencies[[151, 201]], color="0.85", label="noise")
ax.set(xlabel="frequency [Hz]", ylabel="weight")
ax.legend()
