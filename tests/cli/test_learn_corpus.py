"""`nmfaudio learn --corpus`."""

from __future__ import annotations

import numpy as np
import pytest

import nmfaudio as na

from .conftest import SR, write_wav

QUICK = ("--n-fft", "256", "--hop", "64", "-k", "3", "--max-iter", "5")


@pytest.fixture
def songs():
    rng = np.random.default_rng(0)
    for name in ("a", "more/b"):
        write_wav(f"songs/{name}.wav", 0.1 * rng.standard_normal(SR // 4))


def test_a_dictionary_of_a_folder(nmfaudio, songs):
    result = nmfaudio("learn", "--corpus", "songs", *QUICK, "-o", "made/songs.npz")
    assert (result.code, result.out) == (0, "made/songs.npz\n")
    assert result.err.startswith("made/songs.npz: 1 label: songs 3; templates of 129 frequencies")
    known = na.Dictionary.load("made/songs.npz")
    fit = na.fit_corpus("songs", 3, transform=na.Stft(SR, 256, 64), max_iter=5)
    assert known == fit.to_dictionary("songs")
    info = nmfaudio("dictionary", "info", "made/songs.npz")
    assert "songs: a.wav, b.wav" in info.out


@pytest.mark.parametrize("options", [("--exact",), ("--passes", 2, "--workers", 1)])
def test_a_run_continues_in_its_folder(nmfaudio, songs, options):
    arguments = ("learn", "--corpus", "noise=songs", *QUICK, *options, "--work", "scratch")
    first = nmfaudio(*arguments, "-o", "a.npz", "--json")
    facts = first.json["corpus"]
    assert facts["files"] == 2
    assert len(facts["losses"]) == len(facts["checks"]) == 2
    assert facts["losses"][1] <= facts["losses"][0]
    assert first.json["labels"] == {"noise": 3}
    assert nmfaudio(*arguments, "-o", "b.npz", "-q").code == 0
    with open("a.npz", "rb") as a, open("b.npz", "rb") as b:
        assert a.read() == b.read()


def test_broken_files_are_warned_of(nmfaudio, songs):
    with open("songs/c.wav", "w") as file:
        file.write("no audio")
    result = nmfaudio("learn", "--corpus", "songs", *QUICK, "-o", "d.npz")
    assert result.code == 0
    assert "nmfaudio: warning: learn: left out: " in result.err
    assert "c.wav" in result.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("x=a.wav",), "LABEL=PATH cannot be combined with --corpus"),
        (("--notes", "x=notes"), "--notes cannot be combined with --corpus"),
        (("--kind", "exemplars"), "--kind exemplars cannot be learned from a corpus"),
        (("--resample",), "--resample cannot be combined with --corpus"),
        (("--exact", "--passes", 1), "--passes cannot be combined with --exact"),
        (("--corpus", "nowhere"), "--corpus nowhere is no folder"),
    ],
)
def test_options_that_cannot_be_combined(nmfaudio, songs, options, message):
    result = nmfaudio("learn", "--corpus", "songs", *options, "-o", "d.npz")
    assert result.code == 2
    assert message in result.err


def test_options_of_a_corpus_need_one(nmfaudio):
    for option in (("--exact",), ("--passes", 0), ("--workers", 2), ("--work", "x")):
        result = nmfaudio("learn", "x=a.wav", *option, "-o", "d.npz")
        assert result.code == 2
        assert f"{option[0]} is for a corpus; add --corpus FOLDER" in result.err


@pytest.mark.parametrize("work", [True, False])
def test_an_interrupted_run_tells_how_to_go_on(nmfaudio, songs, monkeypatch, work):
    def interrupt(*arguments, **settings):
        raise KeyboardInterrupt

    monkeypatch.setattr("nmfaudio.dictionaries.corpus.fit_corpus", interrupt)
    options = ("--work", "scratch") if work else ()
    result = nmfaudio("learn", "--corpus", "songs", *QUICK, *options, "-o", "d.npz")
    assert result.code == 130
    assert ("repeat the command, with the same --work, to go on" in result.err) == work
