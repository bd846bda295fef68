"""Where factors start, and what several starts do side by side."""

import threading
import time

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.factorisation.initialisation import INITS, STARTS, random_factors, spa
from nmfaudio.kernels.threads import get_threads, parallel_for_each, set_threads


def recording(dtype=np.float64, shape=(24, 60), rank=5, seed=0):
    """Something with silent frames, silent bins and a few patterns."""
    rng = np.random.default_rng(seed)
    W, H = rng.random((shape[0], rank)) ** 4, rng.random((rank, shape[1])) ** 3
    V = (W @ H).astype(dtype)
    V[3], V[:, 7:9] = 0, 0
    return V


def same(a, b):
    return all(x.tobytes() == y.tobytes() for x, y in zip(a.factors, b.factors, strict=True))


@pytest.fixture
def threads():
    yield set_threads
    set_threads(None)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rank", [1, 4, 70])
@pytest.mark.parametrize("shape", [(24, 60), (24, 1), (1, 60), (9, 9)])
@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
def test_a_start_is_positive_and_as_loud_as_the_data(start, shape, rank, dtype):
    rng = np.random.default_rng(0)
    V = (rng.random(shape) ** 4).astype(dtype)
    V[:, 3:5] = 0
    V[:, 6:] = V[:, :1]  # frames that are the same
    W, H = start(V, rank, rng=rng)
    assert (W.shape, H.shape) == ((shape[0], rank), (rank, shape[1]))
    for F in (W, H):
        assert np.isfinite(F).all()
        assert (F > 0).all()  # a zero would never move
    assert 0.3 < (W @ H).mean() / V.mean() < 3


@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize("beta", [0, 1, 2])
def test_silence_starts_somewhere(init, beta):
    for V in (np.zeros((6, 9)), np.zeros((6, 9), np.float32)):
        d = na.nmf(V, 3, init=init, beta_loss=beta, rng=0, max_iter=20)
        assert d.model().max() < 1e-3
        assert np.isfinite(d.losses).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("init", INITS)
def test_the_same_seed_gives_the_same_bytes_and_memory_order_none_other(init, dtype):
    V = recording(dtype)
    weights = np.random.default_rng(1).random(V.shape) * (V != V[1, 2])
    wide = np.repeat(V, 2, axis=1)
    for said in (None, weights):
        a = na.nmf(V, 4, init=init, weights=said, rng=3, max_iter=9)
        turned = None if said is None else np.asfortranarray(said)
        for other in (V.copy(), np.asfortranarray(V), wide[:, ::2]):
            assert same(a, na.nmf(other, 4, init=init, weights=said, rng=3, max_iter=9))
            assert same(a, na.nmf(other, 4, init=init, weights=turned, rng=3, max_iter=9))


@pytest.mark.parametrize("given", ["W", "H"])
@pytest.mark.parametrize("solver", ["mu", "hals"])
def test_the_memory_order_of_given_factors_changes_nothing(given, solver):
    V = recording()
    F = np.random.default_rng(2).random({"W": (24, 4), "H": (4, 60)}[given])
    a, b = (
        na.nmf(V, **{given: G}, beta_loss=2, solver=solver, rng=0, max_iter=9)
        for G in (F, np.asfortranarray(F))
    )
    assert same(a, b)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_spa_finds_the_templates_that_are_heard_alone(dtype):
    rng = np.random.default_rng(4)
    W, H = rng.random((30, 6)) ** 3, rng.random((6, 80))
    alone = [70, 3, 41, 22, 9, 55]
    H[:, alone] = np.diag(rng.random(6) + 0.1)
    found, _ = spa((W @ H).astype(dtype), 6, rng=rng)
    found, true = (F / np.linalg.norm(F, axis=0) for F in (found, W))
    alike = true.T @ found
    assert sorted(alike.argmax(0)) == list(range(6))
    assert (alike.max(0) > 1 - 1e-4).all()


def test_spa_takes_no_noise_in_a_pause_for_a_sound():
    rng = np.random.default_rng(5)
    W, H = rng.random((30, 3)), rng.random((3, 80))
    V = W @ H
    V[:, 20:50] = 1e-6 * (rng.random((30, 30)) < 0.1)
    pure, _ = spa(np.delete(V, np.s_[20:50], axis=1), 3, rng=rng)
    noisy, _ = spa(V, 3, rng=rng)
    np.testing.assert_allclose(noisy, pure, rtol=0.01)


def test_spa_shares_out_what_is_heard():
    """Where half a frame has no say, the other half is shared out as if it were whole."""
    V = recording(rank=1) + 0.1
    weights = np.ones(V.shape)
    weights[:12, ::2] = 0
    _, H = spa(np.where(weights > 0, V, np.nan), 2, weights=weights, rng=np.random.default_rng(0))
    _, whole = spa(V, 2, rng=np.random.default_rng(0))
    np.testing.assert_allclose(H.sum(0), whole.sum(0), rtol=0.5)


