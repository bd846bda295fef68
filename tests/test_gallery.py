"""Every example of the gallery runs without a warning, and shows or plays something."""

import ast
from pathlib import Path

import pytest

GALLERY = Path(__file__).parents[1] / "examples" / "gallery"
SCRIPTS = sorted(GALLERY.glob("*/plot_*.py"))
MOST_LINES = 45  # of 88 columns, see test_examples


def title_and_text(script):
    title, line, *text = ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))).split(
        "\n"
    )
    assert line == "=" * len(title)
    return title, " ".join(text).split()


def run(script):
    """Run a script; return the value of its last expression, if it ends in one."""
    tree = ast.parse(script.read_text(encoding="utf-8"))
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    names = {"__name__": "__main__"}
    exec(compile(tree, str(script), "exec"), names)
    return last and eval(compile(ast.Expression(last.value), str(script), "eval"), names)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_an_example_has_a_title_a_text_and_few_lines(script):
    _, words = title_and_text(script)
    assert 25 <= len(words) <= 80
    assert len(script.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


def test_titles_and_file_names_are_unique():
    assert len({title_and_text(script)[0] for script in SCRIPTS}) == len(SCRIPTS)
    assert len({script.name for script in SCRIPTS}) == len(SCRIPTS)


def test_every_folder_has_a_header():
    folders = {script.parent for script in SCRIPTS}
    assert all((folder / "GALLERY_HEADER.rst").is_file() for folder in {*folders, GALLERY})


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_an_example_runs_and_shows_or_plays_something(script):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    audio = pytest.importorskip("IPython.display").Audio
    pyplot.switch_backend("agg")
    pyplot.close("all")
    result = run(script)
    figures = [pyplot.figure(number) for number in pyplot.get_fignums()]
    for figure in figures:
        figure.canvas.draw()  # a warning of the layout is an error
    pyplot.close("all")
    assert figures or isinstance(result, audio)
