"""
Components regrouped by hand
============================

A decomposition is made once, and its components are grouped again and again, which takes no new
fit. Here the six components with the lowest centres become ``low``, and the others ``high``. The
stems still sum to the recording, and one hears the low one.
"""

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Audio

import nmfaudio as na

y, sr = na.read(na.example("drums"), stop=3)
d = na.separate(y, sr, n_components=12).decomposition
centres = np.arange(len(d.W)) @ d.W / d.W.sum(0)
order = np.argsort(centres).tolist()
groups = {"low": order[:6], "high": order[6:]}
stems = na.regroup(y, sr, saved=d, groups=groups)
for name, group in stems.groups.items():
    print(f"{name}: components {group.components} around {group.centre_hz:.0f} Hz")
assert abs(stems.residual()).max() < 1e-6

fig = plt.figure(figsize=(9, 6.5), layout="constrained")
na.plot_factors(d, groups=stems.groups, fig=fig)
Audio(stems["low"], rate=sr)
