"""Places of results: folders of commands, recordings and excerpts, and the order of the checks."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import write_wav


def test_two_commands_separate_one_song(nmfaudio, separate, song):
    assert separate(song).code == 0
    quick = ("-k", "4", "--max-iter", "5", "--models", "1", "--n-fft", "512")
    result = nmfaudio("hpss", *quick, song)
    assert result.code == 0, result.err
    assert result.out.splitlines() == [
        f"separated/hpss/song/{name}.wav" for name in ("harmonic", "percussive")
    ]
    assert Path("separated/separate/song/harmonic.wav").is_file()


def test_a_chosen_output_has_no_folder_of_the_command(separate, song):
    assert separate(song, "-o", "out").out.splitlines()[0] == "out/song/harmonic.wav"


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (Path.unlink, "No such file"),
        (lambda path: path.write_text("no audio"), "not an audio file"),
    ],
)
def test_an_input_that_cannot_be_read_is_told_before_results_that_exist(
    separate, song, break_it, words
):
    assert separate(song).code == 0
    break_it(song)
    result = separate(song)
    assert result.code == 3
    assert words in result.errors()[0]


def test_a_missing_companion_is_told_before_results_that_exist(nmfaudio, song):
    write_wav("separated/f0/song/voice.wav")
    result = nmfaudio("f0", song, "pitch.csv")
    assert result.code == 3
    assert result.errors()[0].startswith("nmfaudio: error: pitch.csv: ")


def test_a_missing_dictionary_is_told_before_results_that_exist(nmfaudio, song):
    Path("transcribed/song").mkdir(parents=True)
    Path("transcribed/song/notes.csv").touch()
    result = nmfaudio("transcribe", song, "-d", "missing.npz")
    assert result.code == 3
    assert result.errors()[0].startswith("nmfaudio: error: missing.npz: ")
