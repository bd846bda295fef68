"""The site has a page for every public name and loads nothing; what to cite is up to date."""

import importlib
import inspect
import re
from functools import reduce
from pathlib import Path

import numpy as np
import pytest

import nmfaudio as na

ROOT = Path(__file__).parents[1]
pytest.importorskip("sphinx")


@pytest.fixture
def site(monkeypatch):
    """Importer of the modules that build the site."""
    monkeypatch.syspath_prepend(ROOT / "docs" / "site")
    return lambda name: importlib.import_module(name)


def test_every_public_name_has_a_page(site, tmp_path):
    site("api_pages").write_pages(tmp_path)
    text = "\n".join(page.read_text() for page in tmp_path.glob("*.rst"))
    paths = re.findall(r"^   ([\w.]+)$", text, re.M)
    listed = {id(reduce(getattr, path.split("."), na)) for path in paths}
    for namespace in [na, *(getattr(na, name) for name in na.__all__)]:
        for name in getattr(namespace, "__all__", ()) if inspect.ismodule(namespace) else ():
            item = getattr(namespace, name)
            assert id(item) in listed or not (inspect.isclass(item) or inspect.isfunction(item))


def test_a_page_that_loads_from_a_network_is_a_problem(site, tmp_path, monkeypatch):
    build = site("build")
    monkeypatch.setattr(build, "ROOT", tmp_path)
    (tmp_path / "build").mkdir()
    page = tmp_path / "page.html"
    page.write_text('<a href="https://example.org">x</a><script src="own.js"></script>')
    (tmp_path / "own.js").touch()
    assert build.problems_of(tmp_path) == []
    assert (tmp_path / "build" / "site-links.txt").read_text() == "https://example.org\n"
    page.write_text('<link href="//example.org/font.css"><img src="https://example.org/i.png">')
    assert len(build.problems_of(tmp_path)) == 2
    page.write_text('<audio src="sounds/missing.opus"></audio><img src="data:image/png;base64,">')
    (problem,) = build.problems_of(tmp_path)
    assert problem.endswith("loads sounds/missing.opus, which does not exist")


@pytest.mark.parametrize("name", ["CITATION.cff", "docs/citing.md"])
def test_the_version_to_cite_is_that_of_the_package(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert re.search(r"^\s*version\W+([\d.]+\d)", text, re.M)[1] == na.__version__


def test_every_constant_is_described(site):
    names = site("public_names")
    constants = [
        (name, item)
        for namespace in names.namespaces()
        for name, item in namespace.items()
        if not (inspect.isclass(item) or inspect.isfunction(item))
    ]
    assert len(constants) >= 7
    assert all(names.constant_text(name, item).endswith(".") for name, item in constants)


TABLE = """<table class="table"><thead><tr><th class="head"><p>case</p></th>
<th class="head text-right"><p>SI-SDR &amp; SDR</p></th></tr></thead><tbody>{}</tbody></table>"""


def test_cells_of_tables_of_text_have_their_headings(site):
    adapted = site("tables").adapted
    text = adapted(TABLE.format("<tr><td><p>a</p></td><td class='x'><p>better</p></td></tr>"))
    assert 'class="table stacked"' in text
    assert "<td data-heading=\"SI-SDR &amp; SDR\" class='x'><p>better</p></td>" in text
    assert '<td data-heading="case"><p>a</p></td>' in text


def test_tables_of_numbers_stay_tables(site):
    table = TABLE.format("<tr><td><p>a</p></td><td><p>−4.0 ± 1.3</p></td></tr>")
    adapted = site("tables").adapted(table)
    assert adapted == table.replace("table", "table numbers", 2).replace(
        "table numbers", "table", 1
    )
    assert "stacked" in site("tables").adapted(table.replace("−4.0", "text " * 20))


@pytest.mark.slow
def test_the_song_of_the_first_page_is_its_stems(site, tmp_path):
    files = site("sounds").write_sounds(tmp_path / "sounds")
    page = (ROOT / "docs" / "site" / "index.md").read_text(encoding="utf-8")
    assert re.findall(r'src="sounds/(\w+\.opus)"', page) == [path.name for path in files]
    song, *stems = (na.read(path).samples for path in files)
    assert np.linalg.norm(song - sum(stems)) < 0.1 * np.linalg.norm(song)  # Opus is lossy
    assert sum(path.stat().st_size for path in files) < 2e6
