"""The tables of equivalents: every call on the right runs, and every name exists."""

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
