"""Models of an ensemble are fitted in parallel, and do not depend on it."""

import threading

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.kernels.threads import set_threads
from nmfaudio.separators.ensemble import average_models

V = np.random.default_rng(0).random((20, 30))


@pytest.fixture(params=[1, 2])
def threads(request):
    set_threads(request.param)
    yield request.param
    set_threads(None)


@pytest.mark.parametrize("threads", [2], indirect=True)
def test_models_are_fitted_in_parallel(threads):
    both_run = threading.Barrier(2, timeout=60)

    def fit(index, report, rng):
        both_run.wait()
        return na.nmf(V, 2, max_iter=10, rng=rng)

    assert average_models(V, fit, 2, callback=None, rng=0).n_components == 4


def test_models_are_in_their_order_whatever_the_threads(threads):
    single = [na.nmf(V, 2, rng=rng) for rng in np.random.default_rng(0).spawn(5)]
    mean = average_models(V, lambda _, report, rng: na.nmf(V, 2, rng=rng), 5, callback=None, rng=0)
    np.testing.assert_array_equal(mean.W, np.concatenate([d.W for d in single], axis=1))
    np.testing.assert_array_equal(mean.start_losses, [d.losses[-1] for d in single])


def test_the_callback_is_never_called_concurrently(threads):
    seen, busy = [], threading.Lock()

    def callback(progress):
        assert busy.acquire(blocking=False)
        seen.append((progress.start_index, progress.n_starts))
        busy.release()

    def fit(index, report, rng):
        return na.nmf(V, 2, max_iter=200, check_every=1, tol=0, callback=report, rng=rng)

    average_models(V, fit, 3, callback=callback, rng=0)
    assert sorted(seen) == [(i, 3) for i in range(3) for _ in range(200)]


@pytest.mark.parametrize("separator", [na.HpssSeparator, na.DenoiseSeparator])
def test_the_bytes_do_not_depend_on_the_number_of_threads(separator):
    y = np.random.default_rng(1).standard_normal((2, 6000)).astype(np.float32)
    stems = {}
    for count in (1, 2):
        set_threads(count)
        stems[count] = separator(max_iter=10, n_fft=256)(y, 8000)
    set_threads(None)
    for name, stem in stems[1].items():
        np.testing.assert_array_equal(stem, stems[2][name])
