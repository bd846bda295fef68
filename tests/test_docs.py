"""Each separator has a page, and links lead somewhere; `test_guides` runs what the pages say."""

import re
from pathlib import Path

import pytest

from nmfaudio.separators import SEPARATORS

ROOT = Path(__file__).parent.parent
PAGES = sorted((ROOT / "docs").glob("*.md"))


@pytest.mark.parametrize("name", SEPARATORS)
def test_every_separator_has_a_page_and_a_place_in_the_table(name):
    assert f"nmfaudio {name} " in (ROOT / "docs" / f"{name}.md").read_text()
    assert f"({name}.md)" in (ROOT / "docs" / "README.md").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        assert target.startswith("https://") or (page.parent / target).exists(), target
