"""Hints at optional packages that are missing."""

import importlib.metadata
import importlib.util
import shlex
import subprocess
import sys

import pytest

from nmfaudio._common import extras

USES = {
    "plot": ("matplotlib", "na.display.plot_losses(na.nmf(np.ones((3, 4)), 1, max_iter=1))"),
    "midi": ("pretty_midi", "na.symbolic.midi.to_pretty_midi([])"),
    "sklearn": ("sklearn", "na.estimators.NMF"),
    "pandas": ("pandas", "na.evaluate([np.ones(9)], [np.ones(9)]).to_dataframe()"),
    "widget": ("anywidget", "na.widget(na.separate(np.ones((1, 999)), 999, n_components=2))"),
    "score": (
        "partitura",
        "na.symbolic.write_musicxml('score.musicxml', na.symbolic.notate("
        "[na.Note(i / 2, i / 2 + 0.4, 60) for i in range(8)], "
        "na.symbolic.Beats(np.arange(9) / 2)))",
    ),
    "m4a": ("av", "na.read(io.BytesIO(bytes(4) + b'ftypM4A ' + bytes(99)))"),
    "dask": ("distributed", "na._common.executors.dask_client('tcp://127.0.0.1:1')"),
}


def test_every_extra_that_the_code_imports_is_tested():
    assert set(USES) == set(extras.EXTRAS) - {"notebook"}


@pytest.mark.parametrize("extra", USES)
def test_a_missing_package_is_reported_with_a_command_for_this_python(extra):
    module, use = USES[extra]
    code = (
        f"import sys; sys.modules[{module!r}] = None\n"
        "import io, numpy as np, nmfaudio as na\n"
        "import nmfaudio.symbolic.midi, nmfaudio._common.executors\n"
        f"try:\n {use}\n"
        "except (na.MissingExtraError, na.AudioFileError) as error:\n print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    problem, _, command = done.stdout.strip().partition("; run: ")
    name = extras.EXTRAS[extra][0]
    assert f"need {name}, which cannot be imported" in problem
    words = shlex.split(command.partition(", or ")[0])
    if importlib.util.find_spec("pip"):
        assert words[:4] == [sys.executable, "-m", "pip", "install"]
    assert any(name.replace("-", "_") in word.replace("-", "_") for word in words[-2:])
    assert "nmfaudio" not in words[-1]  # no package index has it


def test_the_declared_versions_are_installed_and_quoted(monkeypatch):
    declared = ["numpy>=2.0", "matplotlib>=3.9; extra == 'plot'", 'pandas>=2 ; extra == "pandas"']
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: declared)
    monkeypatch.setattr(sys, "executable", "/my music/bin/python")
    command = extras.install_command("plot")
    assert command == "'/my music/bin/python' -m pip install 'matplotlib>=3.9'"
    assert extras.requirements("pandas") == ["pandas>=2"]


def test_a_source_tree_that_is_not_installed_names_the_packages(monkeypatch):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "requires", missing)
    assert extras.requirements("sklearn") == ["scikit-learn"]


def test_without_pip_the_command_is_one_of_uv(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    command = shlex.split(extras.install_command("plot"))
    assert command[:5] == ["uv", "pip", "install", "--python", sys.executable]
