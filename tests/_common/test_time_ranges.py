"""Durations in words."""

import pytest

from nmfaudio._common.time_ranges import parse_duration
from nmfaudio.errors import ParameterError


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90.0), ("1:30", 90.0), ("2:00:00", 7200.0), ("0.5", 0.5)]
)
def test_durations(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "0", "0:00", "-1", "1:60", "1:2:3:4", "soon", "inf", "1m", "9" * 400]
)
def test_other_texts_are_refused(text):
    with pytest.raises(ParameterError, match="is not a duration"):
        parse_duration(text)
