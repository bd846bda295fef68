"""The house keeps its order: layers, lazy imports, public names, docstrings that run."""

import ast
import doctest
import importlib
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import nmfaudio as na
from nmfaudio.separators import SEPARATORS

PACKAGE = Path(na.__file__).parent

# Who lives where. A module imports from its own place and from places further up this list that
# it is allowed to know; the mathematics and the audio side first meet in the separators.
GROUND = {"errors", "_figure", "_typing", "_check", "_times", "_version", "files"}
NUMBERS = {"kernels"}  # arrays and scalars: neither mathematics nor audio
MATH = {
    "_spectrogram",
    "divergences",
    "structures",
    "penalties",
    "start",
    "factors",
    "units",
    "problem",
    "solvers",
    "runs",
    "engine",
    "decomposition",
    "optimality",
    "recipes",
    "ranks",
    "scaling",
    "online",
    "exemplars",
}
AUDIO = {
    "io",
    "transforms",
    "masks",
    "audition",
    "dictionary",
    "examples",
    "evidence",
    "grouping",
    "metrics",
    "phase",
    "spatial",
    "notes",
    "midi",
    "alignment",
}
MEETING = {"separators", "plot", "learning", "mosaics", "estimators", "transcription"}
TOP = {"cli", "__main__"}
ALLOWED = {
    **dict.fromkeys(GROUND, GROUND),
    **dict.fromkeys(NUMBERS, NUMBERS),
    **dict.fromkeys(MATH, GROUND | NUMBERS | MATH),
    **dict.fromkeys(AUDIO, GROUND | NUMBERS | AUDIO),
    **dict.fromkeys(MEETING, GROUND | NUMBERS | MATH | AUDIO | MEETING),
    **dict.fromkeys(TOP, GROUND | NUMBERS | MATH | AUDIO | MEETING | TOP),
}
ORDER = [
    "kernels",
    "divergences",
    "structures",
    "penalties",
    "factors",
    "units",
    "problem",
    "solvers",
    "runs",
    "engine",
]
LAZY = {"librosa", "matplotlib", "soundfile", "sklearn", "mido", "IPython"}

LIGHT = ("learn", "dictionary")  # commands besides, whose help loads nothing heavy

MODULES = sorted(
    m.name for m in pkgutil.walk_packages([str(PACKAGE)], "nmfaudio.") if "__main__" not in m.name
)


def imports(path, top_level_only=False):
    """Dotted names of what a file imports, relative ones made whole."""
    tree = ast.parse(path.read_text())
    nodes = tree.body if top_level_only else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: write imports of the package in full"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def place(path):
    """The part of the house a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def rooms(path):
    """The parts of the package a file imports from."""
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "nmfaudio" and any(
            (PACKAGE / f"{room}{end}").exists() for room in parts[1:2] for end in ("", ".py")
        ):
            yield parts[1]


FILES = [p for p in sorted(PACKAGE.rglob("*.py")) if p != PACKAGE / "__init__.py"]


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_downward(path):
    here = place(path)
    assert here in ALLOWED, f"say in tests/test_house.py where {here} lives"
    for room in rooms(path):
        assert room in ALLOWED[here], f"{here} must not know {room}"
        if here in ORDER and room in ORDER:
            assert ORDER.index(room) <= ORDER.index(here), f"{here} lies below {room}"
    heavy = {name.split(".")[0] for name in imports(path, top_level_only=True)} & LAZY
    assert not heavy, f"{path.name} imports {heavy} before it is needed"


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
        assert not inspect.ismodule(value), f"nmfaudio.{name} is hidden by a module"
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        na.nonsense  # noqa: B018


def test_the_stub_lists_the_same_names():
    stub = ast.parse((PACKAGE / "__init__.pyi").read_text())
    listed = {alias.asname for node in stub.body for alias in node.names}
    assert listed == set(na.__all__)


def test_public_things_have_docstrings():
    for name in na.__all__:
        value = getattr(na, name)
        assert isinstance(value, str) or inspect.getdoc(value), f"{name} has no docstring"


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0


def test_the_folder_names_no_machine():
    for path in [*FILES, *PACKAGE.parent.glob("*.md"), PACKAGE.parent / "pyproject.toml"]:
        text = path.read_text()
        assert str(PACKAGE.parent) not in text, path
