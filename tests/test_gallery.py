"""Every example of the gallery runs without a warning, and shows or plays something."""

import ast
import re
from pathlib import Path

import pytest

import nmfaudio as na

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


NOT_SHOWN = {
    "Penalty": "a protocol",
    "Terms": "coefficients of one update, for authors of penalties",
    "Factors": "a type",
    "STRUCTURES": "a registry",
    "Structure": "a base of structures; an example derives from Product",
    "Bilinear": "a base of structures; an example derives from Product",
    "SumOfProducts": "a base of structures; an example derives from Product",
    "METHODS": "a registry",
    "RankSelection": "returned by select_rank",
    "DeepDecomposition": "returned by deep_nmf",
    "FeatureWeighted": "returned by feature_weighted_nmf",
    "SOLVERS": "a registry",
    "Run": "a protocol",
    "Solver": "a protocol",
    "Stepwise": "for authors of solvers",
    "solver_named": "for authors of solvers",
    "Diagonal": "the solver of mosaics, which an example makes",
}
"""Public names of the factorisation that no example writes, with the reason."""


def test_every_method_of_factorisation_is_shown():
    text = "\n".join(path.read_text(encoding="utf-8") for path in GALLERY.parent.rglob("*.py"))
    written = set(re.findall(r"\w+", text))
    spaces = (na.structures, na.penalties, na.solvers, na.recipes, na.rank_selection)
    names = {name for space in spaces for name in space.__all__}
    names |= {kind.__name__ for kind in na.audio.transforms.TRANSFORMS.values()}
    solvers = {type(solver).__name__: f'"{key}"' for key, solver in na.solvers.SOLVERS.items()}
    written |= {name for name, quoted in solvers.items() if quoted in text}
    missing = names - written
    assert missing <= set(NOT_SHOWN)
    assert set(NOT_SHOWN) <= names  # no reason for a name that no longer exists
