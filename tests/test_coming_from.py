"""The tables of equivalents: every call on the right runs, and every name exists."""

import ast
import inspect
import os
import re
import shlex
from functools import reduce
from pathlib import Path

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.cli import main

TEXT = (Path(__file__).parents[1] / "docs" / "coming-from.md").read_text(encoding="utf-8")
(SETUP,) = re.findall(r"^```python\n(.*?)^```", TEXT, re.M | re.S)
CELLS = re.findall(r"^\| [^|]+ \| ([^|]+) \|", TEXT, re.M)
CALLS = sorted({call for cell in CELLS for call in re.findall(r"`([^`]+)`", cell)})
SR = 32000


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    """Names of the page, in a folder with the files that its calls read, half a second each."""
    before, folder = Path.cwd(), tmp_path_factory.mktemp("coming_from")
    time = np.arange(SR // 2) / SR
    noise = np.random.default_rng(0).standard_normal((2, len(time)))
    hits, tone = 0.1 * noise * np.exp(-20 * (time % 0.25)), 0.1 * np.sin(2764 * time) * [[1], [1]]
    for path in ("song", "loop", "piano", "songs/song"):
        na.write(made(folder / f"{path}.wav"), hits + tone, SR)
    for path in ("drums", "sources/drums", "estimates/drums"):
        na.write(made(folder / f"{path}.wav"), hits, SR)
    na.write_notes(folder / "score.mid", [na.Note(0, 0.5, 69)])
    os.chdir(folder)
    found = {}
    exec(SETUP, found)
    yield found
    os.chdir(before)


def made(path):
    path.parent.mkdir(exist_ok=True)
    return path


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:the voice of the guessed pitch")  # there is none
@pytest.mark.parametrize("call", CALLS)
def test_it_runs(call, names, capsys):
    if call.startswith("nmfaudio "):
        assert main([*shlex.split(call)[1:], "--overwrite"]) == 0, capsys.readouterr().err
    else:
        eval(call, names)


def test_every_name_exists():
    for name in set(re.findall(r"`na\.([\w.]*\w)", TEXT)):
        reduce(getattr, name.split("."), na)


def calls_of(section):
    """Calls in the left column of a section, as syntax trees."""
    (text,) = re.findall(rf"^## {re.escape(section)}.*?\n(.*?)(?=^## |\Z)", TEXT, re.M | re.S)
    for cell in re.findall(r"^\| ([^|]+) \|", text, re.M):
        for code in re.findall(r"`([^`]+)`", cell):
            nodes = ast.walk(ast.parse(code.replace("…", "..."))) if "(" in code else ()
            yield from (node for node in nodes if isinstance(node, ast.Call))


def known_by(module, call):
    """The function of a module that a call names, or None."""
    names = [part for part in ast.unparse(call.func).split(".") if part.isidentifier()]
    return getattr(module, names[-1], None)


@pytest.mark.parametrize(
    ("section", "modules"),
    [
        ("librosa", ("librosa", "librosa.decompose", "librosa.effects", "librosa.util")),
        ("scikit-learn", ("sklearn.decomposition",)),
    ],
)
def test_calls_of_other_packages_have_the_parameters_that_they_pass(section, modules):
    found = 0
    for call in calls_of(section):
        functions = [known_by(pytest.importorskip(name), call) for name in modules]
        for function in filter(callable, functions):
            keywords = dict.fromkeys(keyword.arg for keyword in call.keywords)
            inspect.signature(function).bind(*call.args, **keywords)
            found += 1
    assert found >= 6
