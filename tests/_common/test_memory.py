"""Sizes in words."""

import pytest

from nmfaudio._common.memory import parse_size
from nmfaudio.errors import ParameterError


@pytest.mark.parametrize(
    ("text", "size"),
    [("100", 100), ("1k", 2**10), ("500M", 500 * 2**20), ("1.5 GiB", 3 * 2**29), ("2TB", 2**41)],
)
def test_units_are_powers_of_1024(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "M", "0", "-1M", "1,5G", "2X", "1e9", "nan", "٣M"])
def test_other_texts_are_refused(text):
    with pytest.raises(ParameterError, match="is not a size"):
        parse_size(text)
