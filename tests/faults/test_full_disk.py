"""A full disk is said in one line, and leaves nothing behind."""

import shutil
import tempfile

import numpy as np
import pytest
from processes import QUICK, tree

import nmfaudio as na
from nmfaudio.audio.io import open_group
from nmfaudio.cli import main
from nmfaudio.errors import OutputError
from nmfaudio.factorisation.corpus.store import create_array
from nmfaudio.separators import blockwise

from .conftest import SMALL


def write(folder, blocks, **options):
    targets = [folder / "new" / name for name in ("x", "y")]
    rng = np.random.default_rng(0)
    with open_group(targets, 8000, 1, blocks * 16_384, **options) as group:
        for _ in range(blocks):
            group.append([rng.uniform(-0.9, 0.9, (1, 16_384)).astype("f4") for _ in targets])


@pytest.mark.parametrize(
    "options",
    [
        {"format": "wav"},
        {"format": "wav", "subtype": "PCM_16", "clip": "error"},
        {"format": "flac"},
        {"format": "flac", "clip": "error"},
        {"format": "ogg", "clip": "error"},
    ],
    ids=["float", "16 bit", "FLAC", "FLAC without gain", "Ogg"],
)
def test_a_group_leaves_nothing(small_disk, options):
    blocks = 400 if options["format"] == "ogg" else 40
    with pytest.raises(OutputError, match=r"[xy]: cannot be written: No space left on device; fre"):
        write(small_disk, blocks, **options)
    assert list(small_disk.iterdir()) == []
    write(small_disk, 2, **options)  # space is free again
    assert tree(small_disk) == ["new/x", "new/y"]


def test_flac_says_why_its_end_is_missing(small_disk):
    block = np.random.default_rng(0).uniform(-0.9, 0.9, (1, 16_384)).astype("f4")
    messages = []
    for room in range(0, 120_000, 4096):
        (small_disk / "other").write_bytes(bytes(SMALL - room))
        try:
            with open_group(
                [small_disk / "x"], 8000, 1, 49_152, format="flac", clip="error"
            ) as group:
                for _ in range(3):
                    group.append([block])
        except OutputError as error:
            messages.append(str(error))
        (small_disk / "x").unlink(missing_ok=True)
    assert len(messages) > 10
    assert all("No space left on device" in text for text in messages)


def test_the_command_leaves_nothing(small_disk, song, capfd):
    (small_disk / "before").write_bytes(bytes(1000))
    assert main(["separate", *QUICK, str(song), "-o", str(small_disk)]) == 5
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("nmfaudio: error: ")
    assert "cannot be written: No space left on device; free space, or write elsewhere" in line
    assert [path.name for path in small_disk.iterdir()] == ["before"]


def test_models_leave_nothing(small_disk):
    model = na.nmf(np.ones((5000, 300)), 50, max_iter=1)
    with pytest.raises(OutputError, match="No space left on device"):
        model.save(small_disk / "x.npz")
    assert list(small_disk.iterdir()) == []


@pytest.mark.parametrize("is_noticed", [True, False], ids=["before", "while it is written"])
def test_the_spectrogram_of_all_frames_leaves_nothing(
    small_disk, song, tmp_path, monkeypatch, capfd, is_noticed
):
    monkeypatch.setattr(tempfile, "tempdir", str(small_disk))
    monkeypatch.setattr(blockwise, "LEARNING_FRAMES", 100)
    if not is_noticed:  # another program fills the disk meanwhile
        free = shutil.disk_usage(tmp_path)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: free)
    target = tmp_path / "stems"
    command = ["separate", *QUICK, "--stream", "--fit", "all", str(song), "-o", str(target)]
    assert main(command) == 5
    (line,) = capfd.readouterr().err.splitlines()
    assert f"{small_disk}: has " in line
    assert "MiB free, and " in line
    assert "of temporary data cannot be written: No space left on device; free space" in line
    assert list(small_disk.iterdir()) == []
    assert not target.exists() or tree(target) == []


def test_an_array_that_is_filled_later_has_its_space(small_disk):
    path, dtype = small_disk / "x", np.dtype(float)
    with pytest.raises(OutputError, match="y: cannot be written: No space left on device"):
        create_array(path, small_disk / "y", (2, 2**17), dtype)
    path.unlink()
    create_array(path, small_disk / "y", (2, 1000), dtype)
    np.testing.assert_array_equal(np.load(path), np.zeros((2, 1000)))
    assert path.stat().st_blocks * 512 >= 2 * 1000 * dtype.itemsize