@pytest.mark.parametrize("init", STARTS)
def test_a_start_made_from_the_data_is_ahead_of_chance(init):
    V = recording(shape=(40, 200), rank=8) + 1e-3
    made = na.nmf(V, 8, init=init, rng=0, max_iter=0).losses[0]
    assert made < 0.7 * na.nmf(V, 8, rng=0, max_iter=0).losses[0]


def test_v_is_looked_at_once():
    class Counted:
        looks = 0

        def __array__(self, dtype=None, copy=None):
            self.looks += 1
            return recording()

    V = Counted()
    na.nmf(V, 3, max_iter=1)
    assert V.looks == 1


@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_restarts_are_the_best_of_the_single_runs(count, threads):
    V = recording(np.float32) * np.float32(1e9)
    threads(count)
    seeds = np.random.default_rng(0).spawn(5)
    singles = [
        na.decompose(V, best_starts(child), max_iter=30, tol=0, rng=0).losses for child in seeds
    ]
    best = na.nmf(V, 4, n_init=5, rng=0, max_iter=30, tol=0)
    assert best.losses.tolist() == min(singles, key=lambda losses: losses[-1]).tolist()


def best_starts(child):
    """The random starts of `nmf`, from one of its generators."""
    W, H = random_factors((24, 4), (4, 60), None, None)
    return [na.Factor(lambda V, w, _, F=F: F(V, w, child)) for F in (W, H)]


def test_of_equals_the_first_is_kept(threads):
    threads(3)
    V = recording()

    def start(V, weights, rng):
        F = np.zeros((24, 2))
        F[0, 0] = rng.random()  # of another size in each start, and as bad a fit
        return F

    factors = [na.Factor(start, free=False), na.Factor(np.zeros((2, 60)), free=False)]
    kept = na.decompose(V, factors, n_init=6, rng=0, divergence=na.Beta(2))
    first = np.random.default_rng(0).spawn(6)[0].random()
    assert kept.W[0, 0] == first


def test_callbacks_come_one_at_a_time_from_every_start(threads):
    threads(3)
    busy, seen = threading.Lock(), []

    def callback(progress):
        assert busy.acquire(blocking=False)
        time.sleep(0.002)
        seen.append(progress)
        busy.release()

    na.nmf(recording(), 3, n_init=5, rng=0, max_iter=40, tol=0, callback=callback)
    for start in range(5):
        assert [p.iteration for p in seen if p.start_index == start] == [10, 20, 30, 40]


def test_true_from_a_callback_stops_all_starts(threads):
    threads(2)
    seen = []

    def callback(progress):
        seen.append(progress)
        return len(seen) == 3

    d = na.nmf(recording(), 3, n_init=50, rng=0, max_iter=10**6, tol=0, callback=callback)
    assert len(seen) == 3
    assert d.n_iter <= 40


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_what_fails_in_one_start_ends_all_and_is_raised(error, threads):
    threads(2)
    before = threading.active_count()

    def callback(progress):
        if progress.start_index == 1 and progress.iteration == 20:
            raise error("enough")

    with pytest.raises(error, match="enough"):
        na.nmf(recording(), 3, n_init=50, rng=0, max_iter=10**7, tol=0, callback=callback)
    deadline = time.monotonic() + 20
    while error is KeyboardInterrupt and threading.active_count() > before:
        assert time.monotonic() < deadline  # it does not wait for the others, but ends them
        time.sleep(0.01)
    assert threading.active_count() == before


def test_jobs_side_by_side_share_the_threads(threads):
    threads(5)
    both, one_left, seen = threading.Barrier(2), threading.Event(), {}

    def job(number):
        both.wait(10)
        seen[number] = get_threads()
        both.wait(10)
        if number == 1:
            assert one_left.wait(10)
            while get_threads() < 5:
                time.sleep(0.001)

    threading.Timer(0.05, one_left.set).start()
    parallel_for_each(job, 2)
    assert seen == {0: 2, 1: 2}
    assert get_threads() == 5


def test_jobs_see_the_callers_errstate(threads):
    threads(2)
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        parallel_for_each(lambda number: np.float32([1e38]) * np.float32(1e38), 2)


@pytest.mark.parametrize("gain", [1e-3, 1e4])
@pytest.mark.parametrize("solver", ["mu", "bmme"])
def test_a_start_of_another_scale_stops_no_earlier(solver, gain):
    rng = np.random.default_rng(0)
    V = rng.random((40, 5)) @ rng.random((5, 60)) ** 4 + 0.05 * rng.random((40, 60))
    W, H = rng.random((40, 5)), rng.random((5, 60))
    good, poor = (
        na.nmf(V, W=scale * W, H=H, solver=solver, max_iter=1000) for scale in (0.5, gain)
    )
    assert good.converged
    assert poor.losses[-1] == pytest.approx(good.losses[-1], rel=0.05)
