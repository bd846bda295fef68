"""Commands that are killed or interrupted at random, and begun again.

``NMFAUDIO_KILLS`` is the number of kills of each command; the default is for every day.
"""

import hashlib
import os
import random
import signal
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


SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
RESULTS = (".wav", ".npz", ".mid", ".csv", ".png")


def commands():
    """Arguments of each command, without its output."""
    quick = ("-k", "4", "--max-iter", "8", "--n-fft", "512")
    separate = ("separate", "song.wav", "--stream", *quick)
    corpus = ("learn", "--corpus", "corpus", *quick, "--passes", "3", "--work")
    transcribe = ("transcribe", "song.wav", "--stems", "note", "--sonify", "--plot")
    batch = ("batch", "separate", "corpus", "--stems", "--workers", "1", *quick)
    return {
        "separate": lambda output: (*separate, "--overwrite", "-o", output),
        "learn": lambda output: (*corpus, f"{output}-work", "--overwrite", "-o", f"{output}/d.npz"),
        "transcribe": lambda output: (*transcribe, "--overwrite", "-o", output),
        "batch": lambda output: (*batch, "--resume", "-o", output),
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


def run(arguments, seconds=None, number=signal.SIGKILL):
    """Run a command, send a signal after some seconds; return whether it was ended by it."""
    process = start("-m", "nmfaudio", *arguments)
    try:
        _, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(number)
        _, errors = process.communicate()
    # Python itself ends while it starts, and after the command is done.
    assert process.returncode in (0, 128 + number, -number), errors
    assert "Traceback" not in errors
    return process.returncode != 0


def hashes(output):
    """Hashes of the results of each folder, by their final names."""
    found = {}
    for path in Path(output).rglob("*"):
        if path.suffix in RESULTS and not path.name.startswith("."):
            folder = found.setdefault(str(path.parent.relative_to(output)), {})
            folder[path.name] = hashlib.md5(path.read_bytes()).hexdigest()
    return found


def unfinished(output):
    """Temporary files."""
    return [path for path in Path(output).rglob("*.tmp") if path.is_file()]


@pytest.mark.parametrize("name", list(commands()))
def test_the_result_is_that_of_a_run_without_kills(name, folder):
    command = commands()[name]
    run(command("reference"))  # compiles
    began = time.monotonic()
    run(command("again"))
    duration, expected = time.monotonic() - began, hashes("reference")
    assert expected == hashes("again") != {}
    generator, kills, rounds = random.Random(0), 0, 0
    while kills < KILLS:
        number = generator.choice(SIGNALS)
        output = f"out-{rounds}"
        killed = run(command(output), generator.uniform(0.1, 1.0) * duration, number)
        kills += killed
        # What is there by its final name is complete: all results of a recording, or none.
        assert hashes(output).items() <= expected.items()
        if not killed or number != signal.SIGKILL:
            assert unfinished(output) == []
        if not killed:
            assert hashes(output) == expected
            rounds += 1
    run(command(f"out-{rounds}"))
    assert hashes(f"out-{rounds}") == expected
    assert unfinished(f"out-{rounds}") == []
