"""Models of groups of components."""

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.stems.masks import group_parts

V = np.random.default_rng(0).random((40, 60)) + 0.1


@pytest.mark.parametrize("lags", [1, 3])
def test_models_of_groups_equal_those_of_the_decomposition(lags):
    rng = np.random.default_rng(1)
    W = rng.random((lags, 40, 5)) if lags > 1 else rng.random((40, 5))
    structure = na.structures.Convolutive() if lags > 1 else na.structures.Product()
    factors = [na.Factor(W), na.Factor(rng.random((5, 60)))]
    decomposition = na.decompose(V, factors, structure=structure, max_iter=2)
    groups = [[4, 0], [1], [2, 3]]
    parts = group_parts(decomposition, groups)
    for frames in (slice(0, 60), slice(7, 9), slice(50, 60)):
        for group, model in zip(groups, parts(frames), strict=True):
            np.testing.assert_array_equal(model, decomposition.part(group, frames))
