"""The pages tell the truth: their commands run and say what is shown, their Python runs."""

import re
import shlex
from pathlib import Path

import pytest

from nmfaudio.cli import main
from nmfaudio.separators import SEPARATORS

ROOT = Path(__file__).parent.parent
PAGES = sorted((ROOT / "docs").glob("*.md"))


def blocks(page):
    return re.findall(r"^```(\w*)\n(.*?)^```", page.read_text(), re.M | re.S)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "audio_samples").symlink_to(ROOT / "audio_samples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def timeless(text):
    """Text without times, and without the last digits, which processors round differently."""
    text = re.sub(r",? in [\d.]+ s|(?<=loss \d{4})[\d.]+", "", text)
    return re.sub(r"(?<=from the recording: )[\d.e-]+", "", text)


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_say_what_is_shown(page, folder, capfd):
    found = blocks(page)
    for (language, commands), (after, shown) in zip(found, [*found[1:], ("", "")]):  # noqa: B905
        if language != "sh":
            continue
        for command in commands.splitlines():
            program, *arguments = shlex.split(command)
            assert program == "nmfaudio"
            assert main(arguments) == 0, command
        out, err = capfd.readouterr()
        if after == "text":
            assert sorted(timeless(shown).splitlines()) == sorted(timeless(err + out).splitlines())


QUICK = {"own-methods"}
EACH = [
    pytest.param(page, marks=() if page.stem in QUICK else pytest.mark.slow, id=page.stem)
    for page in PAGES
]


@pytest.mark.parametrize("page", EACH)
def test_python_runs(page, folder):
    """Blocks of a page run one after the other, each with the names of those before it."""
    names = {"__name__": page.stem}
    for language, code in blocks(page):
        if language == "python":
            exec(code, names)


@pytest.mark.parametrize("name", SEPARATORS)
def test_every_separator_has_a_page_and_a_place_in_the_table(name):
    assert f"nmfaudio {name} " in (ROOT / "docs" / f"{name}.md").read_text()
    assert f"({name}.md)" in (ROOT / "docs" / "README.md").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        assert target.startswith("https://") or (page.parent / target).exists(), target
