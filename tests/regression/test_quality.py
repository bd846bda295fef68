"""Blind separation stays as good as it was measured: `python -m benchmarks.quality`."""

import numpy as np
import pytest

from benchmarks.quality import blind, load

# Mean SI-SDR in dB over the sources of each sample, of the mixture and of our stems (seed 0).
MEASURED = {"drums": (-4.1, 11.7), "trio": (-3.1, 7.0), "band": (-2.9, 2.4), "band, 2": (0.1, 8.2)}


@pytest.mark.parametrize("case", MEASURED)
def test_blind_separation_is_as_good_as_it_was(case):
    mixture, sr, named = load(case)
    score = np.mean(blind(mixture, sr, list(named.values()), seed=0))
    assert score > MEASURED[case][1] - 0.7
    assert score > MEASURED[case][0] + 5
