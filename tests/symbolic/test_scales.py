"""Scales list the pitches that their definition has, and files of Scala read as written."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nmfaudio as na
from nmfaudio.errors import AudioFileError, ParameterError
from nmfaudio.symbolic import Scale, read_scale


@given(
    st.sets(st.floats(1, 1199), max_size=20),
    st.floats(1200, 2400),
    st.floats(0, 127),
    st.floats(415, 466),
)
def test_pitches_are_all_that_are_degrees(cents, period, tonic, a4):
    scale = Scale((0, *sorted(cents)), period, tonic, a4)
    pitches = np.array(scale.pitches(21, 108))
    assert (np.diff(pitches) >= 0).all()
    above = (100 * (pitches - tonic) - 1200 * np.log2(a4 / 440)) % period
    distance = np.abs(above[:, None] - np.array([*scale.cents, period])).min(axis=1)
    assert distance.max(initial=0) < 1e-3
    assert abs(len(pitches) - 8700 / period * len(scale.cents)) <= 2 * len(scale.cents)


def test_the_default_is_the_semitones():
    assert Scale().pitches(21, 108) == tuple(range(21, 109))


def test_files_of_scala(tmp_path):
    path = tmp_path / "just.scl"
    path.write_text("! just.scl\n!\nA just scale\n 4\n!\n 9/8 tone\n 5/4\n 701.955 fifth\n 2\n")
    scale = read_scale(path, tonic=62)
    assert scale.cents == pytest.approx((0, 203.910, 386.314, 701.955), abs=1e-3)
    assert scale.period == 1200
    assert scale.pitches(62, 70) == pytest.approx((62, 64.0391, 65.86314, 69.01955), abs=1e-4)


@pytest.mark.parametrize(
    "text", ["", "name\n", "name\n2\n100.0\n", "name\nx\n", "name\n1\n0/1\n", "name\n1\n0.0\n"]
)
def test_other_files_are_refused(tmp_path, text):
    path = tmp_path / "a.scl"
    path.write_text(text)
    with pytest.raises(AudioFileError, match=r"is not a scale of Scala; need a description"):
        read_scale(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(AudioFileError, match="No such file"):
        read_scale(tmp_path / "a.scl")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cents": ()}, "must begin with 0"),
        ({"cents": (0, 300, 200)}, "ascend"),
        ({"period": 1000}, "above the last degree"),
        ({"tonic": 200}, "tonic is 200"),
        ({"a4": 44100}, "a4 is 44100"),
    ],
)
def test_impossible_scales_are_refused(settings, message):
    with pytest.raises(ParameterError, match=message):
        Scale(**settings)


def test_templates_are_retuned():
    stft = na.Stft(22050, 4096)
    semitones = na.dictionaries.harmonic_notes(stft, pitches=range(60, 72))
    quarters = semitones.retune(Scale(range(0, 1200, 50)).pitches(60, 71))
    assert quarters.pitches == tuple(60 + n / 2 for n in range(23))
    exact = na.dictionaries.harmonic_notes(stft, pitches=quarters.pitches)
    peaks, expected = (each.templates.argmax(axis=0) for each in (quarters, exact))
    assert np.abs(peaks - expected).max() <= 1
    assert quarters.templates.sum(axis=0) == pytest.approx(1, abs=1e-5)
    with pytest.raises(ParameterError, match="no pitches to retune to"):
        semitones.retune([])
