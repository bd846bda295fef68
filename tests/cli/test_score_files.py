"""Beats and scores of `nmfaudio transcribe`."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from transcription.standins import piece

import nmfaudio as na

from .conftest import write_wav

pytestmark = pytest.mark.usefixtures("plain_transcriber")


@pytest.fixture
def tune():
    return write_wav("tune.wav", np.tile(piece(), 4))


def test_tempo_and_grid_leave_the_played_notes_alone(nmfaudio, tune):
    chosen = ("--tempo", "auto", "--quantise", "1/16", "--jams", "--program", "church organ")
    result = nmfaudio("transcribe", tune, *chosen, "--json")
    assert result.code == 0
    (told,) = result.json["files"]
    assert [Path(path).name for path in told["score"]] == [
        *("notes.mid", "notes.csv", "quantised.mid", "notes.jams")
    ]
    midi, table, quantised, jams = map(na.read_notes, told["score"])
    assert [(n.onset, n.pitch, n.velocity) for n in table] == [
        (n.onset, n.pitch, n.velocity) for n in jams
    ]
    onsets = [[note.onset for note in notes] for notes in (midi, table, quantised)]
    np.testing.assert_allclose(onsets[0], onsets[1], atol=1e-4)
    assert {note.program for notes in (midi, table, quantised) for note in notes} == {19}
    beats = np.array(told["beats"])
    assert told["tempo"] == pytest.approx(60 / np.median(np.diff(beats)))
    assert set(told["downbeats"]) <= set(told["beats"])
    nmfaudio("transcribe", tune, "-o", "plain")
    plain = na.read_notes("plain/tune/notes.csv")
    assert [replace(note, program=0) for note in table] == plain


def test_a_tempo_hint_and_its_line(nmfaudio, tune):
    assert "beats per minute in " in nmfaudio("transcribe", tune, "--tempo", "75").err
    for tempo in (60, 120):
        told = nmfaudio("transcribe", tune, "--tempo", tempo, "--json", "--overwrite").json
        assert 1 / 1.35 < told["files"][0]["tempo"] / tempo < 1.35


def test_beats_of_a_file_count_from_the_beginning_of_the_recording(nmfaudio, tune):
    Path("beats.csv").write_text("0.3,3\n0.9,1\n1.5,2\n2.1,3\n2.7,1\n")
    chosen = ("--beats", "beats.csv", "--jams", "--json")
    (whole,) = nmfaudio("transcribe", tune, *chosen).json["files"]
    (part,) = nmfaudio("transcribe", tune, *chosen, "--preview", "1-3").json["files"]
    assert whole["beats"] == [0.3, 0.9, 1.5, 2.1, 2.7]
    assert whole["downbeats"] == [0.9, 2.7]
    np.testing.assert_allclose(part["beats"], np.array(whole["beats"]) - 1)
    for told in (whole, part):
        beats = na.symbolic.read_beats(told["score"][-1])
        assert beats.time_signature == (3, 4)
        np.testing.assert_allclose(beats.times, [t for t in told["beats"] if t >= 0])


def test_musicxml(nmfaudio, tune):
    pytest.importorskip("partitura")
    result = nmfaudio("transcribe", tune, "--musicxml", "-q")
    assert result.out.endswith("transcribed/tune/score.musicxml\n")
    assert b"<score-partwise" in Path("transcribed/tune/score.musicxml").read_bytes()


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (("--quantise", "1/17"), "--quantise 1/17 is no note value; choose 1/8, 1/16 or 1/32"),
        (("--tempo", "fast"), "'fast' is not a number above 0"),
        (("--program", "synth"), "'synth' is no General MIDI instrument"),
        (("--drums", "--program", "3"), "--program is for pitched notes"),
        (("--drums", "--musicxml"), "--musicxml writes a piano score"),
        (("other.wav", "--beats", "beats.csv"), "--beats is for one recording, got 2"),
        (("--beats", "x.csv", "--tempo", "90"), "--tempo: not allowed with argument --beats"),
    ],
)
def test_refused_score_options(nmfaudio, tune, chosen, message):
    result = nmfaudio("transcribe", tune, *chosen)
    assert result.code == 2
    assert message in result.err


def test_too_few_notes_for_beats(nmfaudio):
    result = nmfaudio("transcribe", write_wav("song.wav", piece()), "--tempo", "auto")
    assert result.code != 0
    assert "got 3 onsets; beats need 4 or more" in result.err
    assert not Path("transcribed/song/notes.mid").exists()
