"""Kernels that kernels call become a part of them, and can be called from Python as well."""

import numpy as np
import pytest

from nmfaudio.kernels.jit import inlined_kernel, kernel


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr("numba.config.CACHE_DIR", str(tmp_path))
    return tmp_path


def _square(x, offset=0.0):
    if x < 0:
        raise ValueError("negative", x)
    return x * x + offset


def _squares(values):
    total = 0.0
    for i in range(len(values)):
        total += square(values[i])
    return total + square(1, offset=0.5)


def _rows(A):
    return squares(A[0]) + squares(A[1])


def kernels(inner=kernel):
    """Kernels of which each calls the one before, as in a new process."""
    global square, squares, rows  # part of the cache's key where they are in a closure
    square, squares, rows = inner(_square), kernel(_squares), kernel(_rows)
    return square, squares, rows


A = np.arange(6.0).reshape(2, 3)


@pytest.mark.parametrize("inner", [kernel, inlined_kernel])
def test_only_kernels_called_from_python_become_files(folder, inner):
    for hits in (0, 1):
        square, squares, rows = kernels(inner)
        assert rows(A) == 58
        assert sum(rows.stats.cache_hits.values()) == hits
        assert not square.overloads
        assert not squares.overloads
        (path,) = folder.rglob("*.nbc")
    assert "._rows-" in path.name


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_kernels_can_be_called_from_python_and_by_kernels(folder, order):
    calls = (lambda square: square(3.0), lambda squares: squares(A[1]), lambda rows: rows(A))
    results = (9, 51.5, 58)
    for _ in range(2):  # compiled, and from the files
        fresh = kernels()
        for k in (*order, *order):
            assert calls[k](fresh[k]) == results[k]
    assert len(list(folder.rglob("*.nbc"))) == 3


def test_an_error_in_a_part_of_a_kernel_reaches_python():
    for _ in range(2):
        _, squares, rows = kernels()
        with pytest.raises(ValueError, match="negative") as raised:
            rows(-A)
        assert raised.value.args == ("negative", -1.0)
        assert rows(A) == 58
        assert squares(A[0]) == 6.5


def test_after_a_failure_to_compile_kernels_still_compile(folder):
    @kernel
    def fails(x):
        return x.no_such_attribute

    @kernel
    def calls(x):
        return fails(x)

    for function in (calls, fails, calls):
        with pytest.raises(Exception, match="no_such_attribute"):
            function(1.0)
    assert kernels()[2](A) == 58
    assert len(list(folder.rglob("*.nbc"))) == 1
