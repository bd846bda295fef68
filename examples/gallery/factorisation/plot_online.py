"""
A stream of blocks
==================

Online NMF adapts its templates to one block after the other, so its memory does not grow with the
recording. One sees the divergence of each block of a drum groove before it was learned: it falls
as more of the groove is known, and on average stays above that of one fit of all.
"""

import matplotlib.pyplot as plt
import numpy as np

import nmfaudio as na

y, sr = na.read(na.example("drums"))
stft = na.Stft(sr, 2048)
V = stft.features(stft.forward(y))[:400]
blocks = np.array_split(V, 16, axis=1)
batch = na.nmf(V, 6, rng=0)
online = na.factorisation.OnlineNMF(6, rng=0)


def divergence(W, block):
    """Divergence per frame of a block, with the best activations of known templates."""
    return na.nmf(block, W=W, update_W=False, rng=0).losses[-1] / block.shape[1]


new = [np.nan]
online.partial_fit(blocks[0])
for block in blocks[1:]:
    new.append(divergence(online.W, block))
    online.partial_fit(block)
known = [divergence(batch.W, block) for block in blocks]
assert np.mean(known[8:]) < np.mean(new[8:]) < np.mean(new[1:4])

fig, ax = plt.subplots(figsize=(7, 3.5), layout="constrained")
ax.plot(new, "o-", label="online, templates of the past")
ax.plot(known, "s--", label="templates of a fit of all blocks")
ax.set(xlabel="block", ylabel="divergence per frame")
ax.legend()
