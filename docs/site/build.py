"""Builder of the site.

    python docs/site/build.py [FOLDER]

The sources are assembled in ``build/site-source`` with the layout of the repository, so that the
links of its pages, which work on GitHub, work on the site as they are. A warning is an error.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from api_pages import write_pages
from sphinx.cmd.build import main as sphinx

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "build" / "site-source"

PAGES = ("README.md", "METHODS.md", "CHANGELOG.md", "CONTRIBUTING.md", "nmfaudio/data/LICENSES.md")
FOLDERS = ("audio_samples", "benchmarks", "docs", "examples")
FILES = ("LICENSE", "CITATION.cff")
LEFT_OUT = shutil.ignore_patterns("*.flac", "*.wav", "__pycache__", "site", "conf.py")

START = ("audio_samples/README", "audio_samples/LICENSES", "nmfaudio/data/LICENSES")
METHODS = ("docs/mathematics", "docs/own-methods", "docs/glossary")
OTHER = ("docs/coming-from", "docs/scale", "docs/citing")


def assemble() -> None:
    """Copy the pages of the repository, and add tables of contents and the pages of the API."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    for name in FOLDERS:
        shutil.copytree(ROOT / name, SOURCE / name, ignore=LEFT_OUT)
    for name in (*PAGES, *FILES):
        (SOURCE / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, SOURCE / name)
    for page in (ROOT / "docs" / "site").glob("*.md"):
        shutil.copy2(page, SOURCE)
    _add_contents("README.md", START)
    _add_contents("docs/README.md", _how_to())
    _add_contents("METHODS.md", METHODS)
    write_pages(SOURCE / "api")


def _how_to() -> list[str]:
    """Return the pages that `docs/README.md` links and no other section has."""
    text = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    names = dict.fromkeys(re.findall(r"\]\(([\w-]+)\.md\)", text))
    return [f"docs/{name}" for name in names if f"docs/{name}" not in METHODS + OTHER]


def _add_contents(name: str, pages: Iterable[str]) -> None:
    """Add a table of contents that only the navigation shows to a page."""
    entries = (f"/{page}" for page in pages)
    contents = "\n".join(["", "```{toctree}", ":hidden:", "", *entries, "```", ""])
    with (SOURCE / name).open("a", encoding="utf-8") as file:
        file.write(contents)


def main(arguments: list[str]) -> int:
    """Build the site, and return the exit code of Sphinx."""
    folder = Path(arguments[0]) if arguments else ROOT / "build" / "site"
    assemble()
    options = ["-b", "html", "-W", "--keep-going", "-j", "2", "-q", "-c", str(ROOT / "docs")]
    return sphinx([*options, str(SOURCE), str(folder)])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
