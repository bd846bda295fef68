"""`nmfaudio transcribe`."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from transcription.scenes import SR
from transcription.standins import SCORE, PlainDecoding, PlainModel, dictionary, piece, transcriber

import nmfaudio as na
from nmfaudio.dictionaries import bundled

from .conftest import write_wav

pytestmark = pytest.mark.usefixtures("plain_transcriber")


@pytest.fixture
def song():
    return write_wav("song.wav", piece())


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("[!.]*.*"))


def test_notes_as_midi_and_table(nmfaudio, song):
    result = nmfaudio("transcribe", song, "-o", "out")
    assert (result.code, result.out) == (0, "out/song/notes.mid\nout/song/notes.csv\n")
    known, line = result.err.splitlines()
    assert known.startswith("transcribing with the shipped piano (1 label: tone 4; ")
    assert line.startswith("song.wav: 3 notes in ")
    for path in result.out.split():
        found = [(n.pitch, n.onset) for n in na.read_notes(path)]
        np.testing.assert_allclose(found, [(n.pitch, n.onset) for n in SCORE], atol=0.08)
    assert names("out") == ["song/notes.csv", "song/notes.mid"]


def test_python_finds_the_same(nmfaudio, song):
    nmfaudio("transcribe", song, "--seed", 3, "--threshold", 0.4, "--salience", "--stems", "note")
    found = transcriber(decoding=PlainDecoding(0.4))("song.wav", rng=3)
    assert Path("transcribed/song/notes.csv").read_text() == found.to_csv()
    with np.load("transcribed/song/salience.npz", allow_pickle=False) as arrays:
        assert np.array_equal(arrays["values"], found.salience.values)
    for name, stem in found.stems(by="note").items():
        y, _ = soundfile.read(f"transcribed/song/stems/{name}.wav", dtype="float32")
        assert np.array_equal(y, stem[0])


@pytest.mark.parametrize("chosen", [("--stems", "part"), ("--drums", "--stems", "hand")])
def test_stems_that_fit_nothing_are_refused(nmfaudio, song, chosen):
    result = nmfaudio("transcribe", song, *chosen)
    assert result.code == 2
    assert f"--stems {chosen[-1]} is not available for" in result.err


@pytest.mark.parametrize("by", ["note", "pitch", "hand"])
def test_stems_add_up_to_the_recording(nmfaudio, song, by):
    told = nmfaudio("transcribe", song, "--stems", by, "--json").json["files"][0]
    stems = [soundfile.read(path, dtype="float32")[0] for path in told["stems"]]
    assert len(stems) > 1
    assert np.abs(sum(stems) - piece()).max() < 1e-6


def test_everything_that_can_be_asked_for(nmfaudio, song):
    pytest.importorskip("matplotlib").use("Agg")
    wanted = ("--salience", "--sonify", "--plot", "--stems", "hand")
    result = nmfaudio("transcribe", song, "-o", "out", *wanted)
    assert result.code == 0
    files = ["notes.csv", "notes.mid", "salience.npz", "sonification.wav", "plot.png"]
    files = [f"song/{name}" for name in [*files, "stems/right.wav", "stems/rest.wav"]]
    assert sorted(result.out.splitlines()) == sorted(f"out/{name}" for name in files)
    assert names("out") == sorted(files)
    assert Path("out/song/plot.png").read_bytes().startswith(b"\x89PNG")
    beside, sr = soundfile.read("out/song/sonification.wav", dtype="float32")
    assert sr == SR
    assert np.array_equal(beside[:, 0], piece())


def test_a_dictionary_of_ones_own(nmfaudio, song):
    dictionary((60,)).save("own.npz")
    result = nmfaudio("transcribe", song, "-d", "own.npz")
    assert result.err.startswith("transcribing with own.npz (1 label: tone 1; ")
    assert {n.pitch for n in na.read_notes("transcribed/song/notes.csv")} == {60}


def test_instruments_that_ship(nmfaudio, song):
    result = nmfaudio("transcribe", song, "-d", "oboe,electric-piano")
    assert result.code == 0
    source = "the shipped oboe,electric-piano (2 labels: oboe 102, electric piano 228; "
    assert result.err.startswith(f"transcribing with {source}")


def test_monophonic(nmfaudio, song):
    told = nmfaudio("transcribe", song, "--monophonic", "--json").json["files"][0]
    assert told["settings"]["decoding"]["monophonic"] is True
    result = nmfaudio("transcribe", song, "--drums", "--monophonic")
    assert (result.code, "--monophonic is for pitched notes" in result.err) == (2, True)


def test_stems_of_instruments(nmfaudio, song):
    first, second = dictionary((60,)), dictionary((64, 67))
    replace(first, labels=("oboe",)).merge(replace(second, labels=("horn",) * 2)).save("duo.npz")
    told = nmfaudio("transcribe", song, "-d", "duo.npz", "--stems", "instrument", "--json").json
    notes = told["files"][0]["notes"]
    assert {(note["pitch"] == 60, note["track"]) for note in notes} == {
        (True, "oboe"),
        (False, "horn"),
    }
    stems = [soundfile.read(path, dtype="float32")[0] for path in told["files"][0]["stems"]]
    assert len(stems) == 3
    assert np.abs(sum(stems) - piece()).max() < 1e-6


def test_contours(nmfaudio, song):
    told = nmfaudio("transcribe", song, "--contours", "--json").json["files"][0]
    assert told["settings"]["contours"] is True
    found = na.read_notes("transcribed/song/notes.csv")
    np.testing.assert_allclose([n.pitch for n in found], [n.pitch for n in SCORE], atol=0.2)
    midi = na.read_notes("transcribed/song/notes.mid")
    np.testing.assert_allclose([n.pitch for n in midi], [n.pitch for n in found], atol=0.01)


def test_other_tunings_and_scales(nmfaudio, song):
    Path("fifth.scl").write_text("A fifth\n2\n3/2\n2/1\n")
    result = nmfaudio("transcribe", song, "--tuning", 442, "--json")
    (told,) = result.json["files"]
    assert {round(note["pitch"] % 1, 3) for note in told["notes"]} == {0.079}
    assert told["detuning"] == 0  # is not estimated then
    result = nmfaudio("transcribe", song, "--scale", "fifth.scl", "-o", "scale")
    assert "3 pitches from 60 to 72" in result.err
    refused = nmfaudio("transcribe", song, "--scale", "song.wav", "-o", "other")
    assert refused.code == 3
    assert "is not a scale of Scala" in refused.err
    assert nmfaudio("transcribe", song, "--drums", "--tuning", 442).code == 2


BOOM = np.exp(-np.arange(SR // 2) / SR / 0.05) * np.sin(2 * np.pi * 60 * np.arange(SR // 2) / SR)


def test_drums(nmfaudio):
    write_wav("loop.wav", np.tile(BOOM, 4))
    result = nmfaudio("transcribe", "--drums", "loop.wav", "--parts", "kick", "--stems", "part")
    assert result.code == 0
    assert result.err.startswith("transcribing with the shipped drums (")
    assert names("transcribed/loop/stems") == ["kick.wav", "rest.wav"]
    kicks = na.read_notes("transcribed/loop/notes.mid")
    np.testing.assert_allclose([n.onset for n in kicks], [0, 0.5, 1, 1.5], atol=0.03)
    assert {(n.track, n.pitch, n.channel) for n in kicks} == {("kick", 36, 9)}
    sounds = [soundfile.read(f"transcribed/loop/stems/{name}.wav")[0] for name in ("kick", "rest")]
    np.testing.assert_allclose(sum(sounds), np.tile(BOOM, 4), atol=1e-6)


def test_drums_of_ones_own(nmfaudio):
    write_wav("kick.wav", BOOM)
    learned = ("--kind", "convolutive", "--size", "1", "--n-fft", "256", "--hop", "64")
    assert nmfaudio("learn", "kick=kick.wav", *learned, "-o", "kit.npz").code == 0
    told = nmfaudio("transcribe", "--drums", "kick.wav", "-d", "kit.npz", "--json")
    assert told.err.startswith("transcribing with kit.npz (1 label: kick 1; ")
    assert told.json["files"][0]["settings"]["parts"] == ["kick"]


def test_json(nmfaudio, song):
    whole = nmfaudio("transcribe", song, "--json").json
    (told,) = whole["files"]
    assert (whole["command"], whole["exit_code"]) == ("transcribe", 0)
    assert told["score"] == ["transcribed/song/notes.mid", "transcribed/song/notes.csv"]
    assert (told["sr"], told["channels"]) == (SR, 1)
    assert [(note["pitch"], note["track"]) for note in told["notes"]] == [
        (60, ""),
        (72, ""),
        (64, ""),
    ]
    times = [(note["onset"], note["offset"]) for note in told["notes"]]
    np.testing.assert_allclose(times, [(n.onset, n.offset) for n in SCORE], atol=0.08)
    assert all(0 <= note["velocity"] <= 1 for note in told["notes"])
    assert told["suitability"]["limit"] is None  # the dictionary is not one of a piano
    assert told["settings"]["decoding"]["threshold"] == 0.07
    assert (told["salience"], told["stems"], told["warnings"]) == (None, [], [])


@pytest.mark.parametrize(
    ("options", "pitches"),
    [
        (("--low", "C#4"), {64, 72}),
        (("--high", "64"), {60, 64}),
        (("--low", "61", "--high", "B4"), {64}),
        (("--min-note", "0.35"), {60, 72}),
    ],
)
def test_only_notes_of_a_range_and_length_are_reported(nmfaudio, song, options, pitches):
    told = nmfaudio("transcribe", song, *options, "--json").json["files"][0]
    assert {note["pitch"] for note in told["notes"]} == pitches


def test_verbose_adds_a_line_about_the_fit(nmfaudio, song):
    *_, line = nmfaudio("transcribe", song, "-v").err.splitlines()
    assert line.startswith("  30 iterations, loss ")
    assert line.endswith(", MIDI numbers 60 to 72")


def test_a_dictionary_of_the_other_kind_is_refused_with_what_to_do(nmfaudio, song):
    write_wav("kick.wav", BOOM)
    shape = ("--size", "1", "--n-fft", "256", "--hop", "64")
    nmfaudio("learn", "kick=kick.wav", "--kind", "convolutive", *shape, "-o", "kit.npz")
    nmfaudio("learn", "kick=kick.wav", *shape, "-o", "frames.npz")
    dictionary((60,)).save("notes.npz")
    for options, words in [
        (("-d", "kit.npz"), "kit.npz: has templates of kick without pitches; for hits of drums"),
        (("-d", "notes.npz", "--drums"), "notes.npz: has notes of tone, --drums needs hits"),
        (("-d", "frames.npz", "--drums"), "--drums needs convolutive ones of kick, snare"),
    ]:
        result = nmfaudio("transcribe", song, *options, "-q")
        assert result.code == 2
        (error,) = result.errors()
        assert words in error


@pytest.mark.parametrize("drums", [True, False])
def test_a_recording_of_another_kind_is_warned_of(nmfaudio, song, monkeypatch, drums):
    monkeypatch.setattr("nmfaudio.transcription.base.SHORTEST", 0)
    piano = replace(dictionary(), labels=["piano"] * 4)
    monkeypatch.setattr(bundled, "_bundled_piano", lambda: piano)
    arguments = ("--drums", na.example("piano")) if drums else (song,)
    result = nmfaudio("transcribe", *arguments, "-q", "--json")
    (warning,) = result.json["files"][0]["warnings"]
    kind, advice = (
        ("drums", "leave out --drums") if drums else ("a piano", "nmfaudio learn --notes")
    )
    assert f"does not sound like {kind}: " in warning
    assert advice in warning
    found = result.json["files"][0]["suitability"]
    assert found["value"] < found["limit"]


def test_several_files_of_which_one_fails(nmfaudio, song):
    Path("text.wav").write_text("no audio")
    write_wav("other.wav", piece())
    result = nmfaudio("transcribe", song, "text.wav", "other.wav")
    assert result.code == 7
    assert names("transcribed") == [
        f"{name}/notes.{suffix}" for name in ("other", "song") for suffix in ("csv", "mid")
    ]
    assert "nmfaudio: error: text.wav: " in result.err


@pytest.mark.parametrize("samples", [1, 64, SR])
def test_silence_and_a_single_frame_give_empty_files(nmfaudio, samples):
    write_wav("short.wav", np.zeros(samples))
    result = nmfaudio("transcribe", "short.wav", "--stems", "note", "--sonify", "--salience")
    assert result.code == 0
    assert (
        na.read_notes("transcribed/short/notes.csv")
        == na.read_notes("transcribed/short/notes.mid")
        == []
    )
    assert [Path(p).name for p in result.out.splitlines()][-1] == "rest.wav"


def test_without_matplotlib_a_picture_is_refused_before_any_work(nmfaudio, song, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    result = nmfaudio("transcribe", song, "--plot")
    assert result.code == 2
    assert f"{sys.executable} -m pip install matplotlib" in result.errors()[0].replace("'", "")
    assert not Path("transcribed").exists()


def test_what_is_there_is_kept_unless_asked(nmfaudio, song):
    nmfaudio("transcribe", song)
    first = Path("transcribed/song/notes.csv").read_bytes()
    skipped = nmfaudio("transcribe", song, "--skip-existing")
    assert (skipped.code, skipped.out) == (0, "")
    assert "song.wav: skipped" in skipped.err
    assert Path("transcribed/song/notes.csv").read_bytes() == first
    Path("transcribed/song/notes.csv").write_text("mine")
    refused = nmfaudio("transcribe", song)
    assert refused.code == 5
    assert "transcribed/song/notes.csv: exists" in refused.errors()[0]
    changed = nmfaudio("transcribe", song, "--skip-existing")
    assert changed.code == 5
    assert "notes.csv is missing or has changed" in changed.errors()[-1]
    assert Path("transcribed/song/notes.csv").read_text() == "mine"
    assert nmfaudio("transcribe", song, "--overwrite").code == 0
    assert len(na.read_notes("transcribed/song/notes.csv")) == 3


def test_stems_of_another_run_are_told_of(nmfaudio, song):
    nmfaudio("transcribe", song, "--stems", "note")
    result = nmfaudio("transcribe", song, "--stems", "hand", "--overwrite", "-q")
    assert result.code == 0
    assert "transcribed/song/stems still has 1 C4.wav and 2 more from an earlier run" in result.err


def test_nothing_is_written_when_the_work_fails(nmfaudio, song, monkeypatch):
    module = sys.modules["nmfaudio.transcription.note_model"]
    monkeypatch.setattr(module, "NoteModel", lambda **_: PlainModel(broken=True))
    result = nmfaudio("transcribe", song, "--stems", "note", "-q")
    assert result.code == 6
    assert "left the finite numbers" in result.errors()[0]
    assert not Path("transcribed").exists()


def test_a_picture_that_cannot_be_drawn_leaves_nothing(nmfaudio, song, monkeypatch):
    pytest.importorskip("matplotlib").use("Agg")

    def full(self):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(na.Transcription, "plot", full)
    result = nmfaudio("transcribe", song, "--plot", "-q")
    assert result.code == 5
    assert not Path("transcribed").exists()


def test_stems_that_do_not_fit_into_memory_are_refused(nmfaudio, song, monkeypatch):
    free = iter([2**40, 1000])  # before transcribing, and before making stems
    monkeypatch.setattr("nmfaudio.cli.memory.memory_limit", lambda: next(free))
    result = nmfaudio("transcribe", song, "--stems", "note", "-q")
    assert result.code == na.errors.LimitError.exit_code
    assert "of memory" in result.errors()[0]
    assert not Path("transcribed").exists()


def test_quiet_says_nothing(nmfaudio, song):
    assert nmfaudio("transcribe", song, "-q").err == ""


def test_a_preview_is_transcribed_alone(nmfaudio, song):
    assert nmfaudio("transcribe", song, "--preview", "0.65-1.2").code == 0
    (note,) = [
        n for n in na.read_notes("transcribed/song.preview-0.65-1.2/notes.csv") if n.pitch == 64
    ]
    assert note.onset == pytest.approx(0.7 - 0.65, abs=0.08)


@pytest.mark.parametrize(
    ("option", "name"), [(["--sonify"], "sonification.wav"), (["--stems", "note"], "stems/a.wav")]
)
def test_an_input_is_not_replaced_by_a_result(nmfaudio, song, option, name):
    kept = write_wav(f"song/{name}", piece()).read_bytes()
    result = nmfaudio("transcribe", song, f"song/{name}", "-o", ".", *option, "--overwrite", "-q")
    assert (result.code, result.out) == (2, "")
    assert f"song/{name}: lies in {Path('song', name).parent}, where" in result.errors()[0]
    assert Path("song", name).read_bytes() == kept


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, "no FILE given"),
        (("missing.wav",), 3, "missing.wav: No such file"),
        (("song.wav", "--stems", "voice"), 2, "invalid choice"),
        (("song.wav", "--threshold", "-1"), 2, "'-1' is not a number above 0"),
        (("song.wav", "--threshold", "high"), 2, "'high' is not a number above 0"),
        (("song.wav", "-d", "missing.npz"), 3, "missing.npz"),
        (("song.wav", "-d", "song.wav"), 3, "song.wav"),
        (("song.wav", "--parts", "kick"), 2, "--parts is for drums"),
        (("song.wav", "--low", "H2"), 2, "'H2' is no pitch; give a note such as C2"),
        (("song.wav", "--low", "C4", "--high", "50"), 2, "--low 60 is above --high 50"),
        (("song.wav", "--drums", "--min-note", "0.1"), 2, "--min-note is for pitched notes"),
        (
            ("song.wav", "--drums", "--parts", "bell"),
            2,
            "parts of the dictionary, kick, snare, hihat",
        ),
        (("song.wav", "-o", "song.wav"), 5, "song.wav: is not a folder"),
        (("song.wav", "--dictionry", "x.npz"), 2, "did you mean --dictionary?"),
    ],
)
def test_errors(nmfaudio, song, arguments, code, words):
    result = nmfaudio("transcribe", *arguments, "-q")
    assert (result.code, result.out) == (code, "")
    assert words in result.errors()[0]
    assert not Path("transcribed").exists()
