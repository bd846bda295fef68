"""`nmfaudio learn`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import nmfaudio as na

from .conftest import SR, write_wav

QUICK = ("--n-fft", "256", "--hop", "64", "--size", "3")


def sine(hz, seconds=0.5, sr=SR):
    return np.sin(2 * np.pi * hz * np.arange(round(seconds * sr)) / sr)


@pytest.fixture
def sounds():
    write_wav("a.wav", sine(1000))
    write_wav("b.wav", sine(2000))
    write_wav("mix.wav", np.concatenate([sine(500), sine(1500), sine(2500)]))
    for name in ("60", "72"):
        write_wav(f"notes/{name}.wav", sine(3000))


def peaks(known, label):
    """Loudest frequencies of a label's templates in Hz."""
    chosen = known.select(label).templates
    return set(known.transform.frequencies[chosen.argmax(axis=0)])


def test_files_folders_and_stretches(nmfaudio, sounds):
    given = ["x=a.wav", "y=notes", "x=b.wav", "--from", "mix.wav", "0-0.4,1.1-1.4=z"]
    result = nmfaudio("learn", *QUICK, *given, "-o", "made/songs.npz")
    assert (result.code, result.out) == (0, "made/songs.npz\n")
    assert result.err.startswith("made/songs.npz: 3 labels: x 3, y 6, z 3; ")
    known = na.Dictionary.load("made/songs.npz")
    assert known.names == ("x", "y", "z")
    assert known.transform == na.Stft(SR, 256, 64)
    assert peaks(known, "x") <= {1000, 2000}
    assert peaks(known, "z") <= {500, 2500}
    assert set(known.select("y").pitches) == {60, 72}
    assert known.metadata["examples"]["z"] == ["mix.wav 0-0.4 s", "mix.wav 1.1-1.4 s"]


def test_python_learns_the_same(nmfaudio, sounds):
    for kind, lags in (("exemplars", 2), ("templates", 1), ("convolutive", 3)):
        options = ("--kind", kind, "--lags", lags, "--seed", 3, "--max-iter", 5, "--beta-loss", 0.5)
        nmfaudio("learn", *QUICK, *options, "x=a.wav", "-o", f"{kind}.npz", "-q")
        known = na.learn(
            {"x": "a.wav"},
            kind=kind,
            lags=lags,
            size=3,
            beta_loss=0.5,
            max_iter=5,
            transform=na.Stft(SR, 256, 64),
            rng=3,
        )
        made = na.Dictionary.load(f"{kind}.npz")
        np.testing.assert_array_equal(made.templates, known.templates)
        assert (made.beta_loss, made.kind, made.labels) == (
            known.beta_loss,
            known.kind,
            known.labels,
        )


def test_json(nmfaudio, sounds):
    facts = nmfaudio("learn", *QUICK, "x=a.wav", "-o", "x.npz", "--json").json
    assert (facts["command"], facts["exit_code"], facts["path"]) == ("learn", 0, "x.npz")
    assert facts["labels"] == {"x": na.Dictionary.load("x.npz").n_components}
    assert facts["transform"]["n_fft"] == 256
    assert facts["warnings"] == []


def test_quiet_says_nothing(nmfaudio, sounds):
    assert nmfaudio("learn", *QUICK, "x=a.wav", "-o", "x.npz", "-q").err == ""


def test_an_existing_file_is_kept_unless_asked(nmfaudio, sounds):
    nmfaudio("learn", *QUICK, "x=a.wav", "-o", "x.npz")
    again = nmfaudio("learn", *QUICK, "y=a.wav", "-o", "x.npz")
    assert again.code == 5
    assert "x.npz: exists; use" in again.errors()[0]
    assert na.Dictionary.load("x.npz").names == ("x",)
    assert nmfaudio("learn", *QUICK, "y=a.wav", "-o", "x.npz", "--overwrite").code == 0
    assert na.Dictionary.load("x.npz").names == ("y",)


def test_sample_rates_that_differ(nmfaudio, sounds):
    write_wav("c.wav", sine(1000, sr=2 * SR), samplerate=2 * SR)
    given = ("learn", *QUICK, "x=a.wav", "y=c.wav", "-o", "x.npz")
    result = nmfaudio(*given)
    assert result.code == 2
    assert "y: c.wav has a sample rate of 16000 Hz, 8000 Hz is needed" in result.errors()[0]
    assert nmfaudio(*given, "--resample", "-q").code == 0
    assert peaks(na.Dictionary.load("x.npz"), "y") == {1000}


def test_warnings_are_heard(nmfaudio, sounds):
    write_wav("loud.wav", sine(1000))
    Path("short.wav").write_bytes(Path("loud.wav").read_bytes()[:-1000])
    result = nmfaudio("learn", *QUICK, "x=short.wav", "-o", "x.npz", "--json")
    assert result.code == 0
    assert "short.wav" in result.json["warnings"][0]
    assert result.err.startswith("nmfaudio: warning: ")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, "no recordings given"),
        (("a.wav",), 2, "a.wav is not of the form LABEL=PATH"),
        (("=a.wav",), 2, "not of the form LABEL=PATH"),
        (("x=missing.wav",), 3, "missing.wav: No such file"),
        (("x=.",), 4, "silent"),
        (("--from", "a.wav", "0-9=x"), 2, "does not lie within"),
        (("--from", "a.wav", "x"), 2, "x is not of the form RANGES=LABEL"),
        (("--from", "a.wav", "3=x"), 2, "'3' is not a time range"),
        (("x=silence.wav",), 4, "x: its recordings are silent"),
        (("x=a.wav", "--kind", "sounds"), 2, "invalid choice"),
        (("x=a.wav", "--lags", "2", "--kind", "templates"), 2, "lags is 2"),
        (("x=a.wav", "--hop", "999"), 2, "hop"),
    ],
)
def test_what_cannot_be_learned(nmfaudio, arguments, code, words):
    write_wav("silence.wav", np.zeros(SR))
    if arguments != ("x=.",):
        write_wav("a.wav", sine(1000))
    result = nmfaudio("learn", "-o", "x.npz", "--n-fft", "256", *arguments)
    assert result.code == code
    (line,) = result.errors()
    assert words in line


def test_without_output(nmfaudio, sounds):
    result = nmfaudio("learn", "x=a.wav")
    assert result.code == 2
    assert "-o/--output" in result.errors()[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no recordings given"),
        (["-o", "x"], "no recordings given"),
        (["a=song.wav"], "learn needs -o/--output DICTIONARY.npz"),
        (["a=song.wav", "-o", "x"], "--output x must end in .npz; write -o x.npz"),
    ],
)
def test_the_first_mistake_is_named_first(nmfaudio, song, arguments, message):
    result = nmfaudio("learn", *arguments)
    assert result.code == 2
    assert message in result.err


def test_no_folder_remains_of_a_failure(nmfaudio):
    assert nmfaudio("learn", "a=missing.wav", "-o", "new/deep/x.npz").code == 3
    assert not Path("new").exists()
