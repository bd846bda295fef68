"""Stems always add up to the mixture, whatever the mixture is."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nmfaudio as na
from nmfaudio._common.options import options
from nmfaudio.audio.masking import Masking
from nmfaudio.factorisation.initialisation import INITS
from nmfaudio.separators.blind import BlindSeparator
from nmfaudio.stems.masks import group_masks

QUICK = {"n_components": 4, "max_iter": 6, "n_fft": 256}


def noise(channels=1, samples=4000, dtype=np.float32, seed=0):
    return np.random.default_rng(seed).standard_normal((channels, samples)).astype(dtype)


def assert_adds_up(stems, y):
    peak = float(np.abs(y).max())
    assert all(stem.shape == y.shape and stem.dtype == y.dtype for stem in stems.values())
    assert all(np.isfinite(stem).all() for stem in stems.values())
    total = sum(stem.astype(np.float64) for stem in stems.values())
    assert np.abs(total - y).max() <= 1e-6 * peak


ONE_STEM = pytest.mark.filterwarnings("ignore:.* is the only stem")  # auto may find one source


@ONE_STEM
@settings(max_examples=40, deadline=None)
@given(
    samples=st.integers(1, 3000),
    channels=st.sampled_from([1, 2, 8]),
    dtype=st.sampled_from([np.float32, np.float64]),
    loudness=st.sampled_from([1e-30, 1e-3, 1.0, 100.0, 1e30]),
    chosen=st.fixed_dictionaries(
        {
            "n_sources": st.sampled_from([2, 3, 4, "auto"]),
            "beta_loss": st.sampled_from(["kl", "is", "frobenius", 0.5]),
            "mask": st.sampled_from(["soft", "binary"]),
            "mask_power": st.sampled_from([0.5, 1.0, 2.0, 8.0]),
        }
    ),
)
def test_stems_sum_to_the_mixture(samples, channels, dtype, loudness, chosen):
    y = noise(channels, samples, dtype) * dtype(loudness)
    stems = na.separate(y, 8000, **QUICK, **chosen)
    assert_adds_up(stems, y)
    if chosen["n_sources"] != "auto":
        assert len(stems) == chosen["n_sources"]


@ONE_STEM
@pytest.mark.parametrize("sources", [2, 4, "auto"])
@pytest.mark.parametrize("samples", [1, 100, 5000])
def test_silence_gives_silence(samples, sources):
    y = np.zeros((2, samples), np.float32)
    stems = na.separate(y, 8000, n_sources=sources, **QUICK)
    assert_adds_up(stems, y)
    assert not any(stem.any() for stem in stems.values())


def test_one_source_found_is_told():
    with pytest.warns(na.errors.AudioWarning, match="source-1 is the only stem"):
        na.separate(np.zeros((1, 5000), np.float32), 8000, n_sources="auto", **QUICK)


def test_the_sounds_names_and_numbers():
    y = noise(2)
    two = na.separate(y, 8000, **QUICK)
    assert list(two) == ["harmonic", "percussive"]
    four = na.separate(y, 8000, n_sources=4, **QUICK)
    assert list(four) == [f"source-{n}" for n in (1, 2, 3, 4)]
    shares = [group.energy_share for group in four.groups.values()]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1)
    owned = sorted(k for group in four.groups.values() for k in group.components)
    assert owned == [0, 1, 2, 3]
    assert four.residual().shape == y.shape
    assert np.abs(four.residual()).max() < 1e-5
    report = four.summary()
    assert report["sources"]["source-1"]["energy_share"] == shares[0]
    assert report["settings"]["seed"] == 0


def test_numpy_numbers_are_numbers():
    stems = na.separate(
        noise(),
        8000,
        n_sources=np.int64(2),
        n_components=np.int32(4),
        max_iter=np.int64(5),
        tol=np.float32(0),
        beta_loss=np.float64(1),
        rng=np.int64(3),
        n_fft=np.int64(256),
    )
    assert json.loads(json.dumps(stems.summary()))["settings"]["seed"] == 3


@pytest.mark.parametrize("peak", [3e38, 1e-38])
def test_the_loudest_and_softest_floats_work(peak):
    y = noise() / np.float32(5) * np.float32(peak)
    assert_adds_up(na.separate(y, 8000, **QUICK), y)


@pytest.mark.parametrize("power", [-12, 6, 15])
def test_loudness_changes_nothing_but_loudness(power):
    y, gain = noise(2), np.float32(2.0**power)
    a, b = na.separate(y, 8000, **QUICK), na.separate(y * gain, 8000, **QUICK)
    for name in a:
        np.testing.assert_allclose(b[name], a[name] * gain, atol=1e-5 * gain)


def test_components_sum_to_their_stem():
    y = noise(2)
    stems = na.separate(y, 8000, **QUICK)
    found = dict(stems.components())
    assert len(found) == 4
    for name, group in stems.groups.items():
        total = sum(found[f"{name}-{k}"] for k in group.components)
        np.testing.assert_allclose(total, stems[name], atol=1e-5)


def test_swapped_channels_give_swapped_stems():
    y = noise(2)
    a, b = na.separate(y, 8000, **QUICK), na.separate(y[::-1], 8000, **QUICK)
    for name in a:
        np.testing.assert_allclose(a[name], b[name][::-1], atol=1e-5)


def test_opposite_channels_do_not_cancel():
    y = noise()
    stems = na.separate(np.concatenate([y, -y]), 8000, **QUICK)
    for stem in stems.values():
        assert np.abs(stem).max() > 0.01
        np.testing.assert_allclose(stem[0], -stem[1], atol=1e-6)


def test_the_callers_audio_is_untouched():
    y = noise(2) * 100
    kept = y.copy()
    y.flags.writeable = False
    na.separate(y, 8000, **QUICK)
    assert np.array_equal(y, kept)


@pytest.mark.parametrize("binary", [False, True])
def test_masks_come_from_any_structure(binary):
    rng = np.random.default_rng(0)
    V = rng.random((12, 30))
    d = na.decompose(
        V,
        [na.Factor(rng.random((5, 12, 3))), na.Factor(rng.random((3, 30)))],
        structure=na.structures.Convolutive(),
        max_iter=5,
    )
    masks = group_masks(d, [[0, 2], [1]], Masking(binary=binary))
    whole = list(masks(slice(0, 30)))
    np.testing.assert_allclose(sum(whole), 1, rtol=1e-12)
    for start, stop in ((0, 1), (0, 4), (2, 3), (3, 20), (20, 30)):
        for mask, some in zip(whole, masks(slice(start, stop)), strict=True):
            np.testing.assert_allclose(some, mask[:, start:stop], rtol=1e-12)


HASH = """
import hashlib, numpy as np, nmfaudio as na
from nmfaudio.kernels.threads import set_threads
set_threads({threads})
y = np.random.default_rng(0).standard_normal((2, 60000)).astype("f4")
out = []
for chosen in ({{}}, {{"n_sources": 3, "beta_loss": "is", "init": "nndsvdar"}}):
    stems = na.separate(y, 22050, n_components=8, max_iter=5, rng=3, **chosen)
    out += [*stems.values(), *stems.decomposition.factors]
