"""Answers to what nmfaudio does not know: files without a command, and names from elsewhere."""

from __future__ import annotations

import shlex
import sys
import zipfile
from pathlib import Path

import pytest

from nmfaudio.cli.commands import GROUPS, commands

from .conftest import write_wav


def pasted(result):
    """Commands that an answer offers."""
    lines = result.err.splitlines()[1:]
    return [shlex.split("nmfaudio " + line.partition("nmfaudio ")[2]) for line in lines]


def test_a_recording_alone_answers_with_commands_for_it(nmfaudio):
    write_wav("my song.wav")
    result = nmfaudio("my song.wav")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("Choose a command for the file my song.wav by what you have:")
    assert "error" not in result.err
    offered = pasted(result)
    assert ["nmfaudio", "hpss", "my song.wav"] in offered
    assert {words[1] for words in offered} <= set(commands())
    assert all("my song.wav" in words for words in offered)


def test_a_folder_alone_answers_with_commands_for_folders(nmfaudio):
    write_wav("a folder/x.wav")
    result = nmfaudio("a folder/")
    assert result.code == 2
    assert ["nmfaudio", "hpss", "a folder/"] in pasted(result)
    assert "score" not in {words[1] for words in pasted(result)}


@pytest.mark.parametrize(
    ("name", "command"),
    [("x.mid", "score"), ("x.json", "paint"), ("x.npz", "dictionary"), ("x.csv", "f0")],
)
def test_other_files_answer_with_the_commands_that_take_them(nmfaudio, name, command):
    Path(name).touch()
    result = nmfaudio(name)
    assert result.code == 2
    assert command in {words[1] for words in pasted(result)}


def test_a_missing_file_is_named_as_missing(nmfaudio):
    result = nmfaudio("nosuch.wav")
    assert result.code == 3
    (line,) = result.errors()
    assert "nosuch.wav: No such file or directory" in line


def test_a_file_after_two_dashes_is_a_file(nmfaudio):
    write_wav("-demo.wav")
    result = nmfaudio("--", "-demo.wav")
    assert result.code == 2
    assert ["nmfaudio", "hpss", "./-demo.wav"] in pasted(result)


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["hpss", "a.wav", "--two-stems=vocals"], "nmfaudio hpss; a voice needs its pitch"),
        (["hpss", "a.wav", "--vocals"], "a voice needs its pitch"),
        (["hpss", "a.wav", "--mp3"], "write --format mp3"),
        (["hpss", "a.wav", "-n", "htdemucs"], "there are no trained models"),
        (["hpss", "a.wav", "--name", "x"], "there are no trained models"),
        (["hpss", "a.wav", "--model", "x"], "there are no trained models"),
        (["hpss", "a.wav", "-p", "spleeter:2stems"], "there are no trained models"),
        (["hpss", "a.wav", "--stems", "4"], "-s N of nmfaudio separate"),
        (["hpss", "a.wav", "--sources", "4"], "nmfaudio separate"),
        (["hpss", "a.wav", "-j", "4"], "--threads N"),
        (["hpss", "a.wav", "--device", "cuda"], "computed on the processor"),
        (["hpss", "a.wav", "--shifts", "2"], "--models N"),
        (["hpss", "a.wav", "--output-dir", "x"], "-o FOLDER"),
        (["hpss", "a.wav", "--out", "x"], "-o FOLDER"),
        (["-p", "x"], "there are no trained models"),
        (["vocals"], "a voice needs its pitch"),
        (["demucs", "a.wav"], "there are no trained models"),
        (["hpss", "-dash.wav"], "if it is a file, write ./-dash.wav"),
        (["separate", "-song.wav"], "if it is a file, write ./-song.wav"),
        (["separate", "-demo take 1.wav"], "write './-demo take 1.wav'"),
        (["hpss", "a.wav", "--mask-powr", "2"], "did you mean --mask-power?"),
    ],
)
def test_names_known_from_elsewhere_get_a_hint(nmfaudio, arguments, hint):
    result = nmfaudio(*arguments)
    assert result.code == 2
    (line,) = result.errors()
    assert hint in line


@pytest.mark.parametrize("flag", ["--frobnicate", "--loud", "--harmonics-only"])
def test_nothing_is_guessed_from_afar(nmfaudio, flag):
    assert "did you mean" not in nmfaudio("hpss", "a.wav", flag).err


def test_help_is_a_command(nmfaudio):
    assert nmfaudio("help") == nmfaudio("--help")
    assert nmfaudio("help", "hpss") == nmfaudio("hpss", "--help")
    assert "unknown command 'hpps'; did you mean hpss?" in nmfaudio("help", "hpps").err


def test_every_command_is_in_one_group_of_the_help(nmfaudio):
    listed = [name for names in GROUPS.values() for name in names]
    assert sorted(listed) == sorted(commands())


@pytest.mark.parametrize(
    ("arguments", "flag"),
    [
        (["separate", "--mask-power", "0"], "--mask-power must"),
        (["separate", "-k", "0"], "--components must"),
        (["denoise", "--floor", "3"], "--floor is"),
    ],
)
def test_errors_name_flags_not_fields(nmfaudio, song, arguments, flag):
    assert f"nmfaudio: error: {flag}" in nmfaudio(*arguments, song).err


CONTENTS = {
    "score.mid": (b"MThd\x00\x00\x00\x06\x00\x01\x00\x02", "a MIDI file; nmfaudio score takes it"),
    "boxes.json": (b"[]", "text that begins with '[]'; nmfaudio paint takes a file of boxes"),
    "pitch.csv": (b"0.0,440\n0.1,441\n", "text that begins with '0.0,440 0.1,441'; nmfaudio score"),
    "x.bin": (bytes(range(128, 160)), "of an unknown binary format"),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_other_kinds_of_files_are_named(nmfaudio, name):
    content, message = CONTENTS[name]
    Path(name).write_bytes(content)
    result = nmfaudio("info", name)
    assert result.code == 3
    assert f"it is {message}" in result.err
    assert "\\x" not in result.err


def test_without_pyav_a_video_says_how_to_extract_its_sound(nmfaudio, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    Path("clip.mp4").write_bytes(b"\x00\x00\x00\x20ftypisom\x00\x00")
    result = nmfaudio("info", "clip.mp4")
    assert result.code == 3
    assert "MP4 files need av" in result.err
    assert "extract the sound first: ffmpeg -i FILE sound.wav" in result.err
    # In a folder, M4A files give the same line, and the others are read; videos are passed over.
    Path("songs").mkdir()
    Path("clip.mp4").rename("songs/clip.m4a")
    Path("songs/video.mp4").touch()
    inside = nmfaudio("info", "songs")
    assert inside.code == 3
    assert inside.err == result.err.replace("clip.mp4", "songs/clip.m4a")
    write_wav("songs/song.wav")
    assert nmfaudio("info", "songs").code == 7


@pytest.mark.parametrize(
    ("name", "message"), [("x.npz", "a saved model or dictionary"), ("x.zip", "a ZIP archive")]
)
def test_archives_are_named(nmfaudio, name, message):
    with zipfile.ZipFile(name, "w") as archive:
        archive.writestr("member", "content")
    assert f"it is {message}" in nmfaudio("info", name).err
