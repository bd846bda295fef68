"""A planted rank is found, and nothing but data and seed decides."""

import numpy as np
import pytest

import nmfaudio as na
from benchmarks.ranks import METHODS as MEASURED
from benchmarks.ranks import NOISES, RANK, selected_rank
from nmfaudio.factorisation.rank_selection import METHODS
from nmfaudio.factorisation.rank_selection.crossval import CrossValidation
from nmfaudio.factorisation.rank_selection.error import ErrorCurve
from nmfaudio.factorisation.rank_selection.stability import Stability, cophenetic_correlation
from nmfaudio.kernels.threads import set_threads


def small(rank=3, seed=0):
    """Counts with a planted rank, quick to fit."""
    rng = np.random.default_rng(seed)
    Y = rng.gamma(0.5, 20.0, (20, rank)) @ rng.gamma(0.5, 2.0, (rank, 40))
    return rng.poisson(Y).astype(np.float64)


def quick(V, method="cv", **options):
    few = {"stability": {"n_init": 3, "max_iter": 60}, "error": {"n_init": 1}}.get(method, {})
    return na.rank_selection.select_rank(V, range(1, 6), method=method, rng=0, **{**few, **options})


@pytest.mark.parametrize("rank", [2, 3])
@pytest.mark.parametrize("method", METHODS)
def test_a_planted_rank_is_found(method, rank):
    few = {"n_init": 10} if method == "stability" else {}
    found = quick(small(rank), method, **few)
    assert found.best == rank
    assert found.ranks == (1, 2, 3, 4, 5)
    assert found.method == method


@pytest.mark.slow
@pytest.mark.parametrize(("method", "least"), [("cv", 11), ("ard", 12), ("error", 11)])
def test_planted_ranks_are_found_as_often_as_the_benchmark_says(method, least):
    assert method in MEASURED
    hits = [selected_rank(method, noise, seed) == RANK for noise in NOISES for seed in range(3)]
    assert sum(hits) >= least


def test_the_dispersion_decides_what_is_noise():
    V = 6.0 * small()
    assert quick(V, "ard").best == quick(V, "ard", dispersion=6.0).best == 3
    assert quick(V, "ard", dispersion=0.5).best > 3
    assert quick(V, "ard", dispersion=600.0).best < 3


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_makes_the_same_scores_on_any_number_of_threads(method):
    found = []
    try:
        for threads in (1, 3):
            set_threads(threads)
            found.append(quick(small(), method, n_init=2, max_iter=20).scores)
    finally:
        set_threads(None)
    assert found[0] == found[1]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("beta", [0, 1, 2])
