"""Each penalty does what it is for."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import minimize_scalar
from sklearn.cluster import KMeans
from sklearn.metrics import normalized_mutual_info_score

import nmfaudio as na


def test_smooth_activations_are_smoother():
    rng = np.random.default_rng(0)
    V, W, H = rng.random((12, 40)), rng.random((12, 3)), rng.random((3, 40))
    rough = []
    for weight in (0.0, 1.0, 100.0):
        d = na.decompose(
            V, [na.Factor(W, free=False), na.Factor(H, True, (na.penalties.Smooth(weight),))]
        )
        rough.append(np.square(np.diff(d.H)).sum())
    assert rough[0] > rough[1] > rough[2]


def sparse_case(rng):
    truth = rng.random((3, 30)) * (rng.random((3, 30)) < 0.4)
    V = rng.random((15, 3)) @ truth + 0.01
    return V, rng.random((15, 5)) + 0.1, rng.random((5, 30)) + 0.1


def share_of_silence(H):
    return (H < 1e-2 * H.max()).mean()


@pytest.mark.parametrize("beta", [0, 0.5, 1, 2, 3])
@pytest.mark.parametrize(
    "penalty", [na.penalties.L1, lambda w: na.penalties.Log(w, 0.1)], ids=["l1", "log"]
)
def test_sparse_penalties_sparsify_under_a_unit_norm(penalty, beta):
    V, W, H = sparse_case(np.random.default_rng(0))
    V, scale = V / V.mean(), V.mean()
    H = H / scale
    shares = []
    for weight in (0.0, 0.3, 3.0):
        factors = [na.Factor(W, unit="l2"), na.Factor(H, True, (penalty(weight),))]
        d = na.decompose(V, factors, divergence=na.Beta(beta), max_iter=300, tol=0, solver="mu")
        shares.append(share_of_silence(d.H))
    assert shares[0] <= shares[1] <= shares[2]
    assert shares[2] > shares[0] + 0.1


def test_l1_under_the_l1_norm_does_nothing_for_kl():
    """Then it costs weight · ΣV whatever the model's shape: only the model's level changes."""
    V, W, H = sparse_case(np.random.default_rng(1))
    plain, penalised = (
        na.decompose(
            V,
            [na.Factor(W[:, :3], unit="l1"), na.Factor(H[:3], True, (na.penalties.L1(weight),))],
            max_iter=1500,
            tol=0,
            solver="mu",
        )
        for weight in (0.0, 1.0)
    )
    np.testing.assert_allclose(2 * penalised.model(), plain.model(), atol=1e-3 * V.max())
    assert share_of_silence(penalised.H) == pytest.approx(share_of_silence(plain.H), abs=0.02)


def test_log_leaves_large_entries_nearer_their_value_than_l1():
    """Both silence what is small; L1 takes the same from what is large."""
    rng = np.random.default_rng(2)
    W = np.eye(6)
    truth = np.where(rng.random((6, 40)) < 0.3, 5 + rng.random((6, 40)), 0.02)
    found = []
    for penalty in (na.penalties.L1(0.8), na.penalties.Log(0.2, 0.1)):
        H = na.Factor(np.ones((6, 40)), True, (penalty,))
        d = na.decompose(truth, [na.Factor(W, False), H], divergence=na.Beta(2), tol=0)
        assert (d.H[truth < 1] < 1e-6).all()
        found.append(abs(d.H - truth)[truth > 1].mean())
    assert found[1] < 0.1 * found[0]


def test_groups_fall_silent_together():
    rng = np.random.default_rng(0)
    groups = ["a", "a", "a", "b", "b", "b", "c", "c", "c"]
    on = rng.random((3, 40)) < 0.4
    W = rng.random((15, 9)) ** 2
    V = W @ (np.repeat(on, 3, axis=0) * (0.2 + rng.random((9, 40))))
    V = np.maximum(V + 0.25 * rng.normal(size=V.shape), 0)
    start, wrong, partly = rng.random((9, 40)), [], []
    for penalty in (
        na.penalties.L1(0.0),
        na.penalties.L1(1.6),
        na.penalties.GroupSparsity(1.6, groups),
    ):
        factors = [na.Factor(W, False), na.Factor(start, True, (penalty,))]
        H = na.decompose(V, factors, divergence=na.Beta(2), max_iter=300, tol=0).H
        sounds = H.reshape(3, 3, 40) > 1e-3
        wrong.append((sounds.any(1) != on).mean())
        partly.append((sounds.any(1) & ~sounds.all(1)).mean())
    assert wrong[2] < wrong[1] < wrong[0]
    assert partly[2] < partly[1] < partly[0]


def winding_classes(rng, per=50):
    """Sounds that glide through six spectra each, so that a class has no typical member."""
    glides = []
    for _ in range(3):
        stations = rng.random((6, 40)) ** 3
        at = np.linspace(0, 5, per)
        glide = np.stack([np.interp(at, np.arange(6), one) for one in stations.T])
        glides.append(glide * rng.gamma(20, 1 / 20, (40, per)))
    V = np.hstack(glides)
    return 30 * V / V.sum(0), np.repeat(np.arange(3), per)


def test_a_graph_makes_neighbours_alike_and_winding_classes_clearer():
    clearness, apart = [], []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        V, classes = winding_classes(rng)
        A = na.penalties.nearest_neighbours(V, 5)
        start = rng.random((40, 3)), rng.random((3, V.shape[1]))
        for weight in (0.0, 0.1):
            H = na.Factor(start[1], True, (na.penalties.Graph(weight, A),))
            W = na.Factor(start[0], unit="l1")
            H = na.decompose(V, [W, H], max_iter=200, tol=0, solver="mu").H
            H = H / H.sum(0)
            edges = A.tocoo()
            apart.append(np.square(H[:, edges.row] - H[:, edges.col]).sum())
            guess = KMeans(3, n_init=5, random_state=0).fit_predict(H.T)
            clearness.append(normalized_mutual_info_score(classes, guess))
    assert (np.array(apart[1::2]) < 0.3 * np.array(apart[::2])).all()
    assert np.mean(clearness[1::2]) > np.mean(clearness[::2])


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(2, 30), k=st.integers(1, 5))
def test_neighbours_are_the_nearest(seed, n, k):
    rng = np.random.default_rng(seed)
    k = min(k, n - 1)
    V = rng.random((4, n)) * 10.0 ** rng.integers(-200, 100, n)
    A = na.penalties.nearest_neighbours(V, k, weighting="cosine")
    assert abs(A - A.T).max() == 0
    X = V / V.max(0)
    X /= np.linalg.norm(X, axis=0)
    cosine = X.T @ X
    np.fill_diagonal(cosine, -1)
    asks = cosine >= np.sort(cosine, axis=1)[:, -k, None]
    np.testing.assert_allclose(A.toarray(), np.where(asks | asks.T, cosine, 0), atol=1e-12)
    assert (na.penalties.nearest_neighbours(V, k).toarray() == (A.toarray() > 0)).all()


def test_a_silent_frame_has_no_neighbours():
    V = np.array([[1.0, 0.0, 2.0], [1.0, 0.0, 1.0]])
    assert na.penalties.nearest_neighbours(V, 2).toarray().tolist() == [
        [0, 0, 1],
        [0, 0, 0],
        [1, 0, 0],
    ]


def test_one_frame_has_no_neighbours():
    assert na.penalties.nearest_neighbours(np.ones((3, 1)), 1).toarray().tolist() == [[0]]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_graph_costs_the_trace_with_its_laplacian(seed):
    rng = np.random.default_rng(seed)
    A = rng.random((7, 7))
    A += A.T
    F = rng.random((3, 7))
    L = np.diag(A.sum(1)) - A
    expected = 0.4 * np.trace(F @ L @ F.T)
    for adjacency in (A, sparse.csr_matrix(A), sparse.coo_array(A)):
        assert na.penalties.Graph(0.8, adjacency).value(F, [F]) == pytest.approx(expected)
    chain = np.eye(7, k=1) + np.eye(7, k=-1)
    assert na.penalties.Graph(0.8, chain).value(F, [F]) == pytest.approx(
        na.penalties.Smooth(0.8).value(F, [F])
    )
    for graph, smooth in zip(
        na.penalties.Graph(0.8, chain).majorize(F, [F]),
        na.penalties.Smooth(0.8).majorize(F, [F]),
        strict=True,
    ):
        np.testing.assert_allclose(graph, smooth, atol=1e-12)


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 10**6), weight=st.floats(0.01, 100), beta=st.sampled_from([0, 0.5, 1, 2])
)
def test_smooth_ratios_end_at_the_true_minimum(seed, weight, beta):
    """One entry between two held ones, against a search for the minimum of the very cost."""
    rng = np.random.default_rng(seed)
    w = rng.random((5, 1)) + 0.1
    V = rng.random((5, 3)) + 0.01
    start = np.exp(rng.normal(size=(1, 3)))
    penalty = na.penalties.SmoothRatio(weight)
    H = na.Factor(start, np.array([[False, True, False]]), (penalty,))
    d = na.decompose(
        V, [na.Factor(w, False), H], divergence=na.Beta(beta), max_iter=500, tol=0, solver="mu"
    )

    def cost(log_h):
        h = start.copy()
        h[0, 1] = np.exp(log_h)
        return na.Beta(beta).value(V, w @ h, None) + penalty.value(h, [])

    grid = np.linspace(-12, 6, 400)
    at = grid[np.argmin([cost(x) for x in grid])]
    best = minimize_scalar(cost, bounds=(at - 0.1, at + 0.1), method="bounded")
    assert cost(np.log(d.H[0, 1])) <= best.fun + 1e-9 * abs(best.fun) or is_minimum(cost, d.H[0, 1])


def is_minimum(cost, h):
    """A ratio's cost levels off, so that there can be a second minimum."""
    return all(cost(np.log(h) + step) >= cost(np.log(h)) for step in (-1e-3, 1e-3))


