"""Small results to draw."""

import numpy as np
import pytest

import nmfaudio as na

try:
    import matplotlib as mpl
except ImportError:  # a conftest that skips would be an error where the folder itself is named
    collect_ignore_glob = ["test_*.py"]
else:
    mpl.use("Agg")


@pytest.fixture(scope="session")
def stems():
    y = np.random.default_rng(0).standard_normal((2, 4000))
    return na.separate(y, 4000, n_components=4, max_iter=10)


@pytest.fixture(scope="session")
def V():
    rng = np.random.default_rng(0)
    return rng.random((8, 3)) @ rng.random((3, 12))


@pytest.fixture(scope="session")
def history(V):
    kept = na.display.History()
    na.nmf(V, 3, n_init=3, max_iter=12, tol=0, check_every=2, rng=0, callback=kept)
    return kept
