"""
Neighbours on a graph
=====================

Frames with similar spectra are neighbours in a graph, however distant they are in time. With a
penalty on the edges of the graph, neighbours get similar activations. Dots are neighbours among
the frames of a drum groove; they lie on diagonals where the groove repeats.
"""

import matplotlib.pyplot as plt
import numpy as np

import nmfaudio as na

y, sr = na.read(na.example("drums"), stop=4)
stft = na.Stft(sr)
V = stft.features(stft.forward(y))
graph = na.penalties.nearest_neighbours(V, 3)
rng = np.random.default_rng(0)
W, H = rng.random((len(V), 6)), rng.random((6, V.shape[1])) * V.mean()
first, second = graph.nonzero()

fig, panels = plt.subplots(1, 3, figsize=(10, 3.2), layout="constrained")
panels[0].spy(graph, markersize=1)
panels[0].set(title="neighbours", xlabel="frame", ylabel="frame")
distances = []
for weight, ax in zip((0, 0.03), panels[1:], strict=True):
    penalty = na.penalties.Graph(weight, graph)
    d = na.decompose(V, [na.Factor(W, unit="l2"), na.Factor(H, penalties=(penalty,))])
    gaps = (
        np.square(d.H[:, first] - d.H[:, second]).sum()
        / np.square(d.H).sum()
        / len(first)
    )
    distances.append(gaps * V.shape[1])
    ax.imshow(np.sqrt(d.H), aspect="auto", cmap="magma", interpolation="nearest")
    ax.set(title=f"Graph({weight}): distance {distances[-1]:.2f}", xlabel="frame")
assert distances[1] < 0.5 * distances[0]
