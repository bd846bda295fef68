"""Sphinx configuration of the site; `docs/site/build.py` assembles its sources and runs Sphinx.

Everything a page needs is in the built folder: it opens from the file system, without a network.
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import files
from pathlib import Path

from numpydoc.xref import DEFAULT_LINKS

import nmfaudio

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "site"))

import links  # noqa: E402
import tables  # noqa: E402

project = "nmfaudio"
author = "the nmfaudio developers"
copyright = author
version = release = nmfaudio.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "myst_nb",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
templates_path = [str(HERE / "site" / "templates")]
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(collections\.abc|numpy)\..*")]  # of other packages
default_role = "code"
smartquotes = False  # strings are values, and stay as they are written

# MathJax as one file with all its fonts and macros, so that it loads nothing at run time.
_MATHJAX = next(f for f in files("sphinx-mathjax-offline") or () if f.name == "tex-svg-full.js")
mathjax_path = _MATHJAX.name
mathjax3_config = {"svg": {"fontCache": "global"}, "options": {"enableMenu": False}}

myst_enable_extensions = ["amsmath", "colon_fence", "dollarmath"]
myst_fence_as_directive = ["math"]  # GitHub's form of equations
myst_heading_anchors = 4  # GitHub's anchors
nb_execution_mode = os.environ.get("SITE_NOTEBOOKS", "auto")  # or off, for a quick look
nb_execution_timeout = 120
nb_execution_raise_on_error = True
nb_ipywidgets_js: dict[str, dict[str, str]] = {}  # else loaded from a network
nb_merge_streams = True

_GALLERY = "examples/gallery"  # its scripts are run; their pages are written to `gallery`
_SECTIONS = ("separation", "factorisation", "penalties", "structures")
_SECTIONS += ("transforms", "transcription", "elsewhere")
exclude_patterns = [_GALLERY]
sphinx_gallery_conf = {
    "examples_dirs": _GALLERY,
    "gallery_dirs": "gallery",
    "subsection_order": [f"{_GALLERY}/{section}" for section in _SECTIONS],
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,
    "capture_repr": ("_repr_html_",),
    "notebook_extensions": set(),  # notebooks would be pages of the site too
    "download_all_examples": False,
    "write_computation_times": False,
    "min_reported_time": 3600,  # times of the machine that builds the site tell nothing
    "show_signature": False,
}

autosummary_generate = True
autodoc_typehints = "none"  # the docstrings have shapes and units beside the types
autodoc_member_order = "bysource"
toc_object_entries_show_parents = "hide"  # methods in the contents without their class
numpydoc_show_class_members = False  # the templates list them
numpydoc_xref_param_type = True
numpydoc_xref_aliases = links.PATHS
numpydoc_xref_ignore = "all"  # but for these aliases
DEFAULT_LINKS.clear()  # they lead to the manual of Python, on a network

html_theme = "pydata_sphinx_theme"
html_title = f"nmfaudio {release}"
html_static_path = [str(HERE / "site" / "static"), str(_MATHJAX.locate())]
html_context = {"default_mode": "auto"}  # light or dark, as the system is
html_css_files = ["site.css"]
html_extra_path = [str(HERE.parent / "build" / "site-sounds")]
html_show_sourcelink = False
html_show_search_summary = False  # it fetches pages, which browsers forbid below file://
html_copy_source = False
_ALONE = ("index", "CHANGELOG", "CONTRIBUTING", "benchmarks/README")  # sections of one page
_ALONE += ("docs/coming-from", "docs/scale", "docs/citing")
html_sidebars = {page: [] for page in _ALONE}
html_theme_options = {
    "navbar_align": "left",
    "header_links_before_dropdown": 7,
    "show_prev_next": False,
    "show_toc_level": 2,
    "navigation_depth": 2,
    "collapse_navigation": True,
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}


def setup(app) -> None:
    """Connect the handlers of docstrings, links and tables."""
    app.connect("doctree-read", links.link_calls)
    app.connect("doctree-read", links.break_paths)
    app.connect("autodoc-process-docstring", links.link_classes)
    app.connect("autodoc-process-signature", links.show_settings)
    app.connect("autodoc-skip-member", links.skip_foreign_members)
    app.connect("html-page-context", tables.adapt_tables)
