"""A streamed separation and a fit to a corpus that are killed at random, and begun again.

``NMFAUDIO_KILLS`` is the number of kills; the default is for every day.
"""

import hashlib
import os
import random
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from processes import start

KILLS = int(os.environ.get("NMFAUDIO_KILLS", "4"))
SR = 8000
pytestmark = pytest.mark.slow


def commands(folder):
    """Arguments of each command, without its output."""
    quick = ("-k", "4", "--max-iter", "8", "--n-fft", "512")
    separate = ("separate", "song.wav", "--stream", *quick)
    corpus = ("learn", "--corpus", "corpus", *quick, "--passes", "3", "--work")
    return {
        "separate": lambda output: (*separate, "--overwrite", "-o", output),
        "learn": lambda output: (*corpus, f"{output}-work", "--overwrite", "-o", f"{output}/d.npz"),
    }


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    Path("corpus").mkdir()
    for name, seconds in (("song", 20), ("corpus/a", 5), ("corpus/b", 3), ("corpus/c", 4)):
        t = np.arange(seconds * SR) / SR
        y = 0.4 * np.sin(2770 * t) * (t % 1 > 0.5) + 0.1 * rng.standard_normal(len(t))
        soundfile.write(f"{name}.wav", y, SR, "PCM_16")
    return tmp_path


def run(arguments, seconds=None):
    """Run a command, kill it after some seconds; return whether it was killed."""
    process = start("-m", "nmfaudio", *arguments)
    try:
        _, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return True
    assert process.returncode == 0, errors
    return False


def hashes(output):
    """Hash of each result by its final name."""
    found = [path for path in Path(output).rglob("*") if path.suffix in (".wav", ".npz")]
    return {str(p.relative_to(output)): hashlib.md5(p.read_bytes()).hexdigest() for p in found}


@pytest.mark.parametrize("name", ["separate", "learn"])
def test_the_result_is_that_of_a_run_without_kills(name, folder):
    command = commands(folder)[name]
    run(command("reference"))  # compiles
    began = time.monotonic()
    run(command("again"))
    duration, expected = time.monotonic() - began, hashes("reference")
    assert expected == hashes("again") != {}
    generator, kills, rounds = random.Random(0), 0, 0
    while kills < KILLS:
        killed = run(command(f"out-{rounds}"), generator.uniform(0.3, 1.0) * duration)
        kills += killed
        # What is there by its final name is complete.
        assert hashes(f"out-{rounds}").items() <= expected.items()
        if not killed:
            assert hashes(f"out-{rounds}") == expected
            rounds += 1
    run(command(f"out-{rounds}"))
    assert hashes(f"out-{rounds}") == expected
