"""`nmfaudio dictionary`."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile

import nmfaudio as na

from .conftest import SR, write_wav

STFT = na.Stft(SR, 256, 64)
METADATA = {"examples": {"guitar": ["a.wav", "b.wav 0-1 s"]}}


@pytest.fixture
def songs():
    templates = np.zeros((129, 3), np.float32)
    templates[[32, 64, 96], [0, 1, 2]] = 1.0
    known = na.Dictionary(
        templates, ["guitar", "guitar", "voice/lead"], STFT, [60, 62.5, None], metadata=METADATA
    )
    known.save("songs.npz")
    return known


def test_info(nmfaudio, songs):
    result = nmfaudio("dictionary", "info", "songs.npz")
    assert (result.code, result.err) == (0, "")
    name, *facts = result.out.splitlines()
    assert name == "songs.npz"
    found = dict(line.strip().split(None, 1) for line in facts)
    assert found["holds"].startswith("2 labels: guitar 2, voice/lead 1; templates of 129")
    assert found["transform"] == "kind stft, sr 8000, n_fft 256, hop 64, window hann, power 1.0"
    assert found["pitches"] == "2 from 60 to 62.5 (MIDI)"
    assert found["beta"] == "1"
    assert found["from"] == "guitar: a.wav, b.wav 0-1 s"


def test_info_in_json(nmfaudio, songs):
    result = nmfaudio("dictionary", "info", "songs.npz", "--json").json
    assert (result["command"], result["exit_code"]) == ("dictionary info", 0)
    (facts,) = result["files"]
    assert facts["labels"] == {"guitar": 2, "voice/lead": 1}
    assert facts["pitches"] == [60, 62.5]
    assert facts["transform"] == STFT.to_dict()
    assert facts["metadata"] == METADATA


def test_a_file_that_is_none_does_not_keep_the_others_back(nmfaudio, songs):
    write_wav("a.wav")
    result = nmfaudio("dictionary", "info", "a.wav", "songs.npz")
    assert result.code == 7
    assert result.out.startswith("songs.npz\n")
    assert result.errors()[0].startswith("nmfaudio: error: a.wav: not a model file")


@pytest.mark.parametrize(
    "metadata", [{"examples": []}, {"examples": {"x": 3}}, {"merged": [1, {"merged": None}]}, {}]
)
def test_info_takes_any_origin(nmfaudio, metadata):
    na.Dictionary(np.eye(129)[:, :1], ["x"], STFT, metadata=metadata).save("x.npz")
    result = nmfaudio("dictionary", "info", "x.npz")
    assert (result.code, result.err) == (0, "")


def test_merge(nmfaudio, songs):
    songs.select("voice/lead").save("voice.npz")
    result = nmfaudio("dictionary", "merge", "voice.npz", "songs.npz", "-o", "all.npz")
    assert (result.code, result.out) == (0, "all.npz\n")
    merged = na.Dictionary.load("all.npz")
    assert merged.labels == ("voice/lead", "guitar", "guitar", "voice/lead")
    assert nmfaudio("dictionary", "merge", "songs.npz", "-o", "all.npz").code == 5
    facts = nmfaudio("dictionary", "merge", "songs.npz", "-o", "b.npz", "--json").json
    assert (facts["command"], facts["components"]) == ("dictionary merge", 3)


def test_what_differs_is_named(nmfaudio, songs):
    na.Dictionary(np.eye(129)[:, :1], ["x"], na.Stft(SR, 256, 32)).save("other.npz")
    result = nmfaudio("dictionary", "merge", "songs.npz", "other.npz", "-o", "all.npz")
    assert result.code == 2
    assert "hop 64, not 32" in result.errors()[0]


@pytest.mark.parametrize("lags", [1, 4])
def test_export_is_read_and_heard(nmfaudio, songs, lags):
    if lags > 1:
        stretches = np.repeat(songs.templates[None], lags, axis=0)
        songs = na.Dictionary(stretches, songs.labels, STFT, songs.pitches, kind="convolutive")
        songs.save("songs.npz", overwrite=True)
    result = nmfaudio("dictionary", "export", "songs.npz", "-o", "out")
    assert result.code == 0
    assert result.out.splitlines() == ["out/templates.csv", "out/guitar.wav", "out/voice_lead.wav"]
    with open("out/templates.csv", newline="") as file:
        head, *rows = csv.reader(file)
    assert head[:5] == ["component", "label", "pitch", "lag", "0"]
    np.testing.assert_allclose([float(f) for f in head[4:]], STFT.frequencies)
    assert len(rows) == 3 * lags
    assert rows[-1][:4] == ["2", "voice/lead", "", str(lags - 1)]
    values = np.array([row[4:] for row in rows], float).reshape(3, lags, 129)
    templates = songs.templates.reshape(lags, 129, 3)
    np.testing.assert_allclose(values.transpose(1, 2, 0), templates, rtol=1e-5)
    y, sr = soundfile.read("out/voice_lead.wav")
    assert sr == SR
    assert np.abs(y).max() == pytest.approx(0.5)
    assert STFT.frequencies[STFT.features(STFT.forward(y)).sum(axis=1).argmax()] == 3000
    assert nmfaudio("dictionary", "export", "songs.npz", "-o", "out").code == 5
    again = nmfaudio("dictionary", "export", "songs.npz", "-o", "out", "--overwrite", "--json")
    assert again.json["paths"][0] == "out/templates.csv"


def test_export_is_refused_where_memory_is_short(nmfaudio, songs, monkeypatch):
    monkeypatch.setattr("nmfaudio.cli.memory.memory_limit", lambda: 205 * 2**20)
    wide = na.Dictionary(np.ones((2049, 8), np.float32), ["a"] * 8, na.Stft(22050, 4096))
    wide.save("wide.npz")
    result = nmfaudio("dictionary", "export", "wide.npz", "-o", "out")
    assert result.code == 6
    (line,) = result.errors()
    assert "MiB of memory, 205 MiB may be used; export a dictionary with fewer" in line
    assert not Path("out").exists()
    assert nmfaudio("dictionary", "export", "songs.npz", "-o", "out").code == 0


def test_a_picture_when_asked(nmfaudio, songs):
    pytest.importorskip("matplotlib").use("Agg")
    result = nmfaudio("dictionary", "export", "songs.npz", "-o", "out", "--plot")
    assert result.code == 0
    assert "out/templates.png\n" in result.out
    assert Path("out/templates.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "transform", [na.Mel(SR, n_mels=40, n_fft=512), na.Erb(SR, n_bands=32, n_fft=512, power=2.0)]
)
def test_bands_are_heard_too(nmfaudio, transform):
    rows = len(transform.frequencies)
    na.Dictionary(np.eye(rows)[:, 20:21], ["x"], transform).save("x.npz")
    assert nmfaudio("dictionary", "export", "x.npz", "-o", "out").code == 0
    y, _ = soundfile.read("out/x.wav")
    V = transform.features(transform.forward(y)).sum(axis=1)
    assert abs(int(V.argmax()) - 20) <= 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "no action given"),
        (("inform", "songs.npz"), "unknown action 'inform'; did you mean info?"),
        (("zzz",), "unknown action 'zzz'; choose from list, info, merge, export"),
        (("info",), "no dictionary given"),
        (("info", "songs.npz", "-o", "x"), "leave out -o"),
        (("merge", "songs.npz"), "merge needs -o"),
        (("export", "songs.npz", "songs.npz", "-o", "x"), "takes one dictionary, got 2"),
    ],
)
def test_a_command_that_cannot_be(nmfaudio, songs, arguments, words):
    result = nmfaudio("dictionary", *arguments)
    assert result.code == 2
    (line,) = result.errors()
    assert words in line


def test_list_shows_what_ships(nmfaudio):
    result = nmfaudio("dictionary", "list")
    assert result.code == 0
    head, piano, *others = result.out.splitlines()
    assert head.split()[:2] == ["NAME", "PITCHES"]
    assert piano.split()[:4] == ["piano", "A0", "to", "C8"]
    names = [each.name for each in na.dictionaries.instruments()]
    assert [line.split()[0].replace("-", " ") for line in (piano, *others)] == names
    told = nmfaudio("dictionary", "list", "--json").json["instruments"]
    assert [each["name"] for each in told] == names
    assert set(told[0]) == {"name", "program", "low", "high", "licence", "size"}


def test_list_takes_no_files(nmfaudio):
    result = nmfaudio("dictionary", "list", "songs.npz")
    assert result.code == 2
    assert "list takes no files" in result.err


def test_names_of_instruments_in_place_of_files(nmfaudio):
    assert "1 label: oboe" in nmfaudio("dictionary", "info", "oboe").out
    assert nmfaudio("dictionary", "merge", "oboe", "bassoon", "-o", "winds.npz").code == 0
    assert na.NoteDictionary.load("winds.npz").names == ("oboe", "bassoon")


def test_notes_and_other_sounds_that_ship_are_merged(nmfaudio):
    oboe = na.dictionaries.instrument_notes("oboe")
    noise = na.Dictionary(np.ones((2049, 1), np.float32), ["noise"], oboe.transform)
    noise.save("noise.npz")
    assert nmfaudio("dictionary", "merge", "oboe", "noise.npz", "-o", "both.npz").code == 0
    assert na.Dictionary.load("both.npz").names == ("oboe", "noise")
