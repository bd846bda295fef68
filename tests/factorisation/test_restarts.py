"""Several starts: where each ended is told, and the best is what is returned."""

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio._common.files import load_archive, save_archive
from nmfaudio.kernels.threads import set_threads


@pytest.fixture
def V():
    return np.random.default_rng(0).random((12, 20))


@pytest.mark.parametrize("count", [1, 4])
def test_the_result_is_the_lowest_of_the_starts(V, count):
    d = na.nmf(V, 4, n_init=count, rng=0, max_iter=20)
    assert d.start_losses.shape == (count,)
    assert d.start_losses.min() == d.losses[-1]
    assert ("starts ended between" in repr(d)) == (count > 1)


def test_any_number_of_threads_tells_the_same(V):
    try:
        found = []
        for threads in (1, 2, 5):
            set_threads(threads)
            found.append(na.nmf(V, 4, n_init=5, rng=0, max_iter=20).start_losses)
    finally:
        set_threads(None)
    assert len(set(found[0])) == 5
    assert all(np.array_equal(found[0], other) for other in found[1:])


def test_a_start_that_never_began_has_no_loss(V):
    set_threads(1)
    try:
        d = na.nmf(V, 4, n_init=3, rng=0, callback=lambda p: p.start_index == 1)
    finally:
        set_threads(None)
    assert np.isfinite(d.start_losses).tolist() == [True, True, False]
    assert np.nanmin(d.start_losses) == d.losses[-1]
    assert "2 starts" in repr(d)


def test_they_are_saved_and_older_files_load_without(V, tmp_path):
    set_threads(1)
    try:
        d = na.nmf(V, 4, n_init=3, rng=0, callback=lambda p: p.start_index == 1)
    finally:
        set_threads(None)
    d.save(tmp_path / "d.npz")
    loaded = na.Decomposition.load(tmp_path / "d.npz")
    np.testing.assert_array_equal(loaded.start_losses, d.start_losses)
    header, arrays = load_archive(tmp_path / "d.npz", kind="decomposition")
    older = {k: v for k, v in header.items() if k != "start_losses"}
    save_archive(tmp_path / "old.npz", older, arrays)
    assert na.Decomposition.load(tmp_path / "old.npz").start_losses.size == 0
