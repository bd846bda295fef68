"""No file ends a reader with anything but an error of the package."""

import pytest
from fuzz.readers import READERS, past_failures, sound_files
from fuzz.running import fuzz, limits, outcome

PACKAGES = {"containers": "av", "PNG": "matplotlib"}  # of extras
MUTANTS = 60  # of each reader; ``python -m tests.fuzz`` reads more


@pytest.mark.parametrize("name", READERS)
def test_mutants_are_read_or_refused(name, tmp_path):
    if name in PACKAGES:
        pytest.importorskip(PACKAGES[name])
    with limits():
        assert [outcome(name, content, tmp_path) for content in sound_files(name)] == [
            ("", "") for _ in sound_files(name)
        ]
        for content in past_failures(name):
            assert not outcome(name, content, tmp_path)[1]
    counts, failures = fuzz(name, tmp_path, count=MUTANTS)
    assert not failures
    assert counts.total() == MUTANTS
