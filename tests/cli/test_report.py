"""Report pages from the command line: their files, contents, commands and refusals."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from nmfaudio.errors import OutputError

from .conftest import QUICK, SR, music, write_wav

SEPARATE = ("separate", "-s", "2", *QUICK)


def page_data(page):
    text = Path(page).read_text(encoding="utf-8")
    return json.loads(re.search(r'id="report-data">(.*?)</script>', text, re.DOTALL)[1])


def names(data):
    return [stem["name"] for stem in data["stems"]]


@pytest.fixture
def song():
    """Tone and clicks, each with components of its own."""
    t = np.arange(SR // 2) / SR
    clicks = np.exp(-200 * (t % 0.125)) * np.random.default_rng(0).standard_normal(len(t))
    return write_wav("song.wav", (np.sin(2 * np.pi * 440 * t) + 2 * clicks)[:, None] / 8)


@pytest.fixture
def saved(nmfaudio, song):
    """Model of the song, with the stems that were written beside it."""
    assert nmfaudio(*SEPARATE, song, "--save-model", "model.npz").code == 0
    return Path("model.npz")


def test_page_lies_beside_the_stems_and_shows_them(nmfaudio, song):
    result = nmfaudio(*SEPARATE, song, "--report", "--json")
    (facts,) = result.json["files"]
    assert facts["report"] == "separated/separate/song/report.html"
    assert facts["report_files"] == []
    data = page_data(facts["report"])
    assert names(data) == ["harmonic", "percussive"]
    assert (data["title"], data["seconds"], data["notes"]) == ("song.wav", 0.5, [])
    groups = {source["name"]: source["components"] for source in facts["sources"]}
    assert {stem["name"]: stem["components"] for stem in data["stems"]} == groups


def test_path_of_the_page_is_the_last_one_shown(separate, song):
    paths = separate(song, "--report").out.splitlines()
    assert paths[-2:] == [
        "separated/separate/song/model.npz",
        "separated/separate/song/report.html",
    ]
    assert all(Path(path).is_file() for path in paths)


def test_regroup_command_of_the_page_finds_recording_and_model(nmfaudio, song):
    assert nmfaudio(*SEPARATE, song, "--report").code == 0
    data = page_data("separated/separate/song/report.html")
    groups = []
    for name, stem in zip("ab", data["stems"], strict=True):
        groups += ["--group", f"{name}={','.join(map(str, stem['components']))}"]
    result = nmfaudio("regroup", data["recording"], data["model"], *groups, "--refine", "none")
    assert result.code == 0, result.err
    for name, stem in zip("ab", data["stems"], strict=True):
        stem, _ = soundfile.read(f"separated/separate/song/{stem['name']}.wav")
        again, _ = soundfile.read(f"separated/regroup/song/{name}.wav")
        assert np.allclose(stem, again, atol=1e-6)


def test_page_names_the_model_that_was_saved_elsewhere(separate, song):
    assert separate(song, "--report", "--save-model", "models/{track}.npz").code == 0
    folder = Path("separated/separate/song")
    assert page_data(folder / "report.html")["model"] == "models/song.npz"
    assert Path("models/song.npz").is_file()
    assert not (folder / "model.npz").exists()


def test_page_shows_all_stems_where_some_are_written(nmfaudio, song):
    assert nmfaudio(*SEPARATE, song, "--report", "--only", "harmonic").code == 0
    assert names(page_data("separated/separate/song/report.html")) == ["harmonic", "percussive"]
    assert not Path("separated/separate/song/percussive.wav").exists()


def test_page_is_named_by_the_template(separate, song):
    assert separate(song, "--report", "--filename", "{track} - {stem}.{ext}").code == 0
    data = page_data("separated/separate/song - report.html")
    assert data["model"] == "separated/separate/song - model.npz"
    assert Path(data["model"]).is_file()


def test_existing_page_is_kept_or_skipped_or_replaced(nmfaudio, song):
    run = (*SEPARATE, song, "--report")
    assert nmfaudio(*run).code == 0
    page = Path("separated/separate/song/report.html")
    made = page.stat().st_mtime_ns
    assert "skipped" in nmfaudio(*run, "--skip-existing").err
    for other in page.parent.glob("[!.]*[!l]"):  # all but the page
        other.unlink()
    result = nmfaudio(*run)
    assert result.code == 5
    assert "report.html: exists" in result.errors()[0]
    assert list(page.parent.glob("[!.]*")) == [page]  # refused before any work
    assert page.stat().st_mtime_ns == made
    assert nmfaudio(*run, "--overwrite").code == 0
    assert page.stat().st_mtime_ns > made


@pytest.mark.parametrize(
    ("command", "results"),
    [(SEPARATE, "separated/separate/song"), (("transcribe", "-q"), "transcribed/song")],
    ids=["separate", "transcribe"],
)
def test_sounds_of_a_long_recording_are_results_too(nmfaudio, song, monkeypatch, command, results):
    monkeypatch.setattr("nmfaudio.display.report.page.MOST_SECONDS", 0.1)
    (facts,) = nmfaudio(*command, song, "--report", "--json").json["files"]
    sounds = [Path(path) for path in facts["report_files"]]
    assert sorted(sounds) == sorted(Path(results, "report_files").iterdir())
    kept = sounds[0]
    for path in Path(results).rglob("*.*"):
        if path.is_file() and path != kept:
            path.unlink()
    result = nmfaudio(*command, song, "--report")
    assert result.code == 5
    assert f"{kept.name}: exists" in result.err
    assert [path for path in Path(results).rglob("*.*") if path.is_file()] == [kept]


def test_failed_page_leaves_no_part_of_the_result(nmfaudio, song, monkeypatch):
    def fail(*arguments, **settings):
        raise OutputError("the disk is full")

    monkeypatch.setattr("nmfaudio.display.report.page.write_group_of_bytes", fail)
    result = nmfaudio(*SEPARATE, song, "--report")
    assert result.code == 5
    assert "the disk is full" in result.errors()[0]
    assert not Path("separated").exists()


def test_preview_is_named_on_the_page(nmfaudio, song):
    assert nmfaudio(*SEPARATE, song, "--report", "--preview", "0.1-0.35").code == 0
    data = page_data("separated/separate/song.preview-0.1-0.35/report.html")
    assert data["title"] == "song.wav, 0.1–0.35 s"
    assert data["seconds"] == 0.25


def test_commands_of_the_page_make_its_stems(nmfaudio, song):
    options = ("--preview", "0.1-0.35", "--refine", "none", "--mask-power", "1")
    assert nmfaudio(*SEPARATE, song, "--report", *options).code == 0
    folder = Path("separated/separate/song.preview-0.1-0.35")
    data = page_data(folder / "report.html")
    assert (data["start"], data["options"]["paint"]) == (0.1, ["--preview", "0.1-0.35"])
    groups = (
        f"--group={stem['name']}={','.join(map(str, stem['components']))}" for stem in data["stems"]
    )
    command = ("regroup", data["recording"], data["model"], *data["options"]["regroup"])
    assert nmfaudio(*command, *groups, "-o", "again").code == 0
    for name in names(data):
        (again,) = Path("again").rglob(f"{name}.wav")
        assert again.read_bytes() == (folder / f"{name}.wav").read_bytes()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_name_that_is_not_utf8(nmfaudio):
    name = os.fsdecode(b"s\xff.wav")
    write_wav("s.wav").rename(name)
    assert nmfaudio(*SEPARATE, name, "--report", "-o", "out").code == 0
    (page,) = Path("out").glob("*/report.html")
    assert page_data(page)["title"] == r"s\xff.wav"


def test_recording_in_blocks_has_a_page(nmfaudio, song):
    command = (*SEPARATE, song, "--preview", "0.1-0.4")
    assert nmfaudio(*command, "--report", "--stream", "--json").code == 0
    (page,) = Path("separated").rglob("report.html")
    data = page_data(page)
    assert names(data) == ["harmonic", "percussive"]
    assert (data["seconds"], data["start"]) == (pytest.approx(0.3), pytest.approx(0.1))
    assert [len(stem["components"]) > 0 for stem in data["stems"]] == [True, True]


def test_page_in_blocks_needs_all_stems(nmfaudio, song):
    result = nmfaudio(*SEPARATE, song, "--report", "--stream", "--only", "harmonic")
    assert result.code == 2
    assert "--report needs all stems" in result.errors()[0]
    assert not Path("separated").exists()


def test_transcription_in_blocks_has_no_page(nmfaudio, song):
    result = nmfaudio("transcribe", song, "--report", "--stream", "-q")
    assert result.code == 2
    assert "--report needs the whole recording in memory" in result.errors()[0]
    assert "leave out --report or --stream" in result.err


def test_scores_and_their_regrouped_stems_show_the_notes(nmfaudio, song):
    Path("score.csv").write_text("start_time_s,end_time_s,pitch_midi\n0.0,0.4,69\n0.7,0.9,60\n")
    score = ("score", song, "score.csv", "--aligned", "--max-iter", "3", "--n-fft", "512")
    result = nmfaudio(*score, "--report")
    assert result.code == 0, result.err
    data = page_data("separated/score/song/report.html")
    assert [note[:3] for note in data["notes"]] == [[0.0, 0.4, 69.0]]  # the other one is outside
    assert nmfaudio("report", data["model"], song).code == 0
    assert page_data("song.html")["notes"] == data["notes"]


def test_transcription_has_notes_and_hands(nmfaudio):
    t = np.arange(SR) / SR
    write_wav("a.wav", np.sin(2 * np.pi * 440 * t) * np.exp(-3 * t))
    result = nmfaudio("transcribe", "a.wav", "--report", "-q")
    assert result.out.splitlines()[-1] == "transcribed/a/report.html"
    data = page_data("transcribed/a/report.html")
    assert [note[2] for note in data["notes"]] == [69.0]
    assert names(data) == ["right", "rest"]
    assert nmfaudio("transcribe", "a.wav", "--report", "-q").code == 5


def test_transcription_of_drums_has_parts_without_cards(nmfaudio):
    write_wav("a.wav", music(), samplerate=44100)
    result = nmfaudio("transcribe", "--drums", "a.wav", "--report", "--json", "-q")
    (facts,) = result.json["files"]
    data = page_data(facts["report"])
    assert names(data)[-1] == "rest"
    # A component is of a drum and of the rest in turn, which no regroup command can say.
    assert data["components"] == []


def test_page_of_a_saved_model_has_the_same_stems(nmfaudio, song, saved):
    assert nmfaudio(*SEPARATE, song, "--report", "-o", "out").code == 0
    result = nmfaudio("report", saved, song, "--title", "A & <B>", "--json")
    assert result.json["report"] == "song.html"
    data, first = page_data("song.html"), page_data("out/song/report.html")
    assert (data["title"], data["model"], data["recording"]) == ("A & <B>", "model.npz", "song.wav")
    assert data["sounds"] == first["sounds"]


def test_title_of_any_characters(nmfaudio, song, saved):
    title = "a\udcff\nb\u202e"
    assert nmfaudio("report", saved, song, "--title", title, "-o", "odd.html").code == 0
    assert page_data("odd.html")["title"] == r"a\xff\nb\u202e"


def test_page_of_a_folder_with_one_model(nmfaudio, song):
    assert nmfaudio(*SEPARATE, song, "--report").code == 0
    result = nmfaudio("report", "separated/separate/song", song, "-o", "pages/a.HTML")
    assert (result.code, result.out) == (0, "pages/a.HTML\n")
    assert page_data("pages/a.HTML")["model"] == "separated/separate/song/model.npz"


def test_page_of_a_part_is_measured_against_that_part(nmfaudio):
    y = music(1)
    song = write_wav("song.wav", 2 * y)
    for name in ("harmonic", "percussive"):
        write_wav(f"true/{name}.wav", y)
    part = ("--preview", "0.2-0.8")
    assert nmfaudio(*SEPARATE, song, "--save-model", "m.npz", *part).code == 0
    result = nmfaudio("report", "m.npz", song, *part, "--references", "true")
    assert result.code == 0, result.err
    assert set(page_data("song.html")["scores"]) == {"harmonic", "percussive", "mean"}


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "need two arguments, got 0"),
        (["model.npz"], 2, "MODEL, as --save-model writes it, and FILE"),
        (["model.npz", "song.wav", "-o", "a.txt"], 2, "--output a.txt must end in .html"),
        (["none.npz", "song.wav"], 3, "none.npz: No such file"),
        (["separated", "song.wav"], 3, "separated: has no models (.npz)"),
        ([".", "song.wav"], 2, ".: has 2 models; name one of them"),
        (["model.npz", "short.wav"], 2, "use the same recording, with the same --preview"),
        (["model.npz", "song.wav", "--references", "none"], 3, "none: No such file"),
        (["model.npz", "song.wav", "--references", "short.wav"], 2, "short.wav has 2,000"),
        (["none.npz", "song.wav", "-o", "here.html"], 5, "here.html: exists"),  # before any work
    ],
)
def test_refusals(nmfaudio, saved, arguments, code, message):
    write_wav("short.wav", music(0.25))
    Path("here.html").write_bytes(b"mine")
    Path("second.npz").write_bytes(saved.read_bytes())
    result = nmfaudio("report", *arguments)
    assert result.code == code
    assert message in result.errors()[0]
    assert [path.name for path in Path().glob("*.html")] == ["here.html"]
    assert Path("here.html").read_bytes() == b"mine"


def test_batch_of_models_has_no_pages(nmfaudio, song):
    result = nmfaudio("batch", *SEPARATE, song, "-o", "out", "--report")
    assert result.code == 2
    assert "--report is for stems; add --stems, or leave it out" in result.errors()[0]
