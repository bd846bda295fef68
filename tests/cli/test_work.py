"""Settings with which a separation would take days are refused; long honest work is not."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

import nmfaudio as na
from nmfaudio.cli import batch_task, work
from nmfaudio.errors import LimitError


@pytest.fixture
def song(folder):
    """Four minutes of silence."""
    soundfile.write("song.flac", np.zeros(240 * 44100, dtype=np.int16), 44100)
    return "song.flac"


def test_hours_for_a_song_are_refused_before_any_work(nmfaudio, folder, song):
    for command, *settings in (
        ("separate", "--hop", 1),
        ("separate", "--hop", 1, "--stream"),
        ("hpss", "--lags", 100_000),
        ("drums", "--max-iter", 10**9),
    ):
        result = nmfaudio(command, *settings, song)
        assert (result.code, result.out) == (6, "")
        (line,) = result.errors()
        assert line.startswith("nmfaudio: error: song.flac: ")
        assert " hours of one processor for 240 s of audio; use" in line
    task = (str(folder), "hpss", ["--models", "1000000", "-o", "out"], True, song, "song")
    for more in ((), ((), str(folder / "parts"))):
        report = batch_task.process_file(*task, *more)
        assert report["exit_code"] == 6
        assert "hours of one processor" in report["error"]
    assert [path.name for path in Path().iterdir()] == [song]


def test_long_honest_work_passes(song, monkeypatch):
    slow = na.BlindSeparator(hop=1)
    work.check_work(slow, song, (0.0, 10.0))  # a short part
    monkeypatch.setattr(work, "count_samples", lambda header, *_: 36_000 * header.sr)  # ten hours
    for separator in (
        na.BlindSeparator(),
        na.BlindSeparator(max_iter=100_000),  # until it has converged
        na.BlindSeparator(hop=128, n_components=300, max_iter=1000),
        na.BlindSeparator(n_fft=2**20),
        na.HpssSeparator(hop=256, models=20),
        na.DrumSeparator(max_iter=1000),
        na.DenoiseSeparator(noise="0-1", exemplars=2000),
    ):
        work.check_work(separator, song, None)
    with pytest.raises(LimitError, match="hop of 1 would take"):
        work.check_work(slow, song, None)
