"""Versions for bug reports."""

import importlib.metadata
import sys

import numpy as np

import nmfaudio as na
from nmfaudio._common import versions
from nmfaudio._common.extras import EXTRAS


def test_versions_are_printed_one_a_line(capsys):
    assert na.show_versions() is None
    lines = capsys.readouterr().out.splitlines()
    rows = {line[:12].strip(): line[12:] for line in lines}
    assert rows["nmfaudio"] == na.__version__
    assert rows["python"].startswith(sys.version.split()[0])
    assert rows["numpy"] == np.__version__
    assert {*versions.PACKAGES, *(f"[{extra}]" for extra in EXTRAS)} <= set(rows)


def test_what_is_not_installed_is_named(capsys, monkeypatch):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    monkeypatch.setitem(EXTRAS, "plot", ("no_such_package",))
    monkeypatch.setitem(sys.modules, "soundfile", None)
    na.show_versions()
    out = capsys.readouterr().out
    assert "numpy       not installed" in out
    assert "[plot]      without no_such_package" in out
    assert "libsndfile  not found" in out
