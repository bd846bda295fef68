"""`nmfaudio doctor`."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import version

from nmfaudio._common import extras as optional
from nmfaudio.cli import doctor

from .conftest import ENVIRONMENT, ROOT

NO_TEST = {"error": None, "max_relative_error": 0.0, "seconds": 0.0}


def test_a_sound_installation_passes(nmfaudio):
    result = nmfaudio("doctor", "--json")
    assert (result.code, result.err) == (0, "")
    facts = result.json
    assert facts["packages"]["numpy"] == version("numpy")
    assert facts["libsndfile"]
    assert facts["threads"] >= 1
    assert facts["self_test"]["passed"]
    assert facts["self_test"]["max_relative_error"] <= 1e-6


def test_the_folder_of_the_machine_code_is_shown(nmfaudio, tmp_path, monkeypatch):
    monkeypatch.setattr(doctor, "self_test", lambda: {"passed": True, **NO_TEST})
    folder = tmp_path / "a cache"
    monkeypatch.setattr("numba.config.CACHE_DIR", str(folder))
    (folder / "nmfaudio").mkdir(parents=True)
    (folder / "nmfaudio" / "x.nbc").write_bytes(bytes(2**20))
    (line,) = [line for line in nmfaudio("doctor").out.splitlines() if line.startswith("cache")]
    assert line.endswith(f"1.0 MiB; may be deleted at any time: rm -r '{folder}/nmfaudio'")
    monkeypatch.setattr("numba.config.CACHE_DIR", "/dev/null")
    assert nmfaudio("doctor", "--json").json["cache"] == {
        "folder": "/dev/null/nmfaudio",
        "writable": False,
        "bytes": 0,
    }


def test_where_nothing_can_be_kept_there_is_one_line(tmp_path):
    env = ENVIRONMENT | {"NUMBA_CACHE_DIR": "/dev/null"}
    code = f"""if True:
        import nmfaudio.cli.doctor as doctor, nmfaudio.cli as cli
        doctor.self_test = lambda: {{"passed": True, **{NO_TEST}}}
        cli.main(["doctor"])
    """
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=tmp_path)
    (line,) = done.stderr.splitlines()
    assert line.startswith("nmfaudio: warning: /dev/null/nmfaudio: machine code cannot be kept:")
    assert line.endswith("set NUMBA_CACHE_DIR to a writable folder")
    assert "not writable: every run compiles again" in done.stdout


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
        # dask[distributed] installs both.
        declared = {package for entry in extras[name] for package in re.split(r"[][>]", entry)}
        assert set(packages) <= declared
    others = {"all", "test", "test-tools", "dev", "bench", "bench-transkun", "site"}
    assert set(optional.EXTRAS) == set(extras) - others
