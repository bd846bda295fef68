"""NMF of a stream: bounded memory, and templates as good as if all frames had been there."""

import itertools
import tracemalloc

import numpy as np
import pytest
from twins import mu

import nmfaudio as na
from nmfaudio.errors import ParameterError, ShapeError
from nmfaudio.factorisation.online import PastBlocks
from nmfaudio.kernels.threads import set_threads

BETAS = [0, 0.4, 1, 1.5, 2]
FREQ, RANK = 20, 3


def exponents(beta):
    return na.Beta(beta).exponents


def stream(seed=0, frames=25, dtype=np.float64, templates=None):
    """Endless blocks made of the same sparse templates."""
    rng = np.random.default_rng(seed)
    W = rng.random((FREQ, RANK)) ** 3 if templates is None else templates
    while True:
        yield (W @ rng.exponential(size=(RANK, frames)) + 1e-3).astype(dtype)


def take(count, **options):
    return list(itertools.islice(stream(**options), count))


@pytest.mark.parametrize("beta", BETAS)
def test_what_is_past_is_bounded_from_above_and_tight(beta):
    rng = np.random.default_rng(0)
    past = PastBlocks(*rng.random((2, FREQ, RANK)), exponents(beta))
    for _ in range(50):
        F, G = rng.random((2, FREQ, RANK)) * 5 + 1e-3
        made = past.majorize(F, [F])

        def bound(X, terms=made):
            linear, quadratic, log, inverse = terms
            return (linear * X + quadratic / 2 * X**2 - log * np.log(X) + inverse / X).sum()

        offset = past.value(F, [F]) - bound(F)
        assert past.value(G, [G]) <= bound(G) + offset + 1e-9 * abs(bound(G))
        if beta in (0, 1, 2):
            assert past.value(G, [G]) == pytest.approx(bound(G) + offset)


@pytest.mark.parametrize("beta", BETAS)
def test_the_past_is_the_majoriser_of_a_block(beta):
    """Above the block's divergence for every W, equal to it at the W the block was left with."""
    block = take(1)[0]
    online = na.factorisation.OnlineNMF(RANK, beta_loss=beta, memory=1, rng=0).fit(take(2))
    before = online._past[0]
    norms = np.ones(RANK)
    H = online.transform(block)
    online._remember(block, None, H, norms)
    kept = 1 - online._blocks**-0.6
    alone = PastBlocks(
        online._past[0].pos / kept - before.pos, online._past[0].neg / kept - before.neg, (0, 0)
    )
    alone = PastBlocks(alone.pos, alone.neg, exponents(beta))
    D, rng = na.Beta(beta), np.random.default_rng(1)
    offset = D.value(block, online.W @ H, None) - alone.value(online.W, [])
    for _ in range(30):
        W = online.W * rng.lognormal(sigma=0.5, size=online.W.shape)
        cost = D.value(block, W @ H, None)
        assert cost <= alone.value(W, []) + offset + 1e-9 * cost


@pytest.mark.parametrize("memory", [0, 0.8])
@pytest.mark.parametrize("beta", BETAS)
def test_a_block_and_what_is_past_cost_less_after_it(beta, memory):
    D, online = (
        na.Beta(beta),
        na.factorisation.OnlineNMF(RANK, beta_loss=beta, memory=memory, rng=0),
    )
    online.fit(take(4))
    block, past, before = take(5)[-1], online._past, online.W

    def cost(W, H):
        return D.value(block, W @ H, None) + sum(p.value(W, []) for p in past)

    start = cost(before, online.transform(block, max_iter=10))
    H = online.partial_fit(block)
    # Scale may lie in W or H; with a past it does not cost the same.
    ends = [cost(online.W * s, H / s) for s in np.geomspace(0.8, 1.25, 201)]
    assert min(ends) <= start + 1e-9 * abs(start)


@pytest.mark.parametrize("beta", BETAS)
def test_one_block_again_and_again_comes_near_its_batch(beta):
    block = take(1)[0]
    online = na.factorisation.OnlineNMF(RANK, beta_loss=beta, memory=0, rng=0).fit([block] * 40)
    rng = np.random.default_rng(0)
    W, H = mu(block, rng.random((FREQ, RANK)), rng.random((RANK, 25)), beta, 400)
    D, mean = na.Beta(beta), np.tile(block.mean(1, keepdims=True), (1, 25))
    cost = D.value(block, online.W @ online.transform(block), None) - D.value(block, W @ H, None)
    assert cost < 0.02 * D.value(block, mean, None)


def test_each_block_counts_as_memory_says():
    """With one component and KL the template is a weighted sum of all frames, in closed form."""
    blocks, expected = take(9), np.zeros(FREQ)
    online = na.factorisation.OnlineNMF(1, memory=0.6, rng=0)
    for number, block in enumerate(blocks, 1):
        online.partial_fit(block)
        np.testing.assert_allclose(
            online.W[:, 0], (total := expected + block.sum(1)) / np.linalg.norm(total), rtol=1e-6
        )
        expected = min(0.6, 1 - number**-0.6) * total


