"""What happens when things go wrong: one line, the right exit code, nothing half done."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from nmfaudio.cli.failures import describe, joint_code, printable
from nmfaudio.errors import OutputError
from nmfaudio.symbolic import Note, write_notes

from .conftest import SR, music, write_wav


def loop(path):
    path.symlink_to(path)


def fifo(path):
    os.mkfifo(path)


def empty(path):
    path.touch()


def text(path):
    path.write_text("Dear diary\n")


def header_only(path):
    path.write_bytes(b"RIFF\x00\x00\x00\x00WAVEfmt ")


def corrupt(path):
    noise = np.random.default_rng(0).standard_normal((20 * SR, 1)) / 8
    data = bytearray(write_wav("whole.flac", noise, subtype="PCM_16").read_bytes())
    data[len(data) // 2 : len(data) // 2 + 4000] = bytes(4000)
    path.write_bytes(data)


def no_frames(path):
    write_wav(path, music()[:0])


def with_nan(path):
    y = music()
    y[SR // 4, 0] = np.nan
    write_wav(path, y)


def slow_rate(path):
    write_wav(path, samplerate=50)


@pytest.mark.parametrize(
    ("make", "name", "code", "said"),
    [
        (lambda path: None, "missing.wav", 3, "No such file or directory"),
        (Path.mkdir, "folder", 3, "has no audio files"),
        (loop, "loop.wav", 3, "Too many levels of symbolic links"),
        (fifo, "pipe.wav", 3, "FIFO"),
        (text, "text.wav", 3, "not an audio file"),
        (empty, "empty.wav", 3, "empty"),
        (header_only, "header.wav", 3, "header.wav"),
        (corrupt, "corrupt.flac", 3, "corrupt.flac"),
        (no_frames, "none.wav", 4, "none.wav"),
        (with_nan, "nan.wav", 4, "NaN"),
        (slow_rate, "slow.wav", 2, "50"),
    ],
)
def test_bad_files(separate, make, name, code, said):
    make(Path(name))
    result = separate(name)
    assert (result.code, result.out) == (code, "")
    (line,) = result.errors()
    assert line.startswith(f"nmfaudio: error: {name}: ")
    assert said in line
    assert not Path("separated").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(separate, song):
    song.chmod(0)
    result = separate(song)
    assert result.code == 3
    assert "Permission denied" in result.errors()[0]


def test_a_truncated_file_is_a_warning_and_strict_makes_it_an_error(separate, song):
    Path("short.wav").write_bytes(song.read_bytes()[: -SR // 2])
    result = separate("short.wav", "--json")
    assert result.code == 0
    (warning,) = result.json["files"][0]["warnings"]
    first, second = result.err.splitlines()
    assert first.startswith("nmfaudio: warning: short.wav: ")
    assert warning in first
    assert second.startswith("short.wav: 2 stems")
    strict = separate("short.wav", "--strict", "-o", "strict")
    assert strict.code == 3
    assert strict.errors()


def test_salvage_keeps_what_was_decoded(separate):
    corrupt(Path("corrupt.flac"))
    result = separate("corrupt.flac", "--salvage", "--json")
    assert result.code == 0
    assert 0 < result.json["files"][0]["samples"] <= 20 * SR
    assert result.json["files"][0]["warnings"]


def test_nonfinite_samples_can_be_silenced(separate):
    with_nan(Path("nan.wav"))
    result = separate("nan.wav", "--nonfinite", "zero")
    assert result.code == 0
    assert result.err.startswith("nmfaudio: warning: nan.wav: ")
    assert np.isfinite(soundfile.read("separated/separate/nan/harmonic.wav")[0]).all()


def test_the_others_finish_when_one_fails(separate, song):
    result = separate("missing.wav", song, "--json")
    assert (result.code, result.json["exit_code"]) == (7, 7)
    failed, done = result.json["files"]
    assert failed["exit_code"] == 3
    assert failed["error"].startswith("missing.wav: ")
    assert done["exit_code"] == 0
    assert Path("separated/separate/song/harmonic.wav").is_file()
    assert result.err.count("nmfaudio: error: ") == 1


@pytest.mark.parametrize(("codes", "joint"), [([0], 0), ([3], 3), ([3, 3], 3), ([0, 3], 7)])
def test_joint_codes(codes, joint):
    assert joint_code(codes) == joint


def test_existing_outputs_are_refused_before_any_work(separate, song):
    write_wav("first.wav")
    kept = write_wav("separated/separate/song/harmonic.wav", music(0.1)).read_bytes()
    result = separate("first.wav", song, "--json")
    assert (result.code, result.json["exit_code"]) == (5, 5)
    assert "--overwrite" in result.errors()[0]
    assert "separated/separate/song/harmonic.wav: exists" in result.json["error"]
    assert Path("separated/separate/song/harmonic.wav").read_bytes() == kept
    assert not Path("separated/separate/first").exists()


def test_an_existing_model_is_refused_before_any_work(separate, song):
    Path("m.npz").touch()
    result = separate(song, "--save-model", "m.npz")
    assert result.code == 5
    assert "m.npz: exists" in result.errors()[0]
    assert not Path("separated").exists()


@pytest.mark.parametrize(
    ("inputs", "options", "said"),
    [
        (["a/x.wav", "b/a.wav"], ["-o", "."], "a/x.wav: lies in a, where results would replace"),
        (["a/x.wav", "b/y.wav"], ["--save-model", "m.npz"], "put {track} into it"),
        (["a/x.wav"], ["--save-model", "a/x.wav"], "a/x.wav: is an input"),
    ],
)
def test_collisions_are_found_before_any_work(separate, inputs, options, said):
    for name in inputs:
        write_wav(name, subtype="PCM_16")
    before = {p: p.read_bytes() for p in Path().rglob("*.*")}
    result = separate(*inputs, *options, "--overwrite")
    assert (result.code, result.out) == (2, "")
    assert said in result.errors()[0]
    assert {p: p.read_bytes() for p in Path().rglob("*.*")} == before


@pytest.mark.parametrize(
    ("option", "said"), [("-o", "song.wav: is not a folder"), ("--save-model", "Not a directory")]
)
def test_an_output_folder_that_is_a_file(separate, song, option, said):
    result = separate(song, option, "song.wav/there")
    assert result.code == 5
    assert said in result.errors()[0]


def test_a_model_that_is_a_folder(separate, song):
    Path("m.npz").mkdir()
    result = separate(song, "--save-model", "m.npz", "--overwrite")
    assert result.code == 5
    assert "m.npz: is a folder; name a file" in result.errors()[0]
    assert not Path("separated").exists()


@pytest.mark.parametrize(
    ("trouble", "code", "said"),
    [
        ("memory", 6, "song.wav: not enough memory; process a shorter part"),
        ("nan", 6, "song.wav: iteration 3 left the finite numbers; lower the step"),
        ("bug", 1, "song.wav: ZeroDivisionError: division by zero; this is a bug: run with"),
        ("interrupt", 130, "interrupted"),
    ],
)
def test_troubles_while_separating(troubled, song, trouble, code, said):
    result = troubled(trouble, song)
    assert (result.code, result.out) == (code, "")
    assert said in result.errors()[0]
    assert not Path("separated").exists()
    debugged = troubled(trouble, song, "--debug")
    assert debugged.code == code
    assert "Traceback (most recent call last)" in debugged.err


def test_warnings_of_a_separator_are_one_line(troubled, song):
    result = troubled("warning", song)
    assert result.code == 0
    assert result.err.startswith("nmfaudio: warning: song.wav: something is odd\\nhere\nsong.wav:")


def test_what_cannot_fit_into_memory_is_not_begun(separate, song, monkeypatch):
    monkeypatch.setattr("nmfaudio.cli.memory.memory_limit", lambda: 1000)
    result = separate(song, "--no-stream")
    assert result.code == 6
    assert "song.wav: needs about" in result.errors()[0]
    assert "--preview" in result.err
    assert not Path("separated").exists()


def test_files_that_are_too_long_are_refused_and_parts_of_them_are_not(separate, song):
    result = separate(song, "--max-duration", "0.4")
    assert result.code == 6
    assert "song.wav: lasts 1 s, at most 0.4 s are processed" in result.errors()[0]
    assert not Path("separated").exists()
    assert separate(song, "--max-duration", "0.4", "--preview", "0-0.3").code == 0
    assert separate(song, "--max-duration", "0:01").code == 0


def test_what_does_not_fit_in_blocks_either_is_refused(separate, song):
    for flags in (("--memory", "201M"), ("--memory", "201M", "--stream")):
        result = separate(song, "--n-fft", "8192", "--hop", "1", *flags)
        assert result.code == 6
        (line,) = result.errors()
        assert "song.wav: needs about" in line
        assert "201 MiB may be used, even for one second; use fewer or shorter templates" in line
        assert not Path("separated").exists()


@pytest.mark.parametrize("place", ["audio.io.decoding.survey", "symbolic.notes.read_bytes"])
def test_a_disk_that_fails_is_named_with_the_file(nmfaudio, song, monkeypatch, place):
    def fail(*_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    write_notes("notes.mid", [Note(0, 0.4, 69)])
    monkeypatch.setattr(f"nmfaudio.{place}", fail)
    result = nmfaudio("score", song, "notes.mid", "--max-iter", "2")
    assert result.code == 3
    (line,) = result.errors()
    assert "Input/output error" in line
    assert "bug" not in line
    assert not Path("separated").exists()


def test_files_that_do_not_fit_are_refused_from_their_headers(nmfaudio, song, monkeypatch):
    monkeypatch.setattr("nmfaudio.cli.memory.memory_limit", lambda: 200 * 2**20)
    monkeypatch.setattr("nmfaudio.audio.io.read", None)
    for command in (
        ("learn", f"a={song}", "-o", "d.npz"),
        ("evaluate", song, song),
        ("picture", song),
    ):
        if command[0] == "picture":
            pytest.importorskip("matplotlib")
        result = nmfaudio(*command)
        assert result.code == 6
        assert "needs about 200 MiB of memory" in result.errors()[0]


def test_a_terminal_is_no_input(separate, monkeypatch):
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    result = separate("-")
    assert result.code == 2
    assert "standard input is a terminal" in result.errors()[0]


def test_messages_are_one_printable_line():
    assert printable("é\n\x1b[31m") == "é\\n\\x1b[31m"
    assert printable("ok") == "ok"


def test_json_of_an_early_error_names_the_command(nmfaudio):
    result = nmfaudio("hpss", "x.wav", "--mask-power", "0", "--json")
    assert (result.json["command"], result.json["exit_code"]) == ("hpss", 2)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x.wav: exists; use overwrite=True or another name", "use --overwrite or"),
        ("for drums use DrumTranscriber, for", "for drums use --drums, for"),
        ("for a piano use Transcriber, for", "for a piano leave out --drums, for"),
    ],
)
def test_messages_name_flags_instead_of_arguments(text, words):
    assert words in describe(OutputError(text))


def test_a_model_that_is_a_folder_is_told(separate, song):
    Path("m").mkdir()
    (line,) = separate(song, "--save-model", "m").errors()
    assert line.endswith("m: is a folder; name a file, as in m/model.npz")


def test_a_folder_that_is_not_writable_is_named(separate, song, folder, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everywhere
    (line,) = separate(song).errors()
    assert f"{folder}: is not writable" in line


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["denoise", "--noise", "100-101"], "--noise is 100-101 s; it must be"),
        (["separate", "--n-fft", "30000000"], "--n-fft must be an integer"),
        (["separate", "--format", "mp4"], "--format is 'mp4', which cannot be written"),
        (["separate", "--beta-loss", "foo"], "--beta-loss is 'foo'; it must be a number or one of"),
    ],
)
def test_an_error_about_a_setting_names_its_flag(nmfaudio, song, arguments, line):
    command, *flags = arguments
    assert line in nmfaudio(command, song, *flags).errors()[0]
