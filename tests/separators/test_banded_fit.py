"""Models are fitted in bands, and their known templates stay as they are in bins."""

import numpy as np

from nmfaudio.audio.frequency_bands import FrequencyBands
from nmfaudio.factorisation.structures import Product
from nmfaudio.separators.banded_fit import fit_in_bands

RNG = np.random.default_rng(0)
V = RNG.random((60, 4)) @ RNG.random((4, 80))
BANDS = FrequencyBands.proportional(60, 0.2)
START = RNG.random((len(BANDS.edges), 4)), RNG.random((4, 80))


def fitted(**chosen):
    settings = {"max_iter": 50, "tol": 0, "refit_iter": 5, "refit_H": False} | chosen
    return fit_in_bands(
        V, BANDS, *START, n_components=4, structure=Product(), callback=None, rng=RNG, **settings
    )


def test_refitting_resolves_the_bins_of_a_band():
    spread, refitted = fitted(refit_iter=0), fitted()
    np.testing.assert_allclose(spread.W, BANDS.spread(BANDS.pool(spread.W)), rtol=1e-12)
    np.testing.assert_array_equal(spread.H, refitted.H)
    assert refitted.losses[-1] < 0.5 * spread.losses[-1]
    assert fitted(refit_H=True).losses[-1] < refitted.losses[-1]
    assert refitted.n_iter == 50


def test_known_templates_stay():
    known = RNG.random((60, 3))
    d = fitted(known=known)
    np.testing.assert_array_equal(d.W[:, :3], known)
    assert not np.allclose(d.W[:, 3:], BANDS.spread(BANDS.pool(d.W[:, 3:])))
    every = RNG.random((60, 4))
    np.testing.assert_array_equal(fitted(known=every).W, every)
