"""Noise is taken out, and nothing is lost."""

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.errors import ContentError, ParameterError

SR = 8000
T = np.arange(2 * SR) / SR
TONE = np.sin(2770 * T) * (T % 1 > 0.5)
QUICK = {"models": 2, "max_iter": 15, "exemplars": 30, "n_free": 2}


def hiss(seed=0, channels=1):
    noise = 0.5 * np.random.default_rng(seed).standard_normal((channels, len(T)))
    return noise.astype(np.float32)


def denoise(y, **settings):
    return na.DenoiseSeparator(**(QUICK | settings))(y, SR)


def improvement(stems, clean, y):
    return na.metrics.si_sdr(clean, stems["signal"]) - na.metrics.si_sdr(clean, y)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("channels", [1, 2])
def test_stems_sum_to_the_recording(channels, dtype):
    y = (TONE + hiss(channels=channels)).astype(dtype)
    kept = y.copy()
    for settings in ({}, {"noise": (0, 0.5)}, {"noise": (0, 0.5), "floor": -12.0}):
        stems = denoise(y, **settings)
        assert list(stems) == ["signal", "noise"]
        assert stems["signal"].dtype == dtype
        np.testing.assert_allclose(stems["signal"] + stems["noise"], y, atol=2e-6)
    np.testing.assert_array_equal(y, kept)


@pytest.mark.parametrize(
    "settings",
    [
        {"noise": (0.0, 0.5)},
        {"noise": [hiss(7), (0.0, 0.5)], "floor": -40.0},
        {"noise": (0.0, 0.5), "signal": TONE.astype(np.float32)},
        {"floor": -40.0},
        {},
    ],
)
def test_however_the_noise_is_named_it_becomes_less(settings):
    y = (TONE + hiss()).astype(np.float32)
    assert improvement(denoise(y, **settings), TONE[None], y) > 6


def test_a_floor_leaves_that_much_of_the_noise():
    y = (TONE + hiss()).astype(np.float32)
    bare, floored = (denoise(y, noise=(0, 0.5), floor=f) for f in (-200.0, -20.0))
    np.testing.assert_allclose(floored["signal"], bare["signal"] + 0.1 * bare["noise"], atol=1e-6)
    default = denoise(y, noise=(0, 0.5))
    np.testing.assert_array_equal(
        default["signal"], denoise(y, noise=(0, 0.5), floor=-12.0)["signal"]
    )
    examples = {"noise": (0, 0.5), "signal": TONE.astype(np.float32)}
    np.testing.assert_allclose(
        denoise(y, **examples)["signal"], denoise(y, **examples, floor=-200.0)["signal"], atol=1e-6
    )


def hum():
    return sum(np.sin(2 * np.pi * f * T) for f in (150, 450, 750)).astype(np.float32)


@pytest.mark.parametrize(
    ("name", "example"), [("noise", hum()), ("signal", hum()), ("signal", hiss(3))]
)
def test_examples_that_do_not_match_are_not_used(name, example):
    y = (TONE + hiss()).astype(np.float32)
    other = {} if name == "noise" else {"noise": (0.0, 0.5)}
    with pytest.warns(na.errors.AudioWarning, match=f"the {name} examples do not match"):
        stems = denoise(y, **other, **{name: example})
    assert improvement(stems, TONE[None], y) > 6


def test_examples_that_match_are_used():
    y = (TONE + hiss()).astype(np.float32)
    stems = denoise(y, noise=(0, 0.5), signal=TONE.astype(np.float32))
    assert stems.decomposition.metadata["signal_examples"]
    assert improvement(stems, TONE[None], y) > improvement(
        denoise(y, noise=(0, 0.5)), TONE[None], y
    )


def test_paths_and_stretches_are_told_apart(tmp_path, monkeypatch):
    from nmfaudio.separators.denoise import _sound

    assert _sound("0-1.2") == (0, 1.2)
    assert _sound("0:30-0:45") == (30, 45)
    assert _sound("noise-1.wav") == "noise-1.wav"


@pytest.mark.parametrize("samples", [1, 50, 700])
def test_short_and_silent_recordings(samples):
    for y in (np.zeros((1, samples), np.float32), hiss()[:, :samples]):
        stems = denoise(y)
        assert stems["signal"].shape == y.shape
        np.testing.assert_allclose(stems["signal"] + stems["noise"], y, atol=1e-6)


def test_the_same_seed_gives_the_same_bytes():
    y = (TONE + hiss()).astype(np.float32)
    one, two = (denoise(y, noise=(0, 0.5))["signal"].tobytes() for _ in range(2))
    assert one == two


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"noise": (3.0, 4.0)}, ParameterError, "noise is 3-4 s; it must be a time range within"),
        ({"noise": (0.5, 0.2)}, ParameterError, "noise is 0.5-0.2 s"),
        ({"noise": np.zeros(800)}, ContentError, "noise: the examples are silent"),
        ({"floor": 3.0}, ParameterError, "floor is 3 dB; it must be below 0"),
        ({"models": 0}, ParameterError, "models must be an integer of at least 1"),
    ],
)
def test_what_cannot_be_is_refused(settings, error, message):
    with pytest.raises(error, match=message):
        denoise(TONE.astype(np.float32), **settings)


def test_one_number_is_no_time_range():
    with pytest.raises(na.ParameterError, match=r"noise is 3; .* such as \(0, 3\)"):
        na.DenoiseSeparator(noise=3)


def test_models_are_compared_on_frames_of_the_whole_recording():
    from nmfaudio.separators.noise_frames import COMPARED_FRAMES, spread_frames

    V = np.arange(3 * COMPARED_FRAMES, dtype=float)[None]
    chosen = spread_frames(V)[0]
    assert len(chosen) == COMPARED_FRAMES
    assert (chosen[0], chosen[-1]) == (V[0, 0], V[0, -1])
    assert set(np.diff(chosen)) <= {2.0, 3.0, 4.0}
    np.testing.assert_array_equal(spread_frames(V[:, :9]), V[:, :9])
