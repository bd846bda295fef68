"""Every recording of the project separates, by the command, into what adds up to it."""

from pathlib import Path

import numpy as np
import pytest

from nmfaudio.audio.io import read
from nmfaudio.cli import main

SAMPLES = sorted((Path(__file__).parents[2] / "audio_samples").glob("*/mixture.*"))


@pytest.mark.slow
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.parent.name)
@pytest.mark.parametrize("sources", ["2", "4", "auto"])
def test_it_separates(sample, sources, tmp_path, capsys):
    assert main(["separate", str(sample), "-o", str(tmp_path), "-s", sources, "-v"]) == 0
    printed = capsys.readouterr()
    paths = printed.out.splitlines()
    mixture = read(sample)
    stems = [read(path) for path in paths]
    assert len(stems) == int(sources) if sources != "auto" else 1 <= len(stems) <= 6
    assert {stem.sr for stem in stems} == {mixture.sr}
    total = sum(stem.samples.astype(np.float64) for stem in stems)
    assert np.abs(total - mixture.samples).max() <= 1e-6 * np.abs(mixture.samples).max()
    assert "largest difference of the sum of the stems" in printed.err
    assert "percussive" in printed.err
