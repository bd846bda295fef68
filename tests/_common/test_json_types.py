"""Conversion to JSON types."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from nmfaudio._common.json_types import as_json


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": (1, 2.5, None, True, "x")}, {"a": [1, 2.5, None, True, "x"]}),
        ({3: Path("song.wav")}, {"3": "song.wav"}),
        ([np.int64(3), np.float32(0.5), np.bool_(True)], [3, 0.5, True]),
        (np.arange(2), "array([0, 1])"),
    ],
)
def test_values_become_json_types(value, expected):
    converted = as_json(value)
    assert converted == expected
    assert json.loads(json.dumps(converted)) == expected


def test_nan_and_infinity_are_kept_dropped_or_written_as_text():
    assert as_json(math.inf) == math.inf
    assert as_json([math.inf, np.float64(np.nan)], nonfinite="null") == ["inf", None]
    assert as_json({"adaptation": -math.inf}, nonfinite="text") == {"adaptation": "-inf"}
