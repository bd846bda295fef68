"""Files of the archives that are released."""

import re
from pathlib import Path

import pytest

pytest.importorskip("hatchling")
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[1]
FOLDERS = ("audio_samples", "benchmarks", "docs", "examples", "nmfaudio", "tests")
CACHES = (".", "__pycache__")


def contents(builder):
    return {Path(file.distribution_path).as_posix() for file in builder.recurse_included_files()}


def test_the_source_archive_has_all_that_its_tests_read():
    found = {
        path.relative_to(ROOT).as_posix()
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
        and not any(part.startswith(CACHES) for part in path.relative_to(ROOT).parts)
    }
    pages = {path.name for path in ROOT.glob("*.md")} | {"LICENSE", "CITATION.cff"}
    included = contents(SdistBuilder(str(ROOT)))
    assert len(found) > 800
    assert found | pages | {"pyproject.toml"} <= included
    assert not any(path.startswith((".git/", ".venv")) for path in included)


def test_licences_lie_beside_the_data_of_the_wheel():
    included = contents(WheelBuilder(str(ROOT)))
    for folder in ("nmfaudio/data", "nmfaudio/data/audio_samples"):
        assert f"{folder}/LICENSES.md" in included
    assert not any("/make/" in path for path in included)


def test_the_description_on_an_index_links_no_file():
    text = SdistBuilder(str(ROOT)).metadata.core.readme
    assert "# nmfaudio" in text
    targets = re.findall(r"\]\(([^)]+)\)", text)
    assert all(target.startswith(("#", "https://")) for target in targets), targets


def test_the_recipe_for_conda_has_the_version_and_the_dependencies():
    text = (ROOT / "packaging" / "conda" / "recipe.yaml").read_text(encoding="utf-8")
    metadata = SdistBuilder(str(ROOT)).metadata
    assert f'version: "{metadata.version}"' in text
    names = {"soundfile": "pysoundfile", "lazy-loader": "lazy-loader", "mir-eval": "mir_eval"}
    for requirement in metadata.core.dependencies:
        name, _, lowest = requirement.partition(">=")
        name = name.replace("_", "-")
        assert f"    - {names.get(name, name)} >={lowest}\n" in text
