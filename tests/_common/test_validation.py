"""What counts as audio, and what is refused with which hint."""

import numpy as np
import pytest

from nmfaudio._common.validation import as_audio, as_sample_rate
from nmfaudio.errors import ContentError, ParameterError, ShapeError


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1, 1), (8, 1), (1, 100), (8, 3), (32, 2), (64, 64)])
def test_audio_passes_without_a_copy(dtype, shape):
    y = np.ones(shape, dtype)
    assert as_audio(y) is y or as_audio(y).base is y
    assert as_audio(y).dtype == dtype


def test_one_axis_becomes_one_channel():
    y = np.arange(5.0)
    assert as_audio(y).shape == (1, 5)
    assert np.shares_memory(as_audio(y), y)
    assert as_audio([0.0, 1.0]).shape == (1, 2)


@pytest.mark.parametrize(
    ("given", "result"), [("f2", "f4"), (">f4", "f4"), (">f8", "f8"), ("g", "f8")]
)
def test_other_floats_become_the_nearest_of_ours(given, result):
    assert as_audio(np.ones(3, given)).dtype == np.dtype(result)


@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        (np.ones((44100, 2)), ShapeError, r"looks transposed.*transpose it"),
        (np.ones((33, 1)), ShapeError, "looks transposed"),
        (np.ones((1, 2, 3)), ShapeError, r"shape \(1, 2, 3\)"),
        (np.float64(1), ShapeError, r"shape \(\)"),
        (np.zeros(0), ContentError, "empty"),
        (np.zeros((0, 5)), ContentError, "empty"),
        (np.zeros((2, 0)), ContentError, "empty"),
        (np.zeros(3, np.int16), ParameterError, r"int16.* y / 2\*\*15"),
        (np.zeros(3, np.uint8), ParameterError, r"uint8.*\(y - 2\*\*7\) / 2\*\*7"),
        (np.zeros(3, bool), ParameterError, "dtype bool"),
        (np.zeros(3, complex), ParameterError, "spectrogram"),
        (["a"], ParameterError, "dtype <U1"),
        (np.ma.masked_less([-1.0, 1.0], 0), ParameterError, "masked"),
        (np.array([[0, 0, np.inf], [0, np.nan, np.nan]]), ContentError, "3 NaN.* sample 1"),
        (np.array([-np.inf, 0]), ContentError, "1 NaN or infinite samples.* sample 0"),
    ],
)
def test_refused_with_a_hint(y, error, message):
    with pytest.raises(error, match=message):
        as_audio(y)


def test_the_name_in_messages_is_the_callers():
    with pytest.raises(ContentError, match="reference is empty"):
        as_audio(np.zeros(0), "reference")


@pytest.mark.parametrize(
    ("sr", "hint"),
    [
        (44.1, r"; did you mean 44100\?"),
        (48, r"; did you mean 48000\?"),
        (44100.0, r"; did you mean 44100\?"),
        (True, "1500000$"),
        (0, "1500000$"),
        (-8000, "1500000$"),
        (1_500_001, "1500000$"),
        (float("nan"), "1500000$"),
        ("44100", "1500000$"),
    ],
)
def test_a_sample_rate_is_a_whole_number_of_hertz(sr, hint):
    with pytest.raises(ParameterError, match=f"^sr is {sr!r}; it must be a whole number.*{hint}"):
        as_sample_rate(sr)


def test_a_sample_rate_of_any_size_is_refused():
    with pytest.raises(ParameterError, match="it must be a whole number of Hz"):
        as_sample_rate(10**400)


def test_sample_rates_of_numpy_become_integers():
    assert type(as_sample_rate(np.int32(8000))) is int
