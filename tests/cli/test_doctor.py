"""`nmfaudio doctor`."""

from __future__ import annotations

import tomllib
from importlib.metadata import version

from nmfaudio._common import extras as optional
from nmfaudio.cli import doctor

from .conftest import ROOT


def test_a_sound_installation_passes(nmfaudio):
    result = nmfaudio("doctor", "--json")
    assert (result.code, result.err) == (0, "")
    facts = result.json
    assert facts["packages"]["numpy"] == version("numpy")
    assert facts["libsndfile"]
    assert facts["threads"] >= 1
    assert facts["self_test"]["passed"]
    assert facts["self_test"]["max_relative_error"] <= 1e-6


def test_a_separation_that_fails_is_exit_code_1(nmfaudio, monkeypatch):
    def broken(name):
        raise ImportError("no module named nothing")

    monkeypatch.setattr(doctor, "load_separator", broken)
    result = nmfaudio("doctor")
    assert result.code == 1
    lines = dict(line.split(None, 1) for line in result.out.splitlines())
    assert lines["numpy"] == version("numpy")
    assert lines["self-test"].startswith("FAILED: ImportError: no module named nothing")


def test_parts_that_do_not_add_up_are_a_failure(monkeypatch):
    monkeypatch.setattr(doctor, "_separation_error", lambda y, sr: 1e-3)
    assert not doctor.self_test()["passed"]
    monkeypatch.setattr(doctor, "_separation_error", lambda y, sr: float("nan"))
    assert not doctor.self_test()["passed"]


def test_the_extras_are_those_of_the_package():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    for name, packages in optional.EXTRAS.items():
        declared = {entry.partition(">")[0] for entry in extras[name]}
        assert set(packages) <= declared
    assert set(optional.EXTRAS) == set(extras) - {"all", "test", "dev", "bench"}
