"""BSS-eval against mir_eval, against its definition in frames, and at its limits."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from scipy.signal import fftconvolve

from nmfaudio.metrics import BssEval
from nmfaudio.metrics.projection import TAPS, correlate

with warnings.catch_warnings():  # it warns of its own end
    warnings.simplefilter("ignore")
    from mir_eval import separation


def sounds(sources: int, channels: int, samples: int, seed: int = 0) -> np.ndarray:
    """Coloured noise [shape=(source, channel, sample)]: its Gram matrix is badly conditioned."""
    noise = np.random.default_rng(seed).standard_normal((sources, channels, samples))
    return fftconvolve(noise, np.hanning(9)[None, None], "same", axes=-1)


def estimates_of(references: np.ndarray, level: float) -> np.ndarray:
    noise = np.random.default_rng(9).standard_normal(references.shape)
    return 0.8 * references + level * (references.sum(0) + noise)


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("level", [1e-3, 0.1, 3.0])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_sources_equal_mir_eval(level, kind):
    references = sounds(2, 1, 6000).astype(kind)
    estimates = estimates_of(references, level).astype(kind)
    ours = BssEval(references).scores(estimates)
    theirs = separation.bss_eval_sources(
        references[:, 0].astype(float), estimates[:, 0].astype(float), compute_permutation=False
    )
    for mine, other in zip((ours.sdr, ours.sir, ours.sar), theirs[:3], strict=True):
        np.testing.assert_allclose(mine, other, rtol=0, atol=1e-4)


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_images_equal_mir_eval():
    references = sounds(2, 2, 3000)
    estimates = estimates_of(references, 0.2)
    ours = BssEval(references).scores(estimates)
    theirs = separation.bss_eval_images(
        references.transpose(0, 2, 1), estimates.transpose(0, 2, 1), compute_permutation=False
    )
    mine = (ours.image_sdr, ours.isr, ours.sir, ours.sar)
    np.testing.assert_allclose(mine, theirs[:4], rtol=0, atol=1e-4)


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_the_best_permutation_equals_mir_eval():
    references = sounds(3, 1, 3000)
    estimates = estimates_of(references, 0.2)[[2, 0, 1]]
    ratios = BssEval(references).sir(estimates)
    *_, sir, _, order = separation.bss_eval_sources(references[:, 0], estimates[:, 0])
    assert tuple(order) == tuple(np.argmax(ratios, axis=1)) == (1, 2, 0)
    np.testing.assert_allclose(np.max(ratios, axis=1), sir, rtol=0, atol=1e-4)


def test_correlations_are_sums_of_products_over_blocks():
    x, y = sounds(1, 2, 150_000, seed=1)[0], sounds(1, 1, 150_000, seed=2)[0]  # several blocks
    found = correlate(x, y)
    assert found.shape == (2, 1, 2 * TAPS - 1)
    for lag in (1 - TAPS, -3, 0, 200, TAPS - 1):
        late, early = max(lag, 0), max(-lag, 0)
        products = x[1, early : 150_000 - late] * y[0, late : 150_000 - early]
        assert found[1, 0, TAPS - 1 + lag] == pytest.approx(products.sum(), rel=1e-9, abs=1e-6)


def test_a_filtered_source_is_all_target():
    references = np.pad(sounds(2, 1, 4000), [(0, 0), (0, 0), (0, 3)])  # room for the filter's tail
    estimates = fftconvolve(references, np.array([[[0.5, 0, 0, 0.2]]]), axes=-1)[..., :4003]
    scores = BssEval(references).scores(estimates)
    assert (scores.sdr > 100).all()
    assert (scores.sar > 100).all()
    assert (scores.image_sdr < 10).all()


def test_levels_do_not_matter_but_to_images():
    references = sounds(2, 1, 2000)
    estimates = estimates_of(references, 0.1)
    before, after = (
        BssEval(scale * references).scores(more * estimates)
        for scale, more in ((1, 1), (np.array([1e-5, 1e4])[:, None, None], -3e7))
    )
    for measure in ("sdr", "sir", "sar"):
        np.testing.assert_allclose(getattr(before, measure), getattr(after, measure), atol=1e-6)
    assert (after.image_sdr < before.image_sdr).all()


def test_the_worst_conditioned_references_are_no_trouble():
    t = np.arange(4000)
    tones = np.stack([np.sin(0.05 * t), np.sin(0.09 * t), np.sin(0.09 * t)])[:, None]
    scores = BssEval(tones).scores(estimates_of(tones, 0.01))
    assert all(np.isfinite(values).all() for values in (scores.sdr, scores.sar, scores.isr))
    assert (scores.sdr > 20).all()


def test_limits():
    references = sounds(2, 1, 1000)
    perfect = BssEval(references).scores(references)
    assert all((values == math.inf).all() for values in perfect)
    silent = BssEval(references).scores(0 * references)
    assert all((values == -math.inf).all() for values in (silent.sdr, silent.sir, silent.sar))
    assert (silent.image_sdr == 0).all()
    alone = BssEval(references[:1]).scores(estimates_of(references, 0.1)[:1])
    assert alone.sir == math.inf
    assert alone.sdr == alone.sar


def test_a_silent_reference_has_no_scores_and_no_say():
    references = sounds(3, 1, 1000)
    estimates = estimates_of(references[:2], 0.1)
    references[2] = 0
    with_it = BssEval(references).scores(np.concatenate([estimates, estimates[:1]]))
    without = BssEval(references[:2]).scores(estimates)
    for values, fewer in zip(with_it, without, strict=True):
        np.testing.assert_allclose(values[:2], fewer, atol=1e-6)
        assert np.isnan(values[2])


def test_nothing_is_written_to_what_is_given():
    references = sounds(2, 1, 1000)
    estimates = estimates_of(references, 0.1)
    references.flags.writeable = estimates.flags.writeable = False
    judge = BssEval(references)
    judge.scores(estimates)
    judge.frames(estimates, window=400, hop=400)


def filters_of(references, estimate):
    """Least squares on the delayed signals themselves [shape=(signal, tap, channel)]."""
    samples = references.shape[-1]
    basis = np.zeros((len(references), TAPS, samples + TAPS - 1))
    for lag in range(TAPS):
        basis[:, lag, lag : lag + samples] = references
    rows = basis.reshape(-1, samples + TAPS - 1)
    products = rows[:, :samples] @ estimate.T
    return np.linalg.solve(rows @ rows.T, products).reshape(len(references), TAPS, -1)


def filtered(signals, filters):
    """What those filters make of the signals [shape=(channel, sample)]."""
    return np.stack(
        [
            sum(np.convolve(y, taps) for y, taps in zip(signals, filters[..., c], strict=True))
            for c in range(filters.shape[-1])
        ]
    )


@pytest.mark.parametrize("channels", [1, 2])
def test_frames_are_as_defined(channels):
    rng = np.random.default_rng(0)
    references = rng.standard_normal((2, channels, 3000))  # white: the filters are certain
    estimates = estimates_of(references, 0.2)
    found = BssEval(references).frames(estimates, window=700, hop=550)
    assert found.sdr.shape == (2, 5)
    mine, signals = references[1], references.reshape(-1, 3000)
    by_mine, by_all = (filters_of(those, estimates[1]) for those in (mine, signals))
    for t in (0, 4):
        frame = slice(550 * t, 550 * t + 700)
        tail = [(0, 0), (0, TAPS - 1)]
        s, e = np.pad(mine[:, frame], tail), np.pad(estimates[1][:, frame], tail)
        one, every = filtered(mine[:, frame], by_mine), filtered(signals[:, frame], by_all)
        pairs = [(one, e - one), (s, one - s), (one, every - one), (every, e - every), (s, e - s)]
        wanted = [10 * np.log10(np.sum(a**2) / np.sum(b**2)) for a, b in pairs]
        np.testing.assert_allclose([values[1, t] for values in found], wanted, atol=1e-4)


def test_one_frame_of_everything_is_version_3():
    references = sounds(2, 1, 2000)
    estimates = estimates_of(references, 0.2)
    judge = BssEval(references)
    for ours, whole in zip(
        judge.frames(estimates, window=5000, hop=5000), judge.scores(estimates), strict=True
    ):
        np.testing.assert_allclose(ours[:, 0], whole, atol=1e-6)


def test_frames_with_silence_have_no_scores():
    references = sounds(3, 1, 3000)
    estimates = estimates_of(references, 0.1)
    references[0, :, 1000:2000] = 0
    estimates[1, :, 2000:] = 0
    references[2] = 0  # silent throughout: has no say
    found = BssEval(references).frames(estimates, window=1000, hop=1000)
    assert np.isfinite(found.sdr[:2, 0]).all()
    assert np.isnan(found.sdr[:, 1:]).all()
    assert np.isnan(found.sdr[2]).all()