def test_scaling_V_changes_no_choice_and_scores_as_the_divergence_does(method, beta):
    V, gain = small() + 1.0, 2.0**20
    for options in [{"dispersion": 0.4}, {}] if method == "ard" else [{}]:
        more = {k: v * gain**beta for k, v in options.items()}
        a = quick(V, method, beta_loss=beta, max_iter=40, **options)
        b = quick(V * gain, method, beta_loss=beta, max_iter=40, **more)
        assert a.best == b.best
        times = gain**beta if method in ("cv", "error") else 1.0
        for rank in a.ranks:
            assert b.scores[rank] == pytest.approx(times * a.scores[rank], rel=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_bins_of_weight_0_have_no_say(method):
    V = small()
    weights = (np.random.default_rng(1).random(V.shape) < 0.9) * 1.0
    spoiled = np.where(weights > 0, V, 1e6)
    a, b = (quick(X, method, weights=weights, max_iter=20) for X in (V, spoiled))
    assert a.scores == b.scores
    masked = quick(np.ma.masked_array(spoiled, weights == 0), method, max_iter=20)
    assert masked.scores == a.scores


@pytest.mark.parametrize("method", METHODS)
def test_nothing_is_written_into_V(method):
    V = small()
    V.flags.writeable = False
    quick(V, method, max_iter=5)


def test_every_bin_is_held_out_once_with_its_block():
    fold = CrossValidation(3, (2, 5))._folds((9, 23), np.random.default_rng(0))
    assert fold.shape == (9, 23)
    blocks = [fold[i : i + 2, j : j + 5] for i in range(0, 9, 2) for j in range(0, 23, 5)]
    assert all(np.ptp(block) == 0 for block in blocks)
    counts = np.bincount([block[0, 0] for block in blocks], minlength=3)
    assert counts.sum() == 25
    assert np.ptp(counts) <= 1


def test_blocks_tell_less_of_what_neighbours_know():
    """Where neighbours hold the same noise, speckles are predicted by it and blocks are not."""
    V = small(2)
    twins = np.repeat(np.repeat(V, 3, axis=0), 3, axis=1)
    rich, fair = (
        na.rank_selection.select_rank(twins, range(1, 7), rng=0, block=b, folds=3).best
        for b in ((1, 1), (3, 3))
    )
    assert rich > fair == 2


def test_the_elbow_is_the_corner_of_a_bent_line():
    errors = {rank: float(np.exp(-2 * min(rank, 4) - 0.1 * rank)) for rank in range(1, 10)}
    assert ErrorCurve().choose(errors) == 4
    assert ErrorCurve().choose({2: 0.0, 3: 0.0}) == 2


def test_stability_is_1_where_all_agree_and_less_where_they_do_not():
    groups = np.repeat([0, 1, 2], 4)
    clear = (groups[:, None] == groups) * 1.0
    assert cophenetic_correlation(clear) == pytest.approx(1)
    assert cophenetic_correlation(np.ones((5, 5))) == 1.0
    noise = np.random.default_rng(0).random((12, 12))
    assert cophenetic_correlation((noise + noise.T) / 2) < 0.9
    assert Stability().choose({1: 1.0, 2: 0.995, 3: 0.999, 4: 0.992, 5: 0.9}) == 4


@pytest.mark.parametrize("method", METHODS)
def test_the_callback_counts_all_fits(method):
    seen = []
    quick(small(), method, max_iter=5, callback=seen.append)
    assert [p.iteration for p in seen] == list(range(1, seen[0].max_iter + 1))


def test_stopping_leaves_out_what_was_not_reached():
    found = quick(small(), "error", callback=lambda p: p.iteration == 3)
    assert found.best in (1, 2)
    assert np.isfinite(list(found.scores.values())).tolist() == [True, True, False, False, False]
    found.plot()
    with pytest.raises(na.ParameterError, match="before any rank"):
        quick(small(), "cv", callback=lambda p: True)


def test_the_picture_marks_the_best():
    found = quick(small(), "error")
    axes = found.plot()
    curve, mark = axes.lines
    assert np.array_equal(curve.get_ydata(), list(found.scores.values()))
    assert (mark.get_xdata()[0], mark.get_ydata()[0]) == (found.best, found.scores[found.best])


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"method": "aic"}, "method is 'aic'"),
        ({"folds": 1}, "folds"),
        ({"block": (0, 1)}, "block"),
        ({"block": (20, 40)}, "fold empty"),
        ({"method": "ard", "dispersion": 0.0}, "dispersion"),
        ({"n_init": 0}, "n_init"),
        ({"method": "stability", "n_init": 1}, "n_init"),
        ({"max_iter": 0}, "max_iter"),
        ({"rng": "x"}, "rng"),
    ],
)
def test_what_cannot_work_is_refused(options, match):
    with pytest.raises(na.ParameterError, match=match):
        na.rank_selection.select_rank(small(), [1, 2], **options)


@pytest.mark.parametrize("ranks", [[], [0, 1], [1.5], 5])
def test_ranks_that_are_none_are_refused(ranks):
    with pytest.raises(na.ParameterError, match="ranks"):
        na.rank_selection.select_rank(small(), ranks)
