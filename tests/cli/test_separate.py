"""`nmfaudio separate`: what it writes, and what it says about it."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from nmfaudio.cli import results

from .conftest import ENVIRONMENT, QUICK, SR, music, write_wav

PARTS = ["separated/separate/song/harmonic.wav", "separated/separate/song/percussive.wav"]


def total(paths):
    return sum(soundfile.read(path, always_2d=True)[0] for path in paths)


def test_paths_on_stdout_and_one_line_on_stderr(separate, song):
    result = separate(song)
    assert result.code == 0
    assert result.out.splitlines() == PARTS
    (line,) = result.err.splitlines()
    assert re.fullmatch(r"song\.wav: 2 stems in [\d.]+ s for 0\.5 s of audio", line)


def test_parts_keep_rate_channels_and_length_and_add_up(separate, song):
    separate(song)
    for path in PARTS:
        info = soundfile.info(path)
        assert (info.samplerate, info.channels, info.frames) == (SR, 2, SR // 2)
        assert info.subtype == "FLOAT"
    assert np.abs(total(PARTS) - soundfile.read(song)[0]).max() <= 1e-6


def test_json_has_the_facts(separate, song):
    result = separate(song, "--json", "-q", "--save-model", "m.npz", "--components-too")
    assert result.err == ""
    assert (result.json["exit_code"], result.json["command"]) == (0, "separate")
    (facts,) = result.json["files"]
    assert {k: facts[k] for k in ("input", "track", "exit_code", "sr", "channels", "samples")} == {
        "input": "song.wav", "track": "song", "exit_code": 0,
        "sr": SR, "channels": 2, "samples": SR // 2,
    }  # fmt: skip
    assert facts["duration"] == 0.5
    assert [source["path"] for source in facts["sources"]] == PARTS
    members = [k for source in facts["sources"] for k in source["components"]]
    assert sorted(members) == list(range(facts["components"])) == [0, 1, 2, 3]
    assert sum(source["energy_share"] for source in facts["sources"]) == pytest.approx(1)
    assert all(0 <= source["percussiveness"] <= 1 for source in facts["sources"])
    assert all(source["centre_hz"] > 0 for source in facts["sources"])
    assert facts["loss"] > 0
    assert (facts["iterations"], facts["converged"]) == (5, False)
    assert facts["seconds"] > 0
    assert facts["duration"] == 0.5
    assert facts["seconds"] > 0
    assert "times_real_time" not in facts
    assert 0 <= facts["max_abs_error"] <= 1e-6
    assert (facts["gain"], facts["warnings"]) == (1, [])
    assert facts["model"] == "m.npz"
    assert Path("m.npz").is_file()
    assert len(facts["component_paths"]) == 4
    assert all(Path(path).is_file() for path in facts["component_paths"])
    assert total(facts["component_paths"]) == pytest.approx(music(), abs=1e-6)


def test_every_file_written_is_on_stdout(separate, song):
    result = separate(song, "--components-too", "--save-model", "models/m.npz")
    there = {str(p) for p in (*Path("separated").rglob("*"), Path("models/m.npz")) if p.is_file()}
    there -= {"separated/separate/song/.nmfaudio-separate-wav.json"}  # hidden
    assert set(result.out.splitlines()) == there
    assert len(there) == 2 + 4 + 1


def test_verbose_adds_a_table(separate, song):
    lines = separate(song, "-v").err.splitlines()
    assert lines[1].split() == ["source", "energy", "centre", "percussive", "components"]
    assert [row.split()[0] for row in lines[2:4]] == ["harmonic", "percussive"]
    assert all("%" in row and "Hz" in row for row in lines[2:4])
    assert "4 components, 5 iterations (limit reached), loss" in lines[4]
    text, _, error = lines[5].partition(": ")
    assert text == "  largest difference of the sum of the stems from the recording"
    assert float(error) <= 1e-6


def test_long_lists_of_components_keep_to_their_column():
    source = {"name": "x", "energy_share": 1.0, "centre_hz": 0.0, "percussiveness": 0.5}
    report = {"components": 60, "iterations": 1, "converged": True, "loss": 1.0} | {
        "max_abs_error": None,
        "sources": [source | {"components": list(range(0, 60, 2))}],
    }
    head, *rows, last, _ = results.table(report).splitlines()
    assert len(rows) > 1
    assert max(map(len, rows)) <= 80
    column = head.index("components")
    assert all(row[:column].isspace() for row in rows[1:])
    assert " ".join(row[column:] for row in rows) == ", ".join(map(str, range(0, 60, 2)))
    assert last == "  60 components, 1 iterations (converged), loss 1"


def test_quiet_is_silent(separate, song):
    result = separate(song, "-q")
    assert result.err == ""
    assert result.out.splitlines() == PARTS


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(separate, song):
    for name, *seed in (("a",), ("b", "--seed", 0), ("c", "--seed", 1)):
        assert separate(song, "-o", name, *seed).code == 0
    a, b, c = (Path(name, "song", "harmonic.wav").read_bytes() for name in "abc")
    assert a == b != c


def test_a_preview_is_that_stretch_in_a_folder_of_its_own(separate, song):
    result = separate(song, "--preview", "0.1-0.3", "--json")
    (facts,) = result.json["files"]
    assert (facts["offset"], facts["samples"]) == (SR // 10, SR // 5)
    parts = [path.replace("song", "song.preview-0.1-0.3") for path in PARTS]
    assert [source["path"] for source in facts["sources"]] == parts
    assert np.abs(total(parts) - music()[SR // 10 : SR * 3 // 10]).max() <= 1e-6


@pytest.mark.parametrize(
    ("format", "subtype", "steps"), [("flac", None, 2**23), ("wav", "PCM_16", 2**15)]
)
def test_integer_formats_add_up_to_their_steps(separate, song, format, subtype, steps):
    extra = ["--subtype", subtype] if subtype else []
    result = separate(song, "--format", format, *extra, "--json")
    (facts,) = result.json["files"]
    paths = [source["path"] for source in facts["sources"]]
    assert [Path(path).suffix for path in paths] == [f".{format}"] * 2
    measured = np.abs(total(paths) - music()).max()
    assert measured <= 1.5 / steps
    assert facts["max_abs_error"] == pytest.approx(measured, abs=1e-7)


def test_one_gain_keeps_loud_parts_from_clipping(separate):
    write_wav("loud.wav", 4 * music())
    result = separate("loud.wav", "--subtype", "PCM_16", "--json")
    (facts,) = result.json["files"]
    assert 0 < facts["gain"] < 1
    assert facts["max_abs_error"] <= 1.5 / 2**15
    assert f"scaled by {facts['gain']:.3f}" in result.err
    again = separate("loud.wav", "--subtype", "PCM_16", "--clip", "error", "-o", "strict")
    assert again.code != 0
    assert "loud.wav" in again.errors()[0]
    assert not list(Path("strict").rglob("*.wav"))


def test_standard_input_is_called_stdin(separate, song, monkeypatch):
    piped = SimpleNamespace(buffer=io.BytesIO(song.read_bytes()), isatty=lambda: False)
    monkeypatch.setattr(sys, "stdin", piped)
    result = separate("-")
    assert result.out.splitlines() == [path.replace("song", "stdin") for path in PARTS]
    assert result.err.startswith("standard input: 2 stems")


def test_several_files_go_to_several_folders(separate):
    for name in ("a.wav", "b.wav"):
        write_wav(name)
    result = separate("a.wav", "b.wav", "--save-model", "models/{track}.npz")
    assert result.code == 0
    assert [Path(path).parent.name for path in result.out.splitlines()] == [
        "a", "a", "models", "b", "b", "models",
    ]  # fmt: skip
    assert Path("models/a.npz").is_file()
    assert Path("models/b.npz").is_file()
    assert [line.partition(":")[0] for line in result.err.splitlines()] == [
        "a.wav", "b.wav", "2 files",
    ]  # fmt: skip


def test_existing_parts_can_be_overwritten_or_skipped(separate, song):
    separate(song)
    before = Path(PARTS[0]).read_bytes()
    skipped = separate(song, "--skip-existing", "--json")
    assert skipped.code == 0
    assert skipped.json["files"][0]["skipped"]
    assert "skipped" in skipped.err
    assert Path(PARTS[0]).read_bytes() == before
    assert separate(song, "--seed", 1, "--overwrite").out.splitlines() == PARTS
    assert Path(PARTS[0]).read_bytes() != before


def test_what_an_earlier_run_left_is_told(separate, song):
    separate(song, "-s", 3)
    assert "warning" not in separate(song, "-s", 3, "--overwrite").err
    result = separate(song, "--overwrite")
    assert result.code == 0
    assert result.err.startswith(
        "nmfaudio: warning: song.wav: separated/separate/song still has source-1.wav and 2 more"
    )


def test_another_format_is_not_in_the_way(separate, song):
    separate(song)
    assert separate(song, "--format", "flac").code == 0


@pytest.mark.parametrize(
    "y",
    [np.zeros((SR // 2, 2)), music()[:1], music()[:100, :1], music(0.2, 8), 1e-30 * music()],
    ids=["silence", "one sample", "shorter than a window", "eight channels", "tiny"],
)
def test_odd_sounds_work_without_a_warning(separate, y):
    y = y.astype(np.float32)
    write_wav("odd.wav", y)
    result = separate("odd.wav", "--json")
    (facts,) = result.json["files"]
    assert (facts["warnings"], len(result.err.splitlines())) == ([], 1)
    parts = total(source["path"] for source in facts["sources"])
    assert parts.shape == y.shape
    assert np.abs(parts - y).max() <= 1e-6 * np.abs(y).max()


def test_names_are_made_safe(separate):
    cases = {"a\nb.wav": "a_b", "-v.wav": "v.wav", "..x.wav": "x", "\udcff.wav": "_"}
    for name in cases:
        write_wav("plain.wav").rename(name)
        result = separate("-o", "out", "--", name)
        assert result.code == 0, result.err
        for path in result.out.splitlines():
            assert Path(path).is_file()
            assert Path(path).parents[1] == Path("out")
        assert len(result.err.splitlines()) == 1


def test_paths_are_written_byte_for_byte_unless_they_would_break_the_line(separate, song):
    raw = os.fsdecode(b"caf\xe9")
    assert separate(song, "-o", raw).out.splitlines()[0] == f"{raw}/song/harmonic.wav"
    assert separate(song, "-o", "a\nb").out.splitlines()[0] == "a\\nb/song/harmonic.wav"
    facts = json.loads(separate(song, "-o", "a\nb", "--overwrite", "--json").out)["files"][0]
    assert facts["sources"][0]["path"] == "a\nb/song/harmonic.wav"


def test_threads_are_set(separate, song, monkeypatch):
    from nmfaudio.kernels import threads

    monkeypatch.setattr(threads, "_chosen", None)
    separate(song, "--threads", 3)
    assert threads.get_threads() == 3


UNUSED = {
    *("audioread", "mido", "soxr"),
    *("librosa.core.pitch", "librosa.decompose", "librosa.feature.spectral", "librosa.sequence"),
    *("matplotlib", "mir_eval", "pandas", "sklearn"),
    *("scipy.interpolate", "scipy.ndimage", "scipy.optimize", "scipy.signal", "scipy.stats"),
}
LOADED = "import sys; from nmfaudio.cli import main; main(sys.argv[1:]); print(*sys.modules)"


@pytest.mark.parametrize("command", ["separate", "hpss"])
def test_nothing_is_loaded_that_a_separation_does_not_need(song, command):
    arguments = [command, song, *QUICK]
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env=ENVIRONMENT,
    )
    loaded = set(done.stdout.split())
    assert {"librosa.core.spectrum", "numba"} <= loaded
    assert not UNUSED & loaded
