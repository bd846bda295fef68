"""The site has a page for every public name and loads nothing; what to cite is up to date."""

import importlib
import inspect
import re
from functools import reduce
from pathlib import Path

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
    assert build.network_problems(tmp_path) == []
    assert (tmp_path / "build" / "site-links.txt").read_text() == "https://example.org\n"
    page.write_text('<link href="//example.org/font.css"><img src="https://example.org/i.png">')
    assert len(build.network_problems(tmp_path)) == 2


@pytest.mark.parametrize("name", ["CITATION.cff", "docs/citing.md"])
def test_the_version_to_cite_is_that_of_the_package(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert re.search(r"^\s*version\W+([\d.]+\d)", text, re.M)[1] == na.__version__