@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_stream_is_modelled_nearly_as_well_as_all_of_it_at_once(beta, dtype):
    blocks = take(40, dtype=dtype)
    online = na.factorisation.OnlineNMF(RANK, beta_loss=beta, rng=0).fit(blocks)
    V = np.hstack(blocks)
    H = online.transform(V)
    assert online.W.dtype == H.dtype == dtype
    batch = min(na.nmf(V, RANK, beta_loss=beta, rng=seed).losses[-1] for seed in range(3))
    scale = na.Beta(beta).value(V, np.broadcast_to(V.mean(1, keepdims=True), V.shape).copy(), None)
    assert na.Beta(beta).value(V, online.W @ H, None) - batch < 0.03 * scale


def test_memory_in_bytes_does_not_grow():
    online, endless = na.factorisation.OnlineNMF(RANK, rng=0), stream(frames=500)
    online.fit(itertools.islice(endless, 3))
    tracemalloc.start()
    used = []
    for blocks in (3, 12):
        online.fit(itertools.islice(endless, blocks))
        used.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert used[1] - used[0] < 80_000  # what one block takes, or its activations of 7 blocks


def test_the_same_seed_and_order_give_the_same_bytes_for_any_number_of_threads():
    blocks, found = take(4, frames=500, dtype=np.float32), []
    try:
        for threads in (1, 2, 3):
            set_threads(threads)
            found.append(na.factorisation.OnlineNMF(RANK, rng=7).fit(blocks).W.tobytes())
    finally:
        set_threads(None)
    assert len(set(found)) == 1
    assert na.factorisation.OnlineNMF(RANK, rng=8).fit(blocks).W.tobytes() != found[0]
    assert na.factorisation.OnlineNMF(RANK, rng=7).fit(blocks[::-1]).W.tobytes() != found[0]


@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1e-12, 1, 1e12])
def test_silence_and_extremes_leave_the_numbers_finite(beta, dtype, scale):
    silent = np.zeros((FREQ, 4), dtype)
    online = na.factorisation.OnlineNMF(RANK, beta_loss=beta, rng=0)
    for block in (silent, *take(3, dtype=dtype), silent):
        H = online.partial_fit(block * dtype(scale))
        assert np.isfinite(H).all()
        assert np.isfinite(online.W).all()
    loud = take(1, dtype=dtype)[0]
    V = loud * dtype(scale)
    error = np.abs(online.W @ online.transform(V) - V).sum() / V.sum()
    assert error < 0.5


def test_masked_bins_have_no_say():
    blocks, found = take(10), []
    for rubbish in (0.0, 1e3):
        masked = []
        for seed, block in enumerate(blocks):
            hidden = np.random.default_rng(seed).random(block.shape) < 0.3
            masked.append(np.ma.array(np.where(hidden, rubbish, block), mask=hidden))
        found.append(na.factorisation.OnlineNMF(RANK, rng=0).fit(masked).W)
    np.testing.assert_array_equal(*found)


def test_what_cannot_work_is_refused():
    with pytest.raises(ParameterError, match="between 0 and 2"):
        na.factorisation.OnlineNMF(2, beta_loss=3)
    with pytest.raises(ParameterError, match="memory is"):
        na.factorisation.OnlineNMF(2, memory=1.5)
    with pytest.raises(ParameterError, match="no templates yet"):
        na.factorisation.OnlineNMF(2).transform(np.ones((3, 4)))
    online = na.factorisation.OnlineNMF(2, rng=0).fit([np.ones((3, 4))])
    with pytest.raises(ShapeError, match=r"block has shape \(4, 4\)"):
        online.partial_fit(np.ones((4, 4)))


@pytest.mark.parametrize("beta", [1, 2])
def test_what_the_first_block_lacks_is_learned_later(beta):
    rng = np.random.default_rng(0)
    W = rng.random((20, 3))
    first = W @ rng.random((3, 30))
    first[10:] = 0
    later = [W @ rng.random((3, 30)) for _ in range(30)]
    online = na.factorisation.OnlineNMF(3, beta_loss=beta, rng=0).fit([first, *later])
    rest = later[-1] - online.W @ online.transform(later[-1])
    assert np.linalg.norm(rest) < 0.1 * np.linalg.norm(later[-1])


def test_a_refused_first_block_leaves_no_trace():
    online = na.factorisation.OnlineNMF(2, rng=0)
    with pytest.raises(na.errors.ShapeError, match=r"\(freq, time\)"):
        online.partial_fit(np.ones((2, 8, 5)))
    assert online.partial_fit(np.ones((8, 5))).shape == (2, 5)
