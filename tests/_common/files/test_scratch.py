"""Arrays on disk."""

import errno
import gc
import tempfile
from pathlib import Path

import numpy as np
import pytest

from nmfaudio._common.files import scratch
from nmfaudio._common.files.scratch import scratch_array
from nmfaudio.errors import ContentError, OutputError

MAPS = Path("/proc/self/maps")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def blocks(rows=(3, 1, 4), columns=5):
    rng = np.random.default_rng(0)
    return [rng.random((n, columns), np.float32) for n in rows]


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_it_is_the_rows_that_were_written(folder, dtype):
    expected = np.concatenate(blocks()).astype(dtype)
    array = scratch_array([b.astype(dtype) for b in blocks()], expected.shape, expected.dtype)
    np.testing.assert_array_equal(array, expected)
    assert array.flags.c_contiguous
    assert array.flags.writeable  # as arrays that kernels compile for
    assert array.dtype == dtype


@pytest.mark.skipif(not MAPS.exists(), reason="the system does not list its mapped files")
def test_the_file_has_no_name_and_goes_with_the_array(folder):
    array = scratch_array(blocks(), (8, 5), np.dtype("f4"))
    assert str(folder) in MAPS.read_text()
    assert list(folder.iterdir()) == []
    del array
    gc.collect()
    assert str(folder) not in MAPS.read_text()


@pytest.mark.parametrize("error", [ContentError, KeyboardInterrupt])
def test_a_failure_of_the_rows_leaves_nothing(folder, error):
    def failing():
        yield blocks()[0]
        raise error("unusable")

    with pytest.raises(error, match="unusable"):
        scratch_array(failing(), (8, 5), np.dtype("f4"))
    assert list(folder.iterdir()) == []


def test_too_little_space_is_an_error_before_the_first_row(folder):
    def never():
        raise AssertionError
        yield

    with pytest.raises(OutputError) as caught:
        scratch_array(never(), (2**40, 2**10), np.dtype("f4"))
    message = str(caught.value)
    assert message.startswith(str(folder))
    assert "\n" not in message
    assert "MiB free, and 4294967296 MiB" in message
    assert "TMPDIR" in message


def test_a_failing_disk_is_an_error(folder, monkeypatch):
    class Failing:
        def write(self, _):
            raise OSError(errno.EIO, "")

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    monkeypatch.setattr(scratch.tempfile, "TemporaryFile", lambda **_: Failing())
    with pytest.raises(OutputError, match="Input/output error"):
        scratch_array(blocks(), (8, 5), np.dtype("f4"))


def test_no_folder_for_temporary_files_is_an_error(monkeypatch):
    def fail():
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", fail)
    with pytest.raises(OutputError, match=r"temporary folder, and 0 MiB .* cannot be written"):
        scratch_array(blocks(), (8, 5), np.dtype("f4"))
