"""
Initialisations
===============

The objective is not convex, and the updates find a local minimum near their start. NNDSVD and its
relatives begin with the singular vectors, SPA with extreme frames of the data. Here the random
start is the worst after one iteration and the best after 300.
"""

import matplotlib.pyplot as plt

import nmfaudio as na

y, sr = na.read(na.example("band"), stop=4)
stft = na.Stft(sr)
V = stft.features(stft.forward(y))[:800]
starts = ("random", "nndsvdar", "spa")
runs = {
    init: na.nmf(V, 12, init=init, rng=0, max_iter=300, tol=0, check_every=1)
    for init in starts
}
first = {init: float(d.losses[1]) for init, d in runs.items()}
last = {init: float(d.losses[-1]) for init, d in runs.items()}
print({init: f"{first[init]:.0f} → {last[init]:.0f}" for init in starts})
assert max(first, key=first.get) == min(last, key=last.get) == "random"

fig, ax = plt.subplots(figsize=(7, 3.5), layout="constrained")
na.display.plot_losses(runs, ax=ax)
