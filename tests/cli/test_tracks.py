"""Names of recordings in the output, and files found in folders."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from nmfaudio.cli.inputs import Input, find_inputs
from nmfaudio.cli.tracks import track_names

from .conftest import write_wav


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (["a/song.wav", "b/other.wav"], ["song", "other"]),
        (["a/song.wav", "b/song.wav"], ["a_song", "b_song"]),
        (["a/song.wav", "b/SONG.wav"], ["a_song", "b_SONG"]),
        (["song.wav", "song.flac"], ["song_wav", "song_flac"]),
        (["a/x/song.wav", "b/x/song.wav"], ["a_x_song", "b_x_song"]),
        (["a/song.wav", "b/song.wav", "b/song.flac"], ["a_song_wav", "b_song_wav", "b_song_flac"]),
        (["a/song.wav", "b/song.wav", "a_song.wav"], ["a_song_wav", "b_song_wav", "a_song"]),
        (["so?ng.wav", "so*ng.wav"], ["so_ng-2", "so_ng-1"]),
        (["-", "a/stdin.wav"], ["stdin", "a_stdin"]),
    ],
)
def test_files_of_one_name_are_told_apart_in_any_order(files, names):
    expected = dict(zip(files, names, strict=True))
    for order in itertools.permutations(files):
        found = track_names([Input(file) for file in order])
        assert dict(zip(order, found, strict=True)) == expected


def test_files_in_folders_keep_their_subfolders():
    inputs = [Input("m/a/song.wav", 1), Input("m/b/song.wav", 1), Input("m/song.wav", 0)]
    assert track_names(inputs) == ["a/song", "b/song", "song"]


def test_folders_with_the_same_content_are_told_apart():
    inputs = [Input("m/a/song.wav", 1), Input("n/a/song.wav", 1)]
    assert track_names(inputs) == ["m/a/song", "n/a/song"]


def test_folders_are_searched_without_hidden_files_and_results(folder):
    for name in (
        "m/b/two.FLAC", "m/one.wav", "m/.hidden.wav", "m/.git/x.wav", "m/text.txt", "m/out/s/v.wav"
    ):  # fmt: skip
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()
    Path("m/b/loop").symlink_to(folder / "m")
    found = find_inputs(["m", "m/one.wav", "./m"], [Path("m/out")])
    assert found == [Input("m/one.wav", 0), Input("m/b/two.FLAC", 1)]
    # Named itself, a folder of results is a folder like any other.
    assert find_inputs(["m/out/s"], [Path("m/out")]) == [Input("m/out/s/v.wav", 0)]


def test_a_folder_is_separated_with_its_subfolders(separate):
    write_wav("music/one.wav")
    write_wav("music/album/two.wav")
    result = separate("music", "-o", "music/stems")
    assert result.code == 0
    assert [str(Path(path).parent) for path in result.out.splitlines()[::2]] == [
        "music/stems/one", "music/stems/album/two",
    ]  # fmt: skip
    # What was written there is no recording to separate.
    again = separate("music", "-o", "music/stems", "--skip-existing", "--json")
    assert again.json["summary"] == {"done": 0, "skipped": 2, "failed": 0}


def test_results_of_other_commands_are_not_separated_again(nmfaudio, separate, song):
    separate(song)
    result = nmfaudio("hpss", "--models", 1, "-k", 4, "--max-iter", 5, ".", "--json")
    assert [facts["input"] for facts in result.json["files"]] == ["./song.wav"]


@pytest.mark.parametrize("command", ["separate", "transcribe", "info"])
def test_a_folder_without_audio_is_an_error(nmfaudio, command):
    Path("empty").mkdir()
    result = nmfaudio(command, "empty")
    assert (result.code, result.out) == (3, "")
    assert "empty: has no audio files; name" in result.errors()[0]


def test_info_of_a_folder(nmfaudio):
    write_wav("music/one.wav")
    write_wav("music/album/two.wav")
    result = nmfaudio("info", "music", "--json")
    assert [facts["input"] for facts in result.json["files"]] == [
        "music/one.wav", "music/album/two.wav",
    ]  # fmt: skip


def test_files_of_one_name_get_folders_of_their_own(separate):
    for name in ("a/x.wav", "b/x.wav"):
        write_wav(name)
    result = separate("a/x.wav", "b/x.wav", "./a/x.wav")
    assert result.code == 0
    assert [str(Path(path).parent) for path in result.out.splitlines()[::2]] == [
        "separated/separate/a_x", "separated/separate/b_x",
    ]  # fmt: skip
