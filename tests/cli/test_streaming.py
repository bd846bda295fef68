"""Processing in blocks: the choice, and its results."""

import json
from pathlib import Path

import numpy as np
import pytest

import nmfaudio as na


def stems(folder):
    return {path.name: na.read(path).samples for path in sorted(Path(folder).rglob("*.wav"))}


def test_a_file_too_long_for_the_memory_is_processed_in_blocks(separate, song):
    result = separate(song, "--memory", "200M", "--json")
    assert result.code == 0
    assert "song.wav: needs about" in result.err
    assert "it is processed in blocks" in result.err
    (report,) = json.loads(result.out)["files"]
    assert report["in_blocks"]
    assert report["sums_to_mixture"]
    assert report["max_abs_error"] < 1e-6
    np.testing.assert_allclose(sum(stems("separated").values()), na.read(song).samples, atol=1e-6)


def test_a_short_file_has_the_stems_of_the_whole(separate, song):
    assert separate(song, "-o", "whole").code == 0
    assert separate(song, "-o", "blocks", "--stream").code == 0
    for whole, blocks in zip(stems("whole").values(), stems("blocks").values(), strict=True):
        assert np.square(blocks - whole).sum() < 0.02 * np.square(whole).sum()


def test_commands_write_what_the_function_writes(nmfaudio, song):
    assert nmfaudio("separate", song, "--stream", "--format", "flac").code == 0
    written = na.separate_file(song, "python", format="flac")
    for path in written.paths.values():
        (other,) = Path("separated").rglob(path.name)
        assert other.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("flag", ["--plot", "--components-too"])
def test_results_that_need_the_whole_recording_are_refused(separate, song, flag):
    if flag == "--plot":
        pytest.importorskip("matplotlib")
    result = separate(song, "--stream", flag)
    assert result.code == 2
    assert f"{flag} needs the whole recording in memory" in result.errors()[0]
    assert not Path("separated").exists()


def test_the_two_flags_exclude_each_other(separate, song):
    assert separate(song, "--stream", "--no-stream").code == 2


def test_templates_are_learned_from_all_frames(nmfaudio, song, monkeypatch):
    from nmfaudio.separators import blockwise

    monkeypatch.setattr(blockwise, "LEARNING_FRAMES", 10)
    options = ("-k", "4", "--max-iter", "5")
    assert nmfaudio("separate", song, "--stream", "-o", "spread", *options).code == 0
    assert nmfaudio("separate", song, "--stream", "--fit", "all", "-o", "all", *options).code == 0
    separator = na.BlindSeparator(n_components=4, max_iter=5)
    written = na.separate_file(song, "python", separator, fit="all")
    for name, path in written.paths.items():
        (other,) = Path("all").rglob(f"{name}.wav")
        assert other.read_bytes() == path.read_bytes()
        (spread,) = Path("spread").rglob(f"{name}.wav")
        assert spread.read_bytes() != path.read_bytes()


def test_a_command_that_learns_from_a_part_refuses_all_frames(nmfaudio, song):
    result = nmfaudio("denoise", song, "--fit", "all")
    assert result.code == 2
    (line,) = result.errors()
    assert (
        "fit is 'all', but DenoiseSeparator with these settings learns from a part of the frames"
        in line
    )
    assert not Path("separated").exists()
