"""
The number of components
========================

Counts are drawn from a model of four components. Cross-validation predicts bins that were left out
of the fit, and its error is lowest at the true number; the error of the fit itself only falls, and
one has to find its elbow. The methods need not agree: the dotted line is the truth.
"""

import matplotlib.pyplot as plt
import numpy as np

import nmfaudio as na

rng = np.random.default_rng(0)
V = rng.poisson(rng.gamma(0.5, 20, (30, 4)) @ rng.gamma(0.5, 2, (4, 60))).astype(float)
select = na.rank_selection.select_rank
methods = ("cv", "error", "ard", "stability")
found = {method: select(V, range(1, 7), method=method, rng=0) for method in methods}
print({method: selection.best for method, selection in found.items()})
assert found["cv"].best == 4

fig = plt.figure(figsize=(8, 5), layout="constrained")
na.display.plot_rank_selection(found, true_rank=4, fig=fig)
