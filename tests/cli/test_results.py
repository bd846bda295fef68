"""Places of results: folders of commands, recordings and excerpts, and the order of the checks."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from .conftest import SR, music, write_wav


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


def test_a_preview_and_the_whole_do_not_touch_each_other(separate, song):
    assert separate(song, "--preview", "0.1-0.3").code == 0
    excerpt = Path("separated/separate/song.preview-0.1-0.3/harmonic.wav")
    before = excerpt.read_bytes()
    result = separate(song, "--skip-existing")
    assert (result.code, "skipped" in result.err) == (0, False)
    assert Path("separated/separate/song/harmonic.wav").stat().st_size > len(before)
    assert excerpt.read_bytes() == before
    assert separate(song, "--preview", "0.1-0.3").code == 5
    assert separate(song, "--preview", "0.1-0.4").code == 0


def remove_stem(song):
    Path("separated/separate/song/harmonic.wav").unlink()


def remove_record(song):
    Path("separated/separate/song/.nmfaudio-separate-wav.json").unlink()


def age_record(song):
    path = Path("separated/separate/song/.nmfaudio-separate-wav.json")
    path.write_text(path.read_text().replace('"nmfaudio": "', '"nmfaudio": "0.0.'))


@pytest.mark.parametrize(
    ("change", "options", "words"),
    [
        (lambda song: None, ["--seed", "1"], "other settings made it (--seed was 0, is 1)"),
        (lambda song: None, ["--mask-power", "1"], "other settings made it (--mask-power was "),
        (lambda song: write_wav(song, music(0.7)), [], "another input made it"),
        (remove_stem, [], "harmonic.wav is missing or has changed"),
        (remove_record, [], "nothing tells its settings"),
        (age_record, [], "nmfaudio 0.0."),
    ],
)
def test_only_what_the_same_run_made_is_skipped(separate, song, change, options, words):
    separate(song)
    assert separate(song, "--skip-existing", "--threads", 1).err.startswith("song.wav: skipped")
    change(song)
    result = separate(song, *options, "--skip-existing")
    assert (result.code, result.out) == (5, "")
    assert f"exists, but {words}" in result.errors()[0] or words in result.errors()[0]
    assert "add --overwrite" in result.errors()[0]
    renewed = separate(song, *options, "--skip-existing", "--overwrite")
    assert (renewed.code, len(renewed.out.splitlines())) == (0, 2)
    assert "skipped" in separate(song, *options, "--skip-existing", "--overwrite").err


def test_a_changed_example_is_another_input(nmfaudio, song):
    for name in ("kick.wav", "rest.wav"):
        write_wav(name)
    quick = ("--example", "kick=kick.wav", "--example", "rest=rest.wav@0-0.4", "--max-iter", "3")
    command = ("guided", song, *quick, "--skip-existing")
    assert nmfaudio(*command).code == 0
    assert "skipped" in nmfaudio(*command).err
    write_wav("rest.wav", music(0.6))
    result = nmfaudio(*command)
    assert result.code == 5
    assert "other files of examples" in result.errors()[0]


def test_an_interrupted_replacement_is_not_taken_for_complete(separate, song, monkeypatch):
    separate(song, "--save-model", "m.npz")

    def interrupt(self, *arguments, **more):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("nmfaudio.Decomposition.save", interrupt)
        assert separate(song, "--save-model", "m.npz", "--overwrite").code == 130
    result = separate(song, "--save-model", "m.npz", "--skip-existing")
    assert result.code == 5
    assert "nothing tells its settings" in result.errors()[0]


def test_standard_input_is_recognised_too(separate, song, monkeypatch):
    def pipe():
        piped = SimpleNamespace(buffer=io.BytesIO(song.read_bytes()), isatty=lambda: False)
        monkeypatch.setattr(sys, "stdin", piped)

    pipe()
    assert separate("-").code == 0
    pipe()
    assert "skipped" in separate("-", "--skip-existing").err


def test_several_files_end_with_a_summary(separate, song):
    write_wav("done.wav")
    separate("done.wav")
    result = separate("done.wav", song, "missing.wav", "--skip-existing")
    assert result.code == 7
    assert result.err.splitlines()[-2:] == [
        "3 files: 1 done, 1 skipped, 1 failed:",
        "  missing.wav",
    ]
    assert result.err.count("No such file or directory") == 1
    assert result.err.splitlines()[0].startswith("nmfaudio: error: missing.wav: ")
    told = separate("done.wav", song, "--skip-existing", "--json", "-q")
    assert told.err == ""
    assert told.json["summary"] == {"done": 0, "skipped": 2, "failed": 0}


def test_odd_names_are_processed_in_a_folder(separate):
    for name in ("a\nb.wav", "-x.wav"):
        write_wav(Path("music", name))
    result = separate("music")
    assert result.code == 0, result.err
    assert [path.rpartition("/")[0] for path in result.out.splitlines()[::2]] == [
        "separated/separate/x", "separated/separate/a_b",
    ]  # fmt: skip
    assert "music/a\\nb.wav: 2 stems" in result.err
    assert "music/-x.wav: 2 stems" in result.err


def test_an_interrupt_while_writing_leaves_nothing(separate, song, monkeypatch):
    def interrupt(*arguments, **more):
        raise KeyboardInterrupt

    monkeypatch.setattr("nmfaudio.audio.io.encoding.Encoder._verify", interrupt)
    assert separate(song).code == 130
    assert not Path("separated").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_to_is_refused_before_any_work(separate, song):
    Path("out").mkdir(mode=0o555)
    result = separate(song, "-o", "out")
    assert result.code == 5
    assert "out: is not writable" in result.errors()[0]


def test_a_folder_that_is_a_file_is_refused_before_any_work(separate, song, monkeypatch):
    Path("out").touch()
    monkeypatch.setattr("nmfaudio.cli.batch.BatchCommand.read", None)
    result = separate(song, "-o", "out", "--filename", "{stem}/{track}.{ext}")
    assert result.code == 5
    assert "out: is not a folder" in result.errors()[0]


def test_commands_share_a_folder_unless_their_stems_have_one_name(nmfaudio, song):
    short = ("--max-iter", 5, "-o", "out", song)
    assert nmfaudio("hpss", "--models", 1, *short).code == 0
    shared = nmfaudio("denoise", "--noise", "0-0.2", *short)
    assert (shared.code, "warning" in shared.err) == (0, False)
    (refused,) = nmfaudio("separate", *short).errors()
    assert "exists (and 3 more), a result of nmfaudio" in refused
    (again,) = nmfaudio("hpss", *short).errors()
    assert "out/song/harmonic.wav: exists (and 1 more); use --overwrite" in again


def test_a_recording_without_hits_gets_files_without_notes(nmfaudio):
    write_wav("silent.wav", np.zeros((SR, 1)))
    result = nmfaudio("drums", "silent.wav", "--hits", "--max-iter", 5)
    assert result.code == 0
    folder = Path("separated/drums/silent")
    assert {str(folder / "notes.csv"), str(folder / "notes.mid")} <= set(result.out.splitlines())
    assert len((folder / "notes.csv").read_text().splitlines()) == 1


def test_settings_are_compared_in_words(separate, song):
    separate(song)
    (line,) = separate(song, "--only", "harmonic", "--skip-existing").errors()
    assert "(--only was not given, is harmonic)" in line
