"""Instances of every penalty and small cases of every structure, over which the laws run.

An entry for a new penalty or structure subjects it to every law.
"""

from functools import partial

import numpy as np

import nmfaudio as na
from nmfaudio.factorisation.penalties import Terms

FREQ, TIME, RANK, LAGS = 13, 22, 3, 4
SIZES = {"freq": FREQ, "time": TIME, "rank": RANK, "lags": LAGS}


def positive(rng, *shape):
    return rng.random(shape) + 0.1


SHAPES = {
    "product": lambda freq, time, rank, lags: (
        na.structures.Product(),
        [(freq, rank), (rank, time)],
    ),
    "deep": lambda freq, time, rank, lags: (
        na.structures.Product(),
        [(freq, 5), (5, rank), (rank, time)],
    ),
    "convolutive": lambda freq, time, rank, lags: (
        na.structures.Convolutive(),
        [(lags, freq, rank), (rank, time)],
    ),
    "channels": lambda freq, time, rank, lags: (
        na.structures.Channels(),
        [(2, rank), (freq, rank), (rank, time)],
    ),
    "convolutive-2d": lambda freq, time, rank, lags: (
        na.structures.Convolutive2D(),
        [(lags, freq, rank), (min(freq, 3), rank, time)],
    ),
    "harmonic": lambda freq, time, rank, lags: (
        na.structures.Harmonic(),
        [(freq, 4, rank), (4, rank), (rank, time)],
    ),
    "source-filter": lambda freq, time, rank, lags: (
        na.structures.SourceFilter(),
        [(freq, rank), (rank, time), (freq, lags), (lags, time), (freq, 2), (2, time)],
    ),
    "masked": lambda freq, time, rank, lags: (
        na.structures.Masked(),
        [(freq, 1), (freq, rank), (rank, time), (1, time), (freq, 2), (2, time)],
    ),
    "attack-decay": lambda freq, time, rank, lags: (
        na.structures.AttackDecay(),
        [(2, freq, rank), (2, lags, rank), (rank, time)],
    ),
}
"""Functions from sizes to (structure, shapes of factors), by name."""

TWO_KINDS = {"source-filter", "masked"}
"""Structures whose components are split between several factors."""


def made(name, rng, **sizes):
    """Return (structure, positive factors) for sizes that default to `SIZES`."""
    structure, shapes = SHAPES[name](**{**SIZES, **sizes})
    return structure, [positive(rng, *shape) for shape in shapes]


STRUCTURES = {name: partial(made, name) for name in SHAPES}
"""Functions from a generator to (structure, factors), by name."""


class InverseGamma:
    """User-defined penalty, ``Σ a log F + b / F``."""

    def __init__(self, a, b):
        self.a, self.b = a, b

    def value(self, F, factors):
        X = F[F > 0].astype(float)
        return float((self.a * np.log(X) + self.b / X).sum())

    def majorize(self, F, factors):
        X = np.where(F > 0, F, 1.0).astype(float)
        return Terms(linear=self.a / X, inverse=np.full(F.shape, self.b))


def random_graph(rng, n):
    A = np.triu(rng.random((n, n)) * (rng.random((n, n)) < 0.3), 1)
    return A + A.T


PENALTIES = {
    "l1": lambda rng, shape: na.penalties.L1(0.3),
    "l2": lambda rng, shape: na.penalties.L2(0.4),
    "log": lambda rng, shape: na.penalties.Log(0.3, 0.2),
    "group": lambda rng, shape: na.penalties.GroupSparsity(0.4, [k // 2 for k in range(shape[0])]),
    "logarithm of groups": lambda rng, shape: na.penalties.LogGroupSparsity(
        0.4, [k // 2 for k in range(shape[0])], eps=0.3
    ),
    "group over the last axis": lambda rng, shape: na.penalties.GroupSparsity(
        0.2, rng.integers(3, size=shape[-1]), -1
    ),
    "smooth": lambda rng, shape: na.penalties.Smooth(2.0),
    "smooth, first axis": lambda rng, shape: na.penalties.Smooth(0.9, axis=0),
    "smooth ratio": lambda rng, shape: na.penalties.SmoothRatio(0.7),
    "graph": lambda rng, shape: na.penalties.Graph(0.8, random_graph(rng, shape[-1])),
    "decorrelated": lambda rng, shape: na.penalties.Decorrelated(0.3),
    "minimum volume": lambda rng, shape: na.penalties.MinVolume(0.5, 0.1, axis=0),
    "prior": lambda rng, shape: na.penalties.Prior(
        2.0, rng.random(shape) * (rng.random(shape) < 0.8)
    ),
    "inverse gamma": lambda rng, shape: InverseGamma(0.2, 0.01),
}
"""Functions from a generator and a shape (component, …, n) to a penalty, by name."""
