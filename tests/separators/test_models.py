"""Sounds that plain NMF cannot tell apart: by where they are, and a voice by how it is made."""

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.audio.masking import Masking, apply_mask, apply_masks
from nmfaudio.stems.masks import group_masks

SR = 8000


def separated(d, groups, y, stft):
    return apply_masks(group_masks(d, groups, Masking(power=stft.power)), len(groups), y, stft)


def gains(sources, stems):
    """SI-SDR of each stem above that of the mixture, in dB."""
    y = sources.sum(0)
    return [
        na.metrics.si_sdr(s, e) - na.metrics.si_sdr(s, y)
        for s, e in zip(sources, stems, strict=True)
    ]


def test_masks_may_differ_between_channels():
    rng, stft = np.random.default_rng(0), na.Stft(SR, 256)
    y = rng.standard_normal((2, 50_000)).astype(np.float32)
    Z = stft.forward(y)
    masks = rng.random((3, *Z.shape), np.float32)
    stems = apply_masks(lambda frames: masks[..., frames], 3, y, stft)
    np.testing.assert_array_equal(stems, [stft.inverse(mask * Z, 50_000) for mask in masks])
    np.testing.assert_array_equal(apply_mask(masks[1], y, stft), stems[1])


@pytest.mark.parametrize("seed", range(3))
def test_stereo_position_separates_sounds_of_one_spectrum(seed):
    rng, t = np.random.default_rng(0), np.arange(2 * SR) / SR
    noise = np.convolve(rng.standard_normal(len(t)), np.ones(4) / 4, mode="same")
    hits = [
        noise[::turn] * np.exp(-((t - first) % period) / 0.06) * (t > first)
        for turn, period, first in ((1, 0.5, 0.0), (-1, 0.35, 0.1))
    ]
    pan = np.array([[1.0, 0.3], [0.35, 1.0]])
    sources = np.stack([pan[:, [s]] * hits[s] for s in range(2)])
    stft, y = na.Stft(SR, 512), sources.sum(0)
    V = np.abs(stft.forward(y))
    rng = np.random.default_rng(seed)
    start = [
        na.Factor(rng.random((2, 2)) + 0.1, unit="l1"),
        na.Factor(rng.random((V.shape[1], 2)) + 0.1, unit="l1"),
        na.Factor((rng.random((2, V.shape[2])) + 0.1) * V.sum() / V.shape[2]),
    ]
    d = na.decompose(V, start, structure=na.structures.Channels(), tol=0)
    left = int(np.argmax(d.factors[0][0]))
    stems = separated(d, [[left], [1 - left]], y, stft)
    np.testing.assert_allclose(stems.sum(0), y, atol=1e-12)
    assert min(gains(sources, stems)) > 9, gains(sources, stems)


def harmonic_tone(midi, strengths, envelope, t, rng):
    f = 440 * 2 ** ((midi - 69) / 12)
    return envelope * sum(
        a * np.sin(2 * np.pi * f * h * t + rng.uniform(0, 6)) for h, a in enumerate(strengths, 1)
    )


def formants(f):
    peaks = ((600, 120, 1), (1200, 160, 0.6), (2600, 250, 0.3))
    return sum(gain / (1 + ((f - centre) / width) ** 2) for centre, width, gain in peaks)


def test_a_gliding_voice_is_told_from_notes_that_stay():
    rng, t = np.random.default_rng(0), np.arange(2 * SR) / SR
    midi = 58.5 + 3.5 * np.sin(2 * np.pi * 0.5 * t) + 0.3 * np.sin(2 * np.pi * 5.5 * t)
    f0 = 440 * 2 ** ((midi - 69) / 12)
    phase = 2 * np.pi * np.cumsum(f0) / SR
    voice = sum(
        formants(h * f0) / h * np.sin(h * phase) * (h * f0 < 0.49 * SR) for h in range(1, 25)
    )
    notes = ((45, 1.0, 0.0), (52, 0.5, 0.1), (61, 0.75, 0.2), (64, 0.75, 0.2))
    chords = sum(
        harmonic_tone(m, (1, 0.6, 0.4, 0.3, 0.2), np.exp(-((t - s) % p) / 0.4), t, rng)
        for m, p, s in notes
    )
    sources = np.stack([voice, chords * voice.std() / chords.std()])[:, None]
    stft, y = na.Stft(SR, 1024, power=2.0), sources.sum(0)
    V = stft.features(stft.forward(y))
    freq, time = V.shape
    pitches = np.arange(50, 68, 0.25)
    starts = [
        na.Factor(na.structures.glottal_sources(stft.frequencies, pitches), free=False),
        na.Factor(rng.random((len(pitches), time)) * V.mean()),
        na.Factor(na.structures.filter_bumps(stft.frequencies, 20), free=False),
        na.Factor(rng.random((20, time)) + 0.1),
        na.Factor(rng.random((freq, 6)) + 0.1),
        na.Factor(rng.random((6, time)) * V.mean()),
    ]
    d = na.decompose(
        V, starts, structure=na.structures.SourceFilter(), divergence=na.Beta(0), max_iter=60, tol=0
    )
    every = range(d.n_components)
    stems = separated(d, [every[: len(pitches)], every[len(pitches) :]], y, stft)
    assert min(gains(sources, stems)) > 7, gains(sources, stems)
    found = pitches[d.H[: len(pitches)].argmax(0)]
    true = np.interp(stft.times(time), t, midi)
    assert np.mean(np.abs(found - true) < 0.6) > 0.9
