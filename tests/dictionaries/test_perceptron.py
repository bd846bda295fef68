"""Networks that ship: the same values as in NumPy, and in a file."""

import itertools

import numpy as np

from nmfaudio.dictionaries.perceptron import Perceptron

RNG = np.random.default_rng(0)
SIZES = (5, 7, 3, 2)
NETWORK = Perceptron(
    RNG.normal(size=5),
    1 + RNG.random(5),
    tuple(RNG.normal(size=shape) for shape in itertools.pairwise(SIZES)),
    tuple(RNG.normal(size=size) for size in SIZES[1:]),
)


def test_outputs_are_those_of_numpy():
    features = RNG.normal(size=(40, 5))
    units = (features - NETWORK.mean) / NETWORK.scale
    for layer, (weights, biases) in enumerate(zip(NETWORK.weights, NETWORK.biases, strict=True)):
        units = (units if layer == 0 else np.maximum(units, 0)) @ weights + biases
    np.testing.assert_allclose(NETWORK(features), units)


def test_a_file_keeps_the_values(tmp_path):
    path = tmp_path / "network.npz"
    np.savez(path, labels=["one", "two"], **NETWORK.arrays())
    features = RNG.normal(size=(4, 5))
    assert np.array_equal(Perceptron.load(path)(features), NETWORK(features))
