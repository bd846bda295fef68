"""What the laws run over: an instance of every penalty, a small case of every structure.

A new penalty or structure is added here, and every law then holds it to what must always be true.
"""

import numpy as np

import nmfaudio as na
from nmfaudio.penalties import Terms

FREQ, TIME, RANK, LAGS = 13, 22, 3, 4


def positive(rng, *shape):
    return rng.random(shape) + 0.1


STRUCTURES = {
    "product": lambda rng: (na.Product(), [positive(rng, FREQ, RANK), positive(rng, RANK, TIME)]),
    "deep": lambda rng: (
        na.Product(),
        [positive(rng, FREQ, 5), positive(rng, 5, RANK), positive(rng, RANK, TIME)],
    ),
    "convolutive": lambda rng: (
        na.Convolutive(),
        [positive(rng, LAGS, FREQ, RANK), positive(rng, RANK, TIME)],
    ),
}
"""Per name, from a generator to (structure, factors that make a model of (FREQ, TIME))."""


class InverseGamma:
    """``Σ a log F + b / F``: one of a user's own making, with all the terms there are."""

    def __init__(self, a, b):
        self.a, self.b = a, b

    def value(self, F, factors):
        X = F[F > 0].astype(float)
        return float((self.a * np.log(X) + self.b / X).sum())

    def majorize(self, F, factors):
        X = np.maximum(F.astype(float), 1e-300)
        return Terms(lin=self.a / X, push=self.b * (F > 0))


def some_graph(rng, n):
    A = np.triu(rng.random((n, n)) * (rng.random((n, n)) < 0.3), 1)
    return A + A.T


PENALTIES = {
    "l1": lambda rng, shape: na.L1(0.3),
    "l2": lambda rng, shape: na.L2(0.4),
    "log": lambda rng, shape: na.Log(0.3, 0.2),
    "group": lambda rng, shape: na.Group(0.4, [k // 2 for k in range(shape[0])]),
    "group over the last axis": lambda rng, shape: na.Group(
        0.2, rng.integers(3, size=shape[-1]), -1
    ),
    "smooth": lambda rng, shape: na.Smooth(2.0),
    "smooth, first axis": lambda rng, shape: na.Smooth(0.9, axis=0),
    "smooth ratio": lambda rng, shape: na.SmoothRatio(0.7),
    "graph": lambda rng, shape: na.Graph(0.8, some_graph(rng, shape[-1])),
    "decorrelated": lambda rng, shape: na.Decorrelated(0.3),
    "minimum volume": lambda rng, shape: na.MinVolume(0.5, 0.1, axis=0),
    "prior": lambda rng, shape: na.Prior(2.0, rng.random(shape) * (rng.random(shape) < 0.8)),
    "inverse gamma": lambda rng, shape: InverseGamma(0.2, 0.01),
}
"""Per name, from a generator and a factor's shape (component, …, n) to a penalty of it."""
