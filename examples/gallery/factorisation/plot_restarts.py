"""
Local minima and restarts
=========================

Eight random starts of the same factorisation end at eight different objectives. The result of the
lowest is kept; the spread of the others tells how far to trust a single run. The best curve is
thick.
"""

import matplotlib.pyplot as plt

import nmfaudio as na

y, sr = na.read(na.example("drums"), stop=3)
stft = na.Stft(sr)
V = stft.features(stft.forward(y))[:800]
history = na.display.History(factors=False)
d = na.nmf(V, 6, n_init=8, rng=0, check_every=5, callback=history)

spread = d.start_losses.max() / d.start_losses.min() - 1
print(f"the worst of {len(d.start_losses)} ends {spread:.0%} above the best")
assert len(set(d.start_losses.round(3))) == 8

fig, ax = plt.subplots(figsize=(7, 3.5), layout="constrained")
na.display.plot_losses(history, ax=ax)
