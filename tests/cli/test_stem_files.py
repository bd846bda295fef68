"""Choice, names, bitrates, tags and pictures of stems."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from nmfaudio.audio.io.broadcast import append_time_reference
from nmfaudio.audio.io.extra_tags import cover_text
from nmfaudio.audio.io.formats import FORMATS, mp3_bitrates
from nmfaudio.audio.io.tags import held_tags, read_tags
from nmfaudio.audio.io.writing import write_group
from nmfaudio.cli.file_names import FileName

from .conftest import SR, music, write_wav

HPSS = ("hpss", "--models", "1", "-k", "4", "--max-iter", "5", "--n-fft", "512")


def audio_files():
    return sorted(str(path) for path in Path("separated").rglob("*.*") if path.name[0] != ".")


def test_only_the_chosen_stems_are_written(nmfaudio, song):
    result = nmfaudio(*HPSS, song, "--only", "percussive", "--json")
    assert result.code == 0
    assert audio_files() == ["separated/hpss/song/percussive.wav"]
    (facts,) = result.json["files"]
    assert {source["name"]: source["path"] for source in facts["sources"]} == {
        "harmonic": None, "percussive": "separated/hpss/song/percussive.wav",
    }  # fmt: skip
    assert (facts["sums_to_mixture"], facts["max_abs_error"]) == (False, None)
    assert facts["options"]["--only"] == ["percussive"]
    assert "1 written by --only, which do not sum" in result.err
    # Another stem is not in the way, the same one is.
    assert nmfaudio(*HPSS, song, "--only", "harmonic").code == 0
    assert nmfaudio(*HPSS, song, "--only", "harmonic").code == 5


@pytest.mark.parametrize("only", [["a,b"], ["a", "--only", "b"], ["b, a"]])
def test_several_stems_are_chosen(separate, song, only):
    only = [text.replace("a", "source-1").replace("b", "source-3") for text in only]
    result = separate(song, "-s", 3, "--only", *only, "--components-too", "--json")
    (facts,) = result.json["files"]
    assert [source["path"] is None for source in facts["sources"]] == [False, True, False]
    members = sum(len(source["components"]) for source in facts["sources"] if source["path"])
    assert len(facts["component_paths"]) == members


def test_an_unknown_stem_is_refused_before_any_work_where_the_names_are_known(
    nmfaudio, song, monkeypatch
):
    monkeypatch.setattr("nmfaudio.cli.batch.BatchCommand.read", None)
    result = nmfaudio(*HPSS, song, "--only", "harmonic,bass")
    assert result.code == 2
    assert "--only bass: no such stem; choose from harmonic, percussive" in result.errors()[0]


def test_an_unknown_stem_is_refused_before_anything_is_written(separate, song):
    result = separate(song, "-s", 3, "--only", "bass")
    assert (result.code, result.out) == (2, "")
    assert "choose from source-1, source-2, source-3" in result.errors()[0]
    assert not Path("separated").exists()


@pytest.mark.parametrize(
    ("template", "first"),
    [
        ("{stem}/{track}.{ext}", "out/harmonic/song.wav"),
        ("{track} - {stem}.{ext}", "out/song - harmonic.wav"),
        ("{command}/{stem}.{ext}", "out/separate/harmonic.wav"),
    ],
)
def test_names_from_a_template(separate, song, template, first):
    named = ("-o", "out", "--filename", template, "--components-too")
    result = separate(song, *named)
    assert result.code == 0, result.err
    assert result.out.splitlines()[0] == first
    assert all(Path(path).is_file() for path in result.out.splitlines())
    refused = separate(song, *named)
    assert refused.code == 5
    assert f"{first}: exists" in refused.errors()[0]
    assert "skipped" in separate(song, *named, "--skip-existing").err


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{track}.{ext}", "has no {stem}"),
        ("{stem}", "must end in .{ext}"),
        ("{stem}.wav", "must end in .{ext}"),
        ("{song}/{stem}.{ext}", "unknown {song}; use {track}, {stem}, {ext}, {command}"),
        ("../{stem}.{ext}", "'..' is not a file name"),
        ("/tmp/{stem}.{ext}", "'' is not a file name"),
        ("{track}:{stem}.{ext}", "is not a file name on every system"),
        ("a/-{stem}.{ext}", "is not a file name on every system"),
        ("{stem.{ext}", "unexpected '{' in field name"),
        ("{stem!r}.{ext}", "formats a placeholder"),
        ("{stem:>9}.{ext}", "formats a placeholder"),
    ],
)
def test_templates_that_are_refused(separate, song, template, words):
    result = separate(song, "--filename", template)
    assert (result.code, result.out) == (2, "")
    (line,) = result.errors()
    assert "--filename" in line
    assert words in line
    assert not Path("separated").exists()


def test_several_files_need_the_track_in_their_names(separate, song):
    write_wav("other.wav")
    result = separate(song, "other.wav", "--filename", "{stem}.{ext}")
    assert result.code == 2
    assert "is the same for 2 inputs; put {track} into it" in result.errors()[0]


def test_a_result_of_this_run_is_not_replaced_by_another(nmfaudio):
    for name in ("a.wav", "aharm.wav"):
        write_wav(name)
    write_wav("x.wav")
    result = nmfaudio(
        "guided", "a.wav", "aharm.wav", "--example", "harmonic=x.wav", "--example", "onic=x.wav",
        "--max-iter", 2, "--filename", "{track}{stem}.{ext}", "--overwrite",
    )  # fmt: skip
    assert result.code == 7
    assert "aharmonic.wav: was made from a.wav in this run" in result.err


@pytest.mark.parametrize(("bitrate", "sr"), [(64, 44100), (320, 44100), (32, 8000)])
def test_the_size_of_mp3_files_is_that_of_the_bitrate(nmfaudio, bitrate, sr):
    seconds = 4
    noise = np.random.default_rng(0).standard_normal((seconds * sr, 1)) / 10
    write_wav("noise.wav", noise, samplerate=sr)
    result = nmfaudio(*HPSS, "noise.wav", "--format", "mp3", "--mp3-bitrate", bitrate)
    assert result.code == 0, result.err
    for path in result.out.splitlines():
        kilobits = Path(path).stat().st_size * 8 / 1000 / seconds
        assert kilobits == pytest.approx(bitrate, rel=0.09)


@pytest.mark.parametrize("sr", [8000, 12000, 16000, 24000, 22050, 32000, 44100, 48000])
@pytest.mark.parametrize("channels", [1, 2])
def test_every_bitrate_of_mp3_is_written(tmp_path, sr, channels):
    y = np.random.default_rng(0).standard_normal((channels, 4 * sr)) / 10
    sizes = []
    for rate in mp3_bitrates(sr):
        (path,) = write_group({tmp_path / f"{rate}.mp3": y}, sr, format="mp3", bitrate=rate).paths
        sizes.append(path.stat().st_size * 8 / 4000)
    np.testing.assert_allclose(sizes, mp3_bitrates(sr), rtol=0.09)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--mp3-bitrate", "192"], "--mp3-bitrate is for mp3, got wav; add --format mp3"),
        (["--mp3-bitrate", "100", "--format", "mp3"], "--mp3-bitrate 100: choose from 32, 40"),
        (["--mp3-bitrate", "320", "--format", "mp3"], "mp3 of 8000 Hz has bitrates of 32, "),
        (["--tags", "keep", "--format", "au"], "--tags keep: au holds no tags; choose a --format"),
    ],
)
def test_encodings_that_are_not_possible(separate, song, options, words):
    result = separate(song, *options)
    assert result.code == 2
    assert words in result.errors()[0]
    assert not Path("separated").exists()


TAGS = {
    "title": "Sóng", "artist": "A ☃", "album": "B", "date": "2001", "genre": "Rock",
    "tracknumber": "3", "comment": "c", "copyright": "me", "license": "CC",
}  # fmt: skip


def write_tagged(name):
    with soundfile.SoundFile(name, "w", SR, 2, format="FLAC") as file:
        for key, text in TAGS.items():
            setattr(file, key, text)
        file.write(music())


@pytest.mark.parametrize("format", [format for format in FORMATS if held_tags(format)])
def test_tags_are_kept_as_far_as_the_format_holds_them(separate, format):
    write_tagged("song.flac")
    result = separate("song.flac", "--format", format, "--tags", "keep")
    assert result.code == 0, result.err
    lost = [key for key in TAGS if key not in held_tags(format)]
    assert ("cannot hold these tags" in result.err) == bool(lost)
    assert all(key in result.err for key in lost)
    for path in result.out.splitlines():
        expected = {key: text for key, text in TAGS.items() if key not in lost}
        assert read_tags(path) == expected | {"title": f"Sóng ({Path(path).stem})"}


def test_time_stamps_of_broadcast_waves_are_kept(separate):
    soundfile.write("song.wav", music(), SR, "PCM_16")
    with open("song.wav", "r+b") as file:
        append_time_reference(file, 2**40 + 5)
    for options, expected in (((), 2**40 + 5), (("--preview", "0.5-1"), 2**40 + 5 + SR // 2)):
        result = separate("song.wav", "--tags", "keep", "--overwrite", *options)
        for path in result.out.splitlines():
            assert read_tags(path) == {"time_reference": str(expected)}
            assert soundfile.info(path).frames == (SR // 2 if options else len(music()))
    assert "cannot hold" in separate("song.wav", "--tags", "keep", "--format", "flac").err


COVER = {"cover": cover_text(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))}


def test_covers_and_markers_are_kept(separate):
    markers = [[0, "a"], [SR // 4, "b"], [SR // 2, "c"]]
    tags = {Path("song.wav"): COVER | {"markers": json.dumps(markers)}}
    write_group({Path("song.wav"): music().T}, SR, format="wav", tags=tags)
    write_wav("plain.wav")
    separate("plain.wav", "--tags", "keep")
    for options, expected in (
        ([], markers),
        (["--preview", "0.25-0.4"], [[0, "b"]]),
        (["--stream", "-o", "blocks"], markers),
    ):
        for path in separate("song.wav", "--tags", "keep", *options).out.splitlines():
            found = read_tags(path)
            assert json.loads(found.pop("markers")) == expected
            assert found == COVER
            if not options:
                plain = soundfile.read(path.replace("song", "plain"))[0]
                np.testing.assert_array_equal(soundfile.read(path)[0], plain)
    result = separate("song.wav", "--tags", "keep", "--format", "flac")
    assert "cannot hold these tags, which are left out: markers" in result.err
    for path in result.out.splitlines():
        assert read_tags(path) == COVER


def test_damaged_covers_stop_nothing(separate):
    write_group({Path("x.flac"): music().T}, SR, format="flac", tags={Path("x.flac"): COVER})
    data = Path("x.flac").read_bytes()
    at = data.index(b"\x89PNG") - 4  # of its size
    Path("song.flac").write_bytes(data[:at] + b"\xff" * 4 + data[at + 4 :])
    result = separate("song.flac", "--tags", "keep", "--format", "flac")
    assert (result.code, len(result.out.splitlines())) == (0, 2)
    assert all(read_tags(path) == {} for path in result.out.splitlines())


def test_tags_are_left_out_by_default(separate):
    write_tagged("song.flac")
    for path in separate("song.flac", "--format", "flac").out.splitlines():
        assert read_tags(path) == {}


def test_a_picture_of_the_spectrograms(separate, song):
    pytest.importorskip("matplotlib").use("Agg")
    result = separate(song, "--plot", "--json")
    (facts,) = result.json["files"]
    assert facts["plot"] == "separated/separate/song/plot.png"
    assert Path(facts["plot"]).read_bytes().startswith(b"\x89PNG")
    assert separate(song, "--plot", "--format", "flac").code == 5


def test_a_picture_without_matplotlib_is_refused_before_any_work(separate, song, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    result = separate(song, "--plot")
    assert result.code == 2
    assert not Path("separated").exists()


def test_the_default_template():
    path = FileName().path(track="a/song", stem="voice", ext="flac", command="hpss")
    assert path == Path("a/song/voice.flac")
    assert FileName().folder(track="a/song", command="hpss") == Path("a/song")


def test_a_name_that_looks_like_a_formula_is_drawn(nmfaudio, song):
    pytest.importorskip("matplotlib").use("Agg")
    result = nmfaudio(
        "guided", song, "--example", "a$_$=song.wav", "--example", "b=song.wav",
        "--max-iter", 2, "--plot",
    )  # fmt: skip
    assert result.code == 0, result.err


def test_stems_of_one_file_name_are_numbered(nmfaudio, song):
    result = nmfaudio(
        "guided", song, "--example", "a/b=song.wav", "--example", "a_b=song.wav",
        "--max-iter", 2, "--filename", "{track}-{stem}.{ext}", "--only", "a_b", "--tags", "keep",
    )  # fmt: skip
    assert result.code == 0, result.err
    (path,) = result.out.splitlines()
    both = nmfaudio("guided", song, "--example", "a/b=song.wav", "--example", "a_b=song.wav",
        "--max-iter", 2, "--filename", "{track}-{stem}.{ext}", "-o", "both")  # fmt: skip
    assert Path(path).read_bytes() == Path("both", both.out.splitlines()[1][5:]).read_bytes()
    assert Path(path).name == Path(both.out.splitlines()[1]).name
