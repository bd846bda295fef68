"""Builder of the site.

    python docs/site/build.py [FOLDER]

The sources are assembled in ``build/site-source`` with the layout of the repository, so that the
links of its pages, which work on GitHub, work on the site as they are. A warning is an error, and
so is a page that would load anything from a network. ``build/site-links.txt`` lists the links that
lead elsewhere.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from api_pages import write_pages
from sounds import write_sounds
from sphinx.cmd.build import main as sphinx

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "build" / "site-source"
SOUNDS = ROOT / "build" / "site-sounds"  # copied to the root of the site

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
    _add_contents("lectures.md", _lectures(), ":maxdepth: 2")
    write_pages(SOURCE / "api")


def _how_to() -> list[str]:
    """Return the pages that `docs/README.md` links and no other section has."""
    text = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    names = dict.fromkeys(re.findall(r"\]\(([\w-]+)\.md\)", text))
    return [f"docs/{name}" for name in names if f"docs/{name}" not in METHODS + OTHER]


def _lectures() -> list[str]:
    """Return the notebooks, the lectures first."""
    names = (path.stem for path in (ROOT / "examples").glob("*.ipynb"))
    return [f"examples/{n}" for n in sorted(names, key=lambda n: (not n.startswith("lecture"), n))]


def _add_contents(name: str, pages: Iterable[str], option: str = ":hidden:") -> None:
    """Add a table of contents to a page; a hidden one is in the navigation only."""
    entries = (f"/{page}" for page in pages)
    contents = "\n".join(["", "```{toctree}", option, "", *entries, "```", ""])
    with (SOURCE / name).open("a", encoding="utf-8") as file:
        file.write(contents)


class _Addresses(HTMLParser):
    """Addresses on a network that a page loads, those that it links, and files that it loads."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.loaded: set[str] = set()
        self.linked: set[str] = set()
        self.files: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Sort the addresses of an element."""
        for name, value in attrs:
            if name in ("href", "src", "data", "poster") and re.match(r"(https?:)?//", value or ""):
                (self.linked if tag == "a" else self.loaded).add(value or "")
            elif name == "src" and value and not re.match(r"\w+:", value):
                self.files.add(unquote(urlsplit(value).path))


def problems_of(folder: Path) -> list[str]:
    """List the links that lead elsewhere; return what pages load from a network or do not have."""
    names = (page for page in sorted(folder.rglob("*.html")) if "_static" not in page.parts)
    pages = {page: _Addresses(page) for page in names}
    links = sorted(set().union(*(found.linked for found in pages.values())))
    (ROOT / "build" / "site-links.txt").write_text("\n".join([*links, ""]), encoding="utf-8")
    return [
        f"{page}: loads {address}; the site must work without a network"
        for page, found in pages.items()
        for address in sorted(found.loaded)
    ] + [
        f"{page}: loads {file}, which does not exist"
        for page, found in pages.items()
        for file in sorted(found.files)
        if not (page.parent / file).is_file()
    ]


def main(arguments: list[str]) -> int:
    """Build the site, and return 0 if there was neither a warning nor a problem."""
    folder = Path(arguments[0]) if arguments else ROOT / "build" / "site"
    assemble()
    write_sounds(SOUNDS / "sounds")
    options = ["-b", "html", "-W", "--keep-going", "-j", "2", "-q", "-c", str(ROOT / "docs")]
    code = sphinx([*options, str(SOURCE), str(folder)])
    problems = problems_of(folder)
    print(*problems, sep="\n", end="\n" if problems else "")
    return code or int(bool(problems))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
