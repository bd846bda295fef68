"""A batch learns one dictionary of each file, as nmfaudio learn does of one."""

from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio._common.executors import InProcessExecutor
from nmfaudio.cli import batch_run
from tests.cli.conftest import SR, write_wav

QUICK = ("--kind", "templates", "-k", "3", "--n-fft", "256", "--hop", "64", "--max-iter", "5")
RESULTS = ["out/a/dictionary.npz", "out/sub/b/dictionary.npz"]


@pytest.fixture(autouse=True)
def here(monkeypatch):
    """Process the files in this process."""

    @contextmanager
    def executor(*arguments, **limits):
        yield InProcessExecutor()

    monkeypatch.setattr(batch_run, "as_executor", executor)


@pytest.fixture
def sounds():
    rng = np.random.default_rng(0)
    for name in ("a", "sub/b"):
        write_wav(f"sounds/{name}.wav", 0.1 * rng.standard_normal(SR // 2))


@pytest.fixture
def batch(nmfaudio):
    return lambda *options: nmfaudio("batch", "learn", "sounds", "-o", "out", *QUICK, *options)


def test_the_dictionaries_are_those_of_learn(nmfaudio, batch, sounds):
    result = batch()
    assert result.code == 0
    assert sorted(result.out.splitlines()) == RESULTS
    nmfaudio("learn", "b=sounds/sub/b.wav", *QUICK, "-o", "one.npz")
    assert Path(RESULTS[1]).read_bytes() == Path("one.npz").read_bytes()
    assert batch("--resume").err == "2 files: 2 skipped\n"
    assert "add --resume" in batch().errors()[0]


def test_a_label_and_a_part_of_each_file(nmfaudio, batch, sounds):
    assert batch("--label", "hiss", "--preview", "0.1-0.3").code == 0
    known = na.Dictionary.load("out/a.preview-0.1-0.3/dictionary.npz")
    assert known.names == ("hiss",)
    assert known.metadata["examples"] == {"hiss": ["sounds/a.wav 0.1-0.3 s"]}


def test_a_file_that_fails_is_listed(batch, sounds):
    write_wav("sounds/silence.wav", np.zeros(SR))
    result = batch()
    assert result.code == 7
    assert "sounds/silence.wav" in result.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--corpus", "sounds"), "--corpus learns one dictionary of several recordings"),
        (("--notes=piano=notes",), "--notes learns one dictionary"),
        (("--stream",), "unknown option --stream"),
        (("--beta-loss", "odd"), "beta"),
        (("--stems",), "unknown option --stems"),
    ],
)
def test_options_of_other_kinds_are_refused(batch, sounds, options, message):
    result = batch(*options)
    assert result.code == 2
    assert message in result.errors()[0]


def test_each_help_points_to_the_other(nmfaudio):
    assert "see nmfaudio batch learn" in nmfaudio("learn", "--help").out
    assert "nmfaudio learn --corpus FOLDER" in nmfaudio("batch", "--help").out


def test_no_option_has_an_empty_default(nmfaudio):
    assert "(default: )" not in nmfaudio("learn", "--help").out
