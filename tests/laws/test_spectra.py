"""Atoms and spectra have the partials of their pitches and no others."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nmfaudio as na
from nmfaudio.errors import ParameterError, ShapeError

SR, N_FFT = 8000, 1024
FREQUENCIES = np.arange(N_FFT // 2 + 1) * (SR / N_FFT)


def hz(midi):
    return 440 * 2 ** ((np.asarray(midi) - 69) / 12)


def analysed(frequency):
    """Spectrum of a sinusoid under a Hann window of the length of the transform, peak 1."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N_FFT) / N_FFT)
    seen = np.fft.fft(window * np.exp(2j * np.pi * frequency / SR * np.arange(N_FFT)))
    return np.abs(seen[: N_FFT // 2 + 1]) / window.sum()


@settings(max_examples=30, deadline=None)
@given(st.floats(30, 106), st.integers(2, 12), st.floats(0, 1e-3))
def test_atoms_of_a_pitch_sum_to_partials_of_equal_strength(pitch, n_bands, stiffness):
    made = na.structures.harmonic_atoms(
        FREQUENCIES, [pitch], n_bands=n_bands, inharmonicity=stiffness
    )
    assert made.shape == (len(FREQUENCIES), n_bands, 1)
    assert (made >= 0).all()
    f0 = hz(pitch)
    h = np.arange(1, int(FREQUENCIES[-1] / f0) + 1)
    partials = h * f0 * np.sqrt(1 + stiffness * h**2)
    want = np.zeros(len(FREQUENCIES))
    for partial in partials[partials <= FREQUENCIES[-1]]:
        near = np.abs(FREQUENCIES - partial) < 2 * FREQUENCIES[1]
        want += analysed(partial) * near
    np.testing.assert_allclose(made.sum(1)[:, 0], want, atol=1e-4)


def test_atoms_have_few_neighbouring_partials_from_low_to_high():
    made = na.structures.harmonic_atoms(FREQUENCIES, [45], n_bands=8)[:, :, 0]
    centres = FREQUENCIES @ made / made.sum(0)
    assert (np.diff(centres) > 0).all()
    assert not (made[:, 0] * made[:, 2]).any()


@pytest.mark.parametrize("power", [1, 2])
def test_n_partials_and_decay_shape_the_partials(power):
    made = na.structures.harmonic_atoms(
        FREQUENCIES, [60, 72], n_partials=3, decay=1.0, power=power
    ).sum(1)
    for k, pitch in enumerate((60, 72)):
        for h in range(1, 6):
            near = np.abs(FREQUENCIES - h * hz(pitch)) < 2 * FREQUENCIES[1]
            alone = analysed(h * hz(pitch)) ** power
            want = alone * h ** -float(power) * (h <= 3)
            np.testing.assert_allclose(made[near, k], want[near], atol=1e-4)


def test_each_pitch_can_have_its_inharmonicity():
    both = na.structures.harmonic_atoms(FREQUENCIES, [50, 60], inharmonicity=[1e-4, 1e-3])
    for k, (pitch, stiffness) in enumerate(((50, 1e-4), (60, 1e-3))):
        alone = na.structures.harmonic_atoms(FREQUENCIES, [pitch], inharmonicity=stiffness)
        np.testing.assert_array_equal(both[:, :, k], alone[:, :, 0])


def test_width_and_power_shape_the_lobes():
    narrow = na.structures.harmonic_atoms(FREQUENCIES, [69], n_bands=2)
    wide = na.structures.harmonic_atoms(FREQUENCIES, [69], n_bands=2, width=100.0)
    assert (wide.sum((0, 1)) > 5 * narrow.sum((0, 1))).all()
    offset = np.abs(FREQUENCIES - 440)
    first = offset < 220
    assert (wide[first & (offset >= 100)] == 0).all()
    assert (wide[first & (offset < 100), 0] > 0).all()
    squared = na.structures.harmonic_atoms(FREQUENCIES, [69], n_bands=2, power=2).sum(1)
    np.testing.assert_allclose(squared, narrow.sum(1) ** 2, atol=1e-12)


@pytest.mark.parametrize("open_quotient", [0.25, 0.6, 1.0])
def test_glottal_partials_are_those_of_the_pulse(open_quotient):
    pitch = 45  # 110 Hz: partials far apart
    made = na.structures.glottal_sources(
        FREQUENCIES, [pitch], open_quotient=open_quotient, power=1
    )[:, 0]
    length = 2**16
    x = np.arange(length) / length / open_quotient
    flow = np.where(x < 1, 2 * x - 3 * x**2, 0)
    strengths = np.abs(np.fft.rfft(flow))[1:37]
    want = sum(
        s * analysed(h * hz(pitch)) * (np.abs(FREQUENCIES - h * hz(pitch)) < 2 * FREQUENCIES[1])
        for h, s in enumerate(strengths / strengths.max(), 1)
    )
    np.testing.assert_allclose(made, want, atol=2e-3)
    power = na.structures.glottal_sources(FREQUENCIES, [pitch], open_quotient=open_quotient)[:, 0]
    np.testing.assert_allclose(power, made**2, atol=1e-12)


@given(st.integers(2, 40), st.integers(2, 300))
def test_filter_bumps_overlap_and_sum_to_one(n, bins):
    bumps = na.structures.filter_bumps(np.linspace(50, 4000, bins), n)
    assert bumps.shape == (bins, n)
    assert (bumps >= 0).all()
    assert ((bumps > 1e-9).sum(1) <= 2).all()
    np.testing.assert_allclose(bumps.sum(1), 1)


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: na.structures.harmonic_atoms(FREQUENCIES, [120]), ParameterError),
        (lambda: na.structures.harmonic_atoms(FREQUENCIES, []), ShapeError),
        (lambda: na.structures.harmonic_atoms(FREQUENCIES[::-1], [60]), ParameterError),
        (lambda: na.structures.harmonic_atoms(FREQUENCIES[None], [60]), ShapeError),
        (lambda: na.structures.harmonic_atoms(FREQUENCIES, [60], n_bands=1), ParameterError),
        (lambda: na.structures.harmonic_atoms(FREQUENCIES, [60], inharmonicity=-1), ParameterError),
        (lambda: na.structures.harmonic_atoms(FREQUENCIES, [60], inharmonicity=[0, 0]), ShapeError),
        (lambda: na.structures.harmonic_atoms(FREQUENCIES, [60], decay=-1), ParameterError),
        (lambda: na.structures.harmonic_atoms(FREQUENCIES, [60], n_partials=0), ParameterError),
        (lambda: na.structures.harmonic_atoms(FREQUENCIES, [60], width=0), ParameterError),
        (lambda: na.structures.glottal_sources(FREQUENCIES, [np.nan]), ParameterError),
        (
            lambda: na.structures.glottal_sources(FREQUENCIES, [60], open_quotient=1.5),
            ParameterError,
        ),
        (lambda: na.structures.glottal_sources(FREQUENCIES, [60], power=0), ParameterError),
        (lambda: na.structures.filter_bumps(FREQUENCIES, 1), ParameterError),
        (lambda: na.structures.filter_bumps([1.0], 3), ShapeError),
    ],
)
def test_invalid_arguments_raise(make, error):
    with pytest.raises(error):
        make()
