"""The examples run from top to bottom, and each notebook is the one its script makes."""

import ast
import re
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

jupytext = pytest.importorskip("jupytext")
nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
SCRIPTS = sorted(EXAMPLES.glob("*.py"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LARGEST, LARGEST_LECTURE = 6e6, 3e6  # bytes of a notebook with its outputs
COLUMNS = 88  # of code, in the column of a notebook's page; prose is wrapped by the page
PROVIDERS = {"IPython": "ipykernel", "skimage": "scikit-image", "sklearn": "scikit-learn"}
HIDE = """
import sys


class _Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {modules!r}:
            raise ModuleNotFoundError(f"{{name}} is not in the extra notebook", name=name)


sys.meta_path.insert(0, _Hidden())
"""


def own_requirements(*extras):
    """Requirements of the package with these extras, its own extras expanded."""
    listed = [*PROJECT["dependencies"]]
    for extra in extras:
        listed += PROJECT["optional-dependencies"][extra]
    found = []
    for requirement in map(Requirement, listed):
        if requirement.name == PROJECT["name"]:
            found += own_requirements(*requirement.extras)
        else:
            found.append(requirement)
    return found


def installed_with(requirements):
    """Names of the distributions that these requirements install, their own ones included."""
    names, queue = set(), [(canonicalize_name(r.name), frozenset(r.extras)) for r in requirements]
    seen = set()
    while queue:
        name, extras = pair = queue.pop()
        if pair in seen:
            continue
        seen.add(pair)
        names.add(name)
        try:
            further = map(Requirement, requires(name) or ())
        except PackageNotFoundError:
            continue
        for r in further:
            if not r.marker or any(r.marker.evaluate({"extra": e}) for e in extras or {""}):
                queue.append((canonicalize_name(r.name), frozenset(r.extras)))
    return names


def modules_outside_the_extra():
    """Top-level modules of installed distributions that the extra ``notebook`` does not bring."""
    kept = installed_with(own_requirements("notebook")) | {PROJECT["name"]}
    return {
        module
        for module, distributions in packages_distributions().items()
        if not kept & {canonicalize_name(name) for name in distributions}
    }


def imported_modules(script):
    for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module.partition(".")[0]


def cells(notebook):
    return [(cell.cell_type, cell.source) for cell in notebook.cells]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda p: p.stem)
def test_the_notebook_is_built_from_its_script_without_outputs(script):
    notebook = jupytext.read(script.with_suffix(".ipynb"))
    assert cells(notebook) == cells(jupytext.read(script))
    assert not any(cell.get("outputs") for cell in notebook.cells)


def code_of(script):
    """Source of cells of code, or of what follows the docstring of an example of the gallery."""
    if script.parent == EXAMPLES:
        return [cell.source for cell in jupytext.read(script).cells if cell.cell_type == "code"]
    source = script.read_text(encoding="utf-8")
    docstring = ast.parse(source).body[0]
    return ["\n".join(source.splitlines()[docstring.end_lineno :])]


@pytest.mark.parametrize("script", sorted(EXAMPLES.rglob("*.py")), ids=lambda p: p.stem)
def test_code_fits_the_column_of_a_page(script):
    lines = [line for source in code_of(script) for line in source.splitlines()]
    assert lines
    assert [line for line in lines if len(line) > COLUMNS] == []


def with_solutions(notebook):
    """Cells of a notebook, with the solution of each exercise run on a copy of the names."""
    for cell in notebook.cells:
        yield cell
        if cell.cell_type == "markdown" and "<details>" in cell.source:
            for code in re.findall(r"^```python\n(.*?)^```", cell.source, re.M | re.S):
                yield nbformat.v4.new_code_cell(f"exec({code!r}, dict(globals()))")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda p: p.stem)
def test_the_extra_notebook_names_every_package_imported(script):
    named = {requirement.name for requirement in own_requirements("notebook")} | {PROJECT["name"]}
    modules = set(imported_modules(script)) - sys.stdlib_module_names
    assert {PROVIDERS.get(module, module) for module in modules} <= named


def test_links_of_the_methods_lead_to_headings():
    links = re.findall(r"\((examples/\w+)\.ipynb#([^)]+)\)", (ROOT / "METHODS.md").read_text())
    assert len(links) > 5
    for script, anchor in links:
        headings = re.findall(r"^# #+ (.+)$", (ROOT / f"{script}.py").read_text(), re.M)
        slugs = {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}
        assert anchor in slugs


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # Jupyter's own
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda p: p.stem)
def test_it_runs_with_the_extra_notebook_alone_and_shows_something(script):
    notebook = jupytext.read(script.with_suffix(".ipynb"))
    hide = HIDE.format(modules=modules_outside_the_extra())
    notebook.cells = [nbformat.v4.new_code_cell(hide), *with_solutions(notebook)]
    client = nbclient.NotebookClient(
        notebook, timeout=300, resources={"metadata": {"path": str(EXAMPLES)}}
    )
    client.execute()
    shown = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert any("image/png" in output.get("data", {}) for output in shown)
    if "Audio(" in script.read_text():  # a player
        assert any("text/html" in output.get("data", {}) for output in shown)
    largest = LARGEST_LECTURE if script.stem.startswith("lecture") else LARGEST
    assert len(nbformat.writes(notebook)) < largest
