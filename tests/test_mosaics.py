"""Laws of mosaics, and of the solver that makes their activations sparse and diagonal."""

import numpy as np
import pytest
import soundfile

import nmfaudio as na
from nmfaudio.errors import ContentError, ParameterError, ShapeError
from nmfaudio.factorisation.solvers.diagonal import along_diagonals
from nmfaudio.kernels.threads import set_threads

SR, HOP = 8000, 256


def melody(*pitches, seconds=0.3):
    """Decaying notes of five partials, with a little noise."""
    rng = np.random.default_rng(0)
    t = np.arange(int(seconds * SR)) / SR
    notes = [
        sum(np.sin(2 * np.pi * hertz * n * t) / n for n in range(1, 6)) * np.exp(-5 * t)
        for hertz in pitches
    ]
    y = np.concatenate(notes)
    return y + 0.001 * rng.standard_normal(len(y))


SCALE = melody(220, 247, 262, 294, 330, 349, 392, 440)


def fit(V, W, solver, max_iter=30):
    start = np.ones((W.shape[1], V.shape[1]))
    return na.decompose(
        V, [na.Factor(W, free=False), na.Factor(start)], solver=solver, max_iter=max_iter, tol=0
    )


def posed(seed=0, freq=24, frames=30, time=22):
    rng = np.random.default_rng(seed)
    W = rng.random((freq, frames)) ** 3
    return W @ (rng.random((frames, time)) ** 4), W


def diagonal_share(H):
    """How many of the entries go on at the next frame of the source and of the target."""
    on = H > 0
    return (on[:-1, :-1] & on[1:, 1:]).sum() / on[:-1, :-1].sum()


@pytest.mark.parametrize("polyphony", [1, 3, 8])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_recording_is_its_own_mosaic(polyphony, dtype):
    y = np.stack([SCALE, 0.5 * SCALE]).astype(dtype)
    kept = y.copy()
    m = na.mosaics.mosaic(y, y, SR, n_fft=512, polyphony=polyphony)
    assert m.audio.shape == y.shape
    assert m.audio.dtype == dtype
    assert na.metrics.si_sdr(y, m.audio) > 25
    assert np.abs(m.audio).max() == pytest.approx(np.abs(y).max(), rel=0.1)
    np.testing.assert_array_equal(y, kept)


def test_pieces_are_put_back_in_order():
    cut = 40 * HOP
    m = na.mosaics.mosaic(SCALE, [SCALE[cut:], SCALE[:cut]], SR, n_fft=512, polyphony=2)
    middle = slice(4 * HOP, -4 * HOP)
    inside = np.r_[slice(0, cut - 4 * HOP), slice(cut + 4 * HOP, len(SCALE))]
    assert na.metrics.si_sdr(SCALE[inside][middle], m.audio[0][inside][middle]) > 15


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("repeat", [0, 3])
@pytest.mark.parametrize("polyphony", [1, 4, 100])
def test_restrictions_hold_in_the_end(seed, repeat, polyphony):
    V, W = posed(seed)
    H = fit(V, W, na.solvers.Diagonal(repeat=repeat, polyphony=polyphony, iterations=10)).H
    assert (np.count_nonzero(H, axis=0) <= polyphony).all()
    for distance in range(1, repeat + 1):
        assert not ((H[:, distance:] > 0) & (H[:, :-distance] > 0)).any()
    assert (H >= 0).all()
    assert H.any()


@pytest.mark.parametrize("seed", range(3))
def test_the_objective_falls_once_the_restrictions_have_faded_in(seed):
    V, W = posed(seed)
    losses = []
    na.decompose(
        V,
        [na.Factor(W, free=False), na.Factor(np.ones((W.shape[1], V.shape[1])))],
        solver=na.solvers.Diagonal(iterations=10),
        max_iter=60,
        tol=0,
        check_every=1,
        callback=lambda progress: losses.append(progress.loss),
    )
    assert (np.diff(losses[9:]) <= 1e-12 * np.array(losses[9:-1])).all()
    assert losses[-1] < losses[9]


def test_without_restrictions_it_is_the_multiplicative_update():
    V, W = posed()
    free = na.solvers.Diagonal(repeat=0, polyphony=10**6, continuity=0)
    np.testing.assert_allclose(fit(V, W, free).H, fit(V, W, "mu").H, rtol=1e-9, atol=1e-12)


def test_continuity_makes_diagonals():
    V, W = posed(frames=60, time=40)
    shares = [
        diagonal_share(fit(V, W, na.solvers.Diagonal(polyphony=3, continuity=c)).H)
        for c in (0, 1, 4)
    ]
    assert shares[0] < shares[1] < shares[2]
    assert shares[2] > 0.5