print(hashlib.sha256(b"".join(a.tobytes() for a in out)).hexdigest(), stems.summary())
"""


def test_same_seed_same_bytes_in_any_process_with_any_threads():
    printed = {
        subprocess.run(
            [sys.executable, "-c", HASH.format(threads=n)],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "OPENBLAS_NUM_THREADS": str(n)},
        ).stdout
        for n in (1, 2)
    }
    assert len(printed) == 1
    y = noise()
    a, b = (na.separate(y, 8000, rng=seed, init="random", **QUICK) for seed in (0, 1))
    assert not np.array_equal(a["harmonic"], b["harmonic"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_sources": 5}, "n_sources is 5, but there are only 4 components"),
        ({"n_sources": 0}, "sources"),
        ({"n_sources": 1}, "n_sources is 1, whose only stem would be the whole recording"),
        ({"n_sources": 1.5}, "sources"),
        ({"n_components": 0}, "components"),
        ({"n_components": True}, "components"),
        ({"beta_loss": float("nan")}, "beta"),
        ({"beta_loss": "klein"}, "'kl'"),
        ({"mask_power": 0}, "mask_power"),
        ({"mask": "hard"}, "'hard'.*binary"),
        ({"hop": 250}, "largest hop"),
        ({"max_iter": -1}, "max_iter"),
        ({"tol": -1}, "tol"),
        ({"init": "zeros"}, "nndsvdar"),
        ({"solver": "adam"}, "'adam'.*mu"),
        ({"tempo": 3}, "tempo"),
    ],
)
def test_settings_that_cannot_work_are_named(arguments, message):
    with pytest.raises(na.ParameterError, match=message):
        na.separate(noise(), 8000, **{**QUICK, **arguments})


def test_the_border_says_what_is_wrong():
    y = noise(2)
    with pytest.raises(na.errors.ShapeError, match="transposed"):
        na.separate(y.T, 8000)
    with pytest.raises(na.ParameterError, match="sr is missing"):
        na.separate(y)
    with pytest.raises(na.ParameterError, match="has its own sample rate"):
        na.separate("song.wav", 8000)
    with pytest.raises(na.ParameterError, match="sr is 20; it must be"):
        na.separate(y, 20)
    with pytest.raises(na.ContentError, match="NaN"):
        na.separate(y * np.nan, 8000)
    with pytest.raises(na.AudioFileError):
        na.separate("no such file.wav")


def test_every_start_can_be_chosen():
    choices = next(o.choices for o in options(BlindSeparator) if o.name == "init")
    assert set(choices) == set(INITS)
    for init in INITS:
        BlindSeparator(init=init)
