"""What the laws run over: an instance of every penalty, a small case of every structure.

A new penalty or structure is added here, and every law then holds it to what must always be true.
"""

import nmfaudio as na

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

PENALTIES = {
    "l1": lambda rng, shape: na.L1(0.3),
    "l2": lambda rng, shape: na.L2(0.4),
    "smooth": lambda rng, shape: na.Smooth(2.0),
}
"""Per name, from a generator and a factor's shape (component, n) to a penalty of it."""