def test_sums_along_diagonals_are_a_convolution():
    from scipy.signal import convolve2d

    H = np.random.default_rng(0).random((7, 5))
    for reach in (0, 1, 2, 9):
        expected = convolve2d(H, np.eye(2 * reach + 1), mode="same")
        np.testing.assert_allclose(along_diagonals(H, reach), expected)


def test_loud_frames_are_chosen_whatever_the_scale_of_the_templates():
    V, W = posed()
    solver = na.solvers.Diagonal(polyphony=3, continuity=0)
    scales = 2.0 ** np.random.default_rng(1).integers(-3, 4, W.shape[1])
    start = np.ones((W.shape[1], V.shape[1])) / scales[:, np.newaxis]
    scaled = na.decompose(
        V, [na.Factor(W * scales, free=False), na.Factor(start)], solver=solver, max_iter=30, tol=0
    )
    H = scaled.H * scales[:, np.newaxis]
    np.testing.assert_allclose(H, fit(V, W, solver).H, rtol=1e-9)


def test_it_keeps_the_bytes_for_any_number_of_threads():
    found = []
    try:
        for count in (1, 2, 3):
            set_threads(count)
            found.append(na.mosaics.mosaic(SCALE, SCALE[::-1], SR, n_fft=512).audio.tobytes())
    finally:
        set_threads(None)
    assert found[0] == found[1] == found[2]


def test_loudness_passes_through():
    source = SCALE[::-1].astype(np.float32)
    one = na.mosaics.mosaic(SCALE.astype(np.float32), source, SR, n_fft=512).audio
    for scale in (2.0**-30, 2.0**30):
        loud = na.mosaics.mosaic((SCALE * scale).astype(np.float32), source, SR, n_fft=512).audio
        np.testing.assert_allclose(loud / np.float32(scale), one, atol=1e-4 * np.abs(one).max())


def test_a_silent_target_has_a_silent_mosaic():
    m = na.mosaics.mosaic(np.zeros(4000), SCALE, SR, n_fft=512)
    assert np.abs(m.audio).max() < 1e-20


def test_files_know_their_rate(tmp_path):
    path, other = tmp_path / "a.wav", tmp_path / "b.wav"
    soundfile.write(path, SCALE[:4000] / 4, SR, subtype="FLOAT")
    soundfile.write(other, SCALE[:4000] / 4, 16000, subtype="FLOAT")
    m = na.mosaics.mosaic(path, [path, str(path)], n_fft=512)
    assert m.sr == SR
    assert m.decomposition.metadata["transform"]["hop"] == HOP
    with pytest.raises(ParameterError, match=r"sources\[1\] has sample rate 16000 Hz where 8000"):
        na.mosaics.mosaic(path, [path, other])
    with pytest.raises(ParameterError, match="target has sample rate 16000 Hz where 8000 Hz"):
        na.mosaics.mosaic(other, SCALE, SR)
    with pytest.raises(ParameterError, match=r"sr is missing; the samples of sources\[0\]"):
        na.mosaics.mosaic(path, SCALE)


@pytest.mark.parametrize(
    ("sources", "error", "message"),
    [
        ([], ParameterError, "sources is empty"),
        ([SCALE, np.stack([SCALE, SCALE])], ShapeError, "have 1 and 2 channels"),
        (np.zeros(4000), ContentError, "the sources are silent"),
        ([SCALE, np.full(9, np.nan)], ContentError, r"sources\[1\] has 9 NaN"),
    ],
)
def test_bad_sources_are_named(sources, error, message):
    with pytest.raises(error, match=message):
        na.mosaics.mosaic(SCALE, sources, SR, n_fft=512)


@pytest.mark.parametrize("name", ["repeat", "polyphony", "continuity", "iterations"])
def test_bad_parameters_are_named(name):
    with pytest.raises(ParameterError, match=f"{name} must be an integer"):
        na.mosaics.mosaic(SCALE, SCALE, SR, **{name: -1})


def test_what_it_cannot_solve_is_refused():
    V, W = posed()
    H = np.ones((W.shape[1], V.shape[1]))
    for factors in (
        [na.Factor(W), na.Factor(H)],
        [na.Factor(W, free=False), na.Factor(H, free=H > 1)],
    ):
        with pytest.raises(ParameterError, match="Diagonal cannot solve this: it moves all of H"):
            na.decompose(V, factors, solver=na.solvers.Diagonal())
    deep = [na.Factor(W, free=False), na.Factor(np.eye(len(H))), na.Factor(H)]
    with pytest.raises(ParameterError, match="the product of two factors"):
        na.decompose(V, deep, solver=na.solvers.Diagonal())
