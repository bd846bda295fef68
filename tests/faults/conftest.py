"""A small disk, and a song that is too large for it."""

import os
import shutil
import subprocess

import numpy as np
import pytest
import soundfile

SMALL = 2**20  # bytes of the small disk
SR = 8000


@pytest.fixture
def small_disk(tmp_path):
    """Folder on a file system of 1 MiB; skipped where none can be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if os.geteuid() or mount is None:
        pytest.skip("only root can mount a file system")
    command = [mount, "-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def song(tmp_path):
    """A minute of sound, 0.9 MiB."""
    time = np.arange(60 * SR) / SR
    y = 0.4 * np.sin(2 * np.pi * 330 * time) + 0.1 * np.random.default_rng(0).normal(size=time.size)
    soundfile.write(tmp_path / "song.wav", y, SR, "PCM_16")
    return tmp_path / "song.wav"