def test_smooth_ratios_do_not_depend_on_loudness():
    rng = np.random.default_rng(0)
    F = rng.random((3, 20)) + 0.1
    penalty = na.penalties.SmoothRatio(0.7)
    assert penalty.value(F, []) == pytest.approx(penalty.value(F * 1e-150, []))
    steady = np.full((3, 20), 0.3)
    assert penalty.value(steady, []) == 0
    near = steady * np.exp(1e-4 * np.arange(20))
    assert penalty.value(near, []) == pytest.approx(0.7 * 3 * 19 * 0.25 * 1e-8, rel=1e-3)


def test_decorrelated_components_overlap_less():
    V, W, H = sparse_case(np.random.default_rng(0))
    overlaps = []
    for weight in (0.0, 0.1, 1.0):
        factors = [
            na.Factor(W, unit="l2"),
            na.Factor(H, True, (na.penalties.Decorrelated(weight),)),
        ]
        d = na.decompose(V, factors, tol=0, solver="mu")
        overlaps.append(1 - np.square(d.H).sum() / np.square(d.H.sum(0)).sum())
    assert overlaps[0] > 2 * overlaps[1] > 4 * overlaps[2] > 0


def test_decorrelated_is_the_sum_over_pairs():
    F = np.random.default_rng(0).random((4, 7))
    pairs = sum(F[k] @ F[j] for k, j in itertools.combinations(range(4), 2))
    assert na.penalties.Decorrelated(2.0).value(F, []) == pytest.approx(2 * pairs)
    assert na.penalties.Decorrelated(2.0, axis=-1).value(F.T, []) == pytest.approx(2 * pairs)


