"""Order of the packages, lazy imports, public names and examples in docstrings."""

import doctest
import importlib
import inspect
import pickle
import pkgutil
import pydoc
import re
import subprocess
import sys

import house
import pytest

import nmfaudio as na
from nmfaudio.separators import SEPARATORS

PACKAGE = house.PACKAGE
LAZY = {"librosa", "matplotlib", "soundfile", "sklearn", "mido", "IPython", "mir_eval"}

MODULE_NAMES = {
    *(name for name in house.ROW if name not in ("cli", "__main__", "kernels")),
    *("penalties", "rank_selection", "recipes", "solvers", "structures"),
}
LIGHT = (
    "learn",
    "dictionary",
    "transcribe",
    "info",
    "doctor",
    "live",
)  # commands besides, whose help loads nothing heavy

MODULES = sorted(
    m.name for m in pkgutil.walk_packages([str(PACKAGE)], "nmfaudio.") if "__main__" not in m.name
)


KNOWN = house.modules()
PAIRS = house.arrows(KNOWN)


def test_every_module_stands_in_the_order():
    unknown = {house.room(name) for name in KNOWN} - set(house.ROW)
    assert not unknown, f"give {unknown} a row in tests/house.py"
    assert house.upward(PAIRS) == []


def test_no_modules_import_one_another():
    assert house.cycles(PAIRS) == []


@pytest.mark.parametrize("name", KNOWN)
def test_what_is_heavy_loads_late(name):
    path = KNOWN[name]
    if path.stem != "librosa_loader":
        roots = {other.split(".")[0] for other in house.imported(path)}
        assert "librosa" not in roots, "load it with nmfaudio._common.librosa_loader"
    heavy = {other.split(".")[0] for other in house.imported(path, top_level_only=True)} & LAZY
    assert not heavy, f"{name} imports {heavy} before it is needed"


@pytest.mark.parametrize(
    "code",
    [
        "import nmfaudio",
        "import nmfaudio.cli; nmfaudio.cli.main(['--help'])",
        "import nmfaudio.cli; nmfaudio.cli.main(['evaluate', '--help'])",
        *(f"import nmfaudio.cli; nmfaudio.cli.main(['{name}', '--help'])" for name in SEPARATORS),
        *(f"import nmfaudio.cli; nmfaudio.cli.main(['{name}', '--help'])" for name in LIGHT),
    ],
)
def test_nothing_heavy_is_loaded(code):
    check = f"try:\n {code}\nexcept SystemExit:\n pass\nimport sys; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("False\n"), done.stdout + done.stderr


def test_public_names_are_still_themselves_after_every_import():
    for name in MODULES:
        importlib.import_module(name)
    for name in na.__all__:
        value = getattr(na, name)
        assert inspect.ismodule(value) == (name in MODULE_NAMES), name
    with pytest.raises(AttributeError, match="nonsense"):
        na.nonsense  # noqa: B018


def test_public_names_report_the_package_and_pickle():
    for name in na.__all__:
        value = getattr(na, name)
        if callable(value):
            assert value.__module__ == "nmfaudio", name
            assert pickle.loads(pickle.dumps(value)) is value


def test_examples_of_public_names_run():
    finder, runner = doctest.DocTestFinder(), doctest.DocTestRunner()
    for name in na.__all__:
        value = getattr(na, name)
        if callable(value):
            for test in finder.find(value, name, module=False, globs={}):
                runner.run(test)
    assert runner.summarize(verbose=False).failed == 0


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0


def test_the_folder_names_no_machine():
    for path in [*KNOWN.values(), *PACKAGE.parent.glob("*.md"), PACKAGE.parent / "pyproject.toml"]:
        text = path.read_text()
        assert str(PACKAGE.parent) not in text, path


def test_the_call_trees_name_functions_that_exist():
    text = (PACKAGE.parent / "CONTRIBUTING.md").read_text()
    trees = text.partition("## From a WAV to stems")[2].partition("## How the parts compose")[0]
    named = re.findall(rf"^ *((?:{'|'.join(house.ROW)})\.[\w.]+)", trees, re.MULTILINE)
    assert len(named) > 20
    for name in named:
        assert callable(pydoc.locate(f"nmfaudio.{name}")), name
