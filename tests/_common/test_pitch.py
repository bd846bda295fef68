"""Conversions of frequency scales."""

import numpy as np
import pytest

from nmfaudio._common.pitch import erb_rate, erb_spaced, erb_width, hz_to_midi, midi_to_hz


def test_midi_numbers_and_hertz_are_inverse():
    midi = np.linspace(0, 127, 300)
    np.testing.assert_allclose(hz_to_midi(midi_to_hz(midi)), midi, rtol=1e-12, atol=1e-12)
    assert midi_to_hz(81) == 880
    assert isinstance(midi_to_hz(60), float)


def test_erb_spacing_is_even_on_the_erb_rate_scale():
    steps = np.diff(erb_rate(erb_spaced(50, 8000, 20)))
    np.testing.assert_allclose(steps, steps[0], rtol=1e-9)


@pytest.mark.parametrize("hertz", [100.0, 1000.0, 10000.0])
def test_one_erb_is_one_step_of_the_rate(hertz):
    width = erb_width(np.array(hertz))
    step = erb_rate(hertz + width / 2) - erb_rate(hertz - width / 2)
    assert step == pytest.approx(1, rel=0.02)
