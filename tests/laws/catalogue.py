"""What the laws run over: an instance of every penalty, a small case of every structure.

A new penalty or structure is added here, and every law then holds it to what must always be true.
"""

from functools import partial

import nmfaudio as na

FREQ, TIME, RANK, LAGS = 13, 22, 3, 4
SIZES = {"freq": FREQ, "time": TIME, "rank": RANK, "lags": LAGS}


def positive(rng, *shape):
    return rng.random(shape) + 0.1


SHAPES = {
    "product": lambda freq, time, rank, lags: (na.Product(), [(freq, rank), (rank, time)]),
    "deep": lambda freq, time, rank, lags: (na.Product(), [(freq, 5), (5, rank), (rank, time)]),
    "convolutive": lambda freq, time, rank, lags: (
        na.Convolutive(),
        [(lags, freq, rank), (rank, time)],
    ),
    "channels": lambda freq, time, rank, lags: (
        na.Channels(),
        [(2, rank), (freq, rank), (rank, time)],
    ),
    "convolutive-2d": lambda freq, time, rank, lags: (
        na.Convolutive2D(),
        [(lags, freq, rank), (min(freq, 3), rank, time)],
    ),
    "harmonic": lambda freq, time, rank, lags: (
        na.Harmonic(),
        [(freq, 4, rank), (4, rank), (rank, time)],
    ),
    "source-filter": lambda freq, time, rank, lags: (
        na.SourceFilter(),
        [(freq, rank), (rank, time), (freq, lags), (lags, time), (freq, 2), (2, time)],
    ),
}
"""Per name, from sizes to (structure, shapes of factors that fit it)."""


def made(name, rng, **sizes):
    """(structure, positive factors) of the sizes given, the rest as in `SIZES`."""
    structure, shapes = SHAPES[name](**{**SIZES, **sizes})
    return structure, [positive(rng, *shape) for shape in shapes]


STRUCTURES = {name: partial(made, name) for name in SHAPES}
"""Per name, from a generator to (structure, factors); its `shape` says that of the model."""

PENALTIES = {
    "l1": lambda rng, shape: na.L1(0.3),
    "l2": lambda rng, shape: na.L2(0.4),
    "smooth": lambda rng, shape: na.Smooth(2.0),
}
"""Per name, from a generator and a factor's shape (component, n) to a penalty of it."""