@pytest.mark.parametrize("seed", [0, 2])
def test_minimum_volume_finds_endmembers(seed):
    rng = np.random.default_rng(seed)
    truth, shares = rng.random((20, 3)), rng.dirichlet([0.7] * 3, 200)
    V = truth @ shares[shares.max(1) < 0.8][:80].T
    W, H = rng.random((20, 3)), rng.random((3, 80))
    errors = []
    for penalties in ((), (na.penalties.MinVolume(0.1, delta=1.0),)):
        factors = [na.Factor(W, True, penalties), na.Factor(H, unit="l1")]
        d = na.decompose(V, factors, max_iter=500, tol=0, solver="mu")
        unit = [X / np.linalg.norm(X, axis=0) for X in (truth, d.W)]
        cosine = unit[0].T @ unit[1]
        orders = itertools.permutations(range(3))
        errors.append(1 - max(cosine[range(3), order].mean() for order in orders))
    assert errors[1] < 0.6 * errors[0]


def test_minimum_volume_takes_lags_as_more_frequencies():
    rng = np.random.default_rng(0)
    W = rng.random((4, 6, 3))
    flat = W.reshape(-1, 3)
    penalty = na.penalties.MinVolume(0.7, 0.1)
    assert penalty.value(W, []) == pytest.approx(penalty.value(flat, []))
    expected = 0.7 * np.log(np.linalg.det(flat.T @ flat + 0.1 * np.eye(3)))
    assert penalty.value(W, []) == pytest.approx(expected)


def test_a_prior_holds_as_much_as_it_weighs():
    rng = np.random.default_rng(0)
    V, W0, H = rng.random((12, 30)) + 0.1, rng.random((12, 3)), rng.random((3, 30))
    W0[3, 1] = 0
    moved = []
    for weight in (0.0, 1.0, 1e2, 1e6):
        W = na.Factor(W0 + 1e-3, True, (na.penalties.Prior(weight, W0),))
        d = na.decompose(V, [W, na.Factor(H, False)], max_iter=500, tol=0, solver="mu")
        moved.append(abs(d.W - W0).max())
        if weight == 0:
            plain = na.nmf(V, W=W0 + 1e-3, H=H, update_H=False, max_iter=500, tol=0, solver="mu")
            np.testing.assert_allclose(d.W, plain.W, rtol=1e-9, atol=1e-12)
    assert moved[0] > moved[1] > moved[2] > moved[3]
    assert moved[3] < 1e-3


def test_a_prior_is_as_many_frames_of_its_own():
    """The posterior mode is plain KL-NMF with W0 appended to V, heard one component at a time."""
    rng = np.random.default_rng(0)
    V, W0, H = rng.random((12, 30)) + 0.1, rng.random((12, 3)), rng.random((3, 30))
    W = na.Factor(W0, True, (na.penalties.Prior(4.0, W0),))
    d = na.decompose(V, [W, na.Factor(H, False)], max_iter=300, tol=0, solver="mu")
    longer = np.hstack([V, 4 * W0]), np.hstack([H, 4 * np.eye(3)])
    plain = na.nmf(longer[0], W=W0, H=longer[1], update_H=False, max_iter=300, tol=0, solver="mu")
    np.testing.assert_allclose(d.W, plain.W, rtol=1e-9)
