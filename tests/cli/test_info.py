"""`nmfaudio info`."""

from __future__ import annotations

import numpy as np

from .conftest import SR, music, write_wav


def test_a_table_of_facts(nmfaudio, song):
    result = nmfaudio("info", song)
    assert (result.code, result.err) == (0, "")
    name, *facts = result.out.splitlines()
    assert name == "song.wav"
    found = dict(line.strip().split(None, 1) for line in facts)
    assert found["format"].startswith("WAV, FLOAT, ")
    assert found["length"] == "0.500 s (0:00), 4,000 frames"
    assert found["channels"] == "2 channels at 8,000 Hz"
    assert found["notice"] == "nothing suspicious"


def test_json_has_the_same_and_more(nmfaudio, song):
    (facts,) = nmfaudio("info", song, "--json").json["files"]
    assert facts["input"] == "song.wav"
    assert (facts["sr"], facts["channels"], facts["frames"]) == (SR, 2, SR // 2)
    peak = 20 * np.log10(np.abs(music()).max(axis=0))
    assert np.allclose(facts["peak"], peak, atol=1e-4)
    assert facts["notes"] == []


def test_what_is_suspicious_is_said(nmfaudio):
    y = music()
    y[:, 1] = 0
    y[7, 0] = np.nan
    y[9, 0] = 3
    write_wav("odd.wav", y)
    notices = [line for line in nmfaudio("info", "odd.wav").out.splitlines() if "notice" in line]
    for words in ("NaN", "channel 2 is silent", "1 samples at full scale"):
        assert any(words in line for line in notices), words


def test_a_bad_file_does_not_keep_the_others_back(nmfaudio, song):
    result = nmfaudio("info", "missing.wav", song)
    assert result.code == 7
    assert result.out.startswith("song.wav\n")
    assert result.errors()[0].startswith("nmfaudio: error: missing.wav: No such file")
    alone = nmfaudio("info", "missing.wav", "--json")
    assert (alone.code, alone.json["exit_code"]) == (3, 3)
    assert alone.json["files"][0]["error"].startswith("missing.wav: ")
