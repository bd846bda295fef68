"""`nmfaudio learn` for notes, and `nmfaudio dictionary` on what it makes."""

from __future__ import annotations

import numpy as np
import pytest

import nmfaudio as na

from .conftest import SR, write_wav


def note(pitch, seconds=0.6):
    t = np.arange(round(seconds * SR)) / SR
    return 0.5 * np.exp(-3 * t) * np.sin(2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * t)


@pytest.fixture
def notes():
    for pitch in (60, 64):
        write_wav(f"notes/{pitch}_v64.wav", note(pitch))
        write_wav(f"notes/{pitch}_v127.wav", note(pitch))
    write_wav("take.wav", np.concatenate([note(60), note(67)]))
    na.write_notes("take.csv", [na.Note(0, 0.6, 60), na.Note(0.6, 1.2, 67)])


def same(a, b):
    np.testing.assert_array_equal(a.templates, b.templates)
    for name in ("labels", "pitches", "velocities", "stages", "transform"):
        assert getattr(a, name) == getattr(b, name), name
    return True


def test_python_learns_the_same(nmfaudio, notes):
    result = nmfaudio("learn", "--notes", "piano=notes", "-o", "a.npz")
    assert (result.code, result.out) == (0, "a.npz\n")
    assert "piano 12; templates of 1025 frequencies" in result.err
    folder = na.dictionaries.learn_notes("notes")
    assert same(na.NoteDictionary.load("a.npz"), folder)
    nmfaudio("learn", "--recording", "piano=take.wav", "take.csv", "--max-iter", 5, "-o", "b.npz")
    take = na.dictionaries.learn_notes_from_recording("take.wav", "take.csv", max_iter=5)
    assert same(na.NoteDictionary.load("b.npz"), take)
    both = ("--notes", "piano=notes", "--recording", "piano=take.wav", "take.csv")
    assert nmfaudio("learn", *both, "--average", "--fill", "40-90", "-o", "c.npz").code == 0
    known = na.NoteDictionary.load("c.npz")
    whole = na.dictionaries.learn_notes_from_recording("take.wav", "take.csv")
    assert same(known, folder.merge(whole).average().fill(40, 90))
    assert sorted(known.groups()) == list(range(40, 91))
    settings = ("--lags", 4, "--n-fft", 256, "--hop", 64, "--beta-loss", "is")
    assert nmfaudio("learn", "--notes", "x=notes", *settings, "-o", "d.npz").code == 0
    stft = na.Stft(SR, 256, 64, power=2)
    made = na.dictionaries.learn_notes("notes", instrument="x", transform=stft, lags=4, beta_loss=0)
    assert same(na.NoteDictionary.load("d.npz"), made)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("--fill", "21-108"), "--fill is for notes"),
        (("--average", "x=take.wav"), "--average is for notes"),
        (("--notes", "x=notes", "--fill", "all"), "LOW-HIGH"),
        (("--notes", "x=notes", "--fill", "90-40"), "give the lower pitch"),
        (("--notes", "notes"), "LABEL=FOLDER"),
        (("--notes", "x=notes", "y=take.wav"), "LABEL=PATH cannot be combined with notes"),
        (("--notes", "x=notes", "--size", 3), "--size cannot be combined with notes"),
        (("--notes", "x=notes", "--kind", "templates"), "--kind cannot be combined with notes"),
        (
            ("--notes", "x=notes", "--from", "take.wav", "0-1=y"),
            "--from cannot be combined with notes",
        ),
        (("--recording", "x=take.wav", "take.csv", "--lags", 3), "--lags cannot be combined with"),
    ],
)
def test_what_does_not_go_together_is_refused(nmfaudio, notes, given, words):
    result = nmfaudio("learn", *given, "-o", "a.npz")
    assert result.code == 2
    assert words in result.errors()[0]


def test_a_missing_folder_is_an_unreadable_file(nmfaudio):
    assert nmfaudio("learn", "--notes", "x=nowhere", "-o", "a.npz").code == 3
    assert nmfaudio("learn", "--soundfont", "x=nowhere.sf2", "-o", "a.npz").code == 3


def test_info_tells_stages_and_velocities(nmfaudio, notes):
    nmfaudio("learn", "--notes", "piano=notes", "-o", "a.npz")
    result = nmfaudio("dictionary", "info", "a.npz")
    assert "  stages     attack 4, early 4, late 4\n" in result.out
    assert "  velocities 0.5, 1\n" in result.out
    (facts,) = nmfaudio("dictionary", "info", "a.npz", "--json").json["files"]
    assert facts["stages"] == {"attack": 4, "early": 4, "late": 4}
    assert facts["velocities"] == [64 / 127, 1]


def test_merging_keeps_notes_unless_there_are_other_sounds(nmfaudio, notes):
    nmfaudio("learn", "--notes", "piano=notes", "--n-fft", 256, "-o", "a.npz")
    nmfaudio("learn", "voice=take.wav", "--n-fft", 256, "--kind", "templates", "-o", "b.npz")
    nmfaudio("dictionary", "merge", "a.npz", "a.npz", "-o", "aa.npz")
    assert na.NoteDictionary.load("aa.npz").stages == ("attack", "early", "late") * 8
    for order in (("a.npz", "b.npz"), ("b.npz", "a.npz")):
        result = nmfaudio("dictionary", "merge", *order, "-o", "ab.npz", "--overwrite")
        assert result.code == 2 or set(na.Dictionary.load("ab.npz").names) == {"piano", "voice"}
