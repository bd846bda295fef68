"""METHODS.md names calls, tests and benchmarks that are there."""

import re
from pathlib import Path

import nmfaudio as na
from nmfaudio.factorisation import penalties
from nmfaudio.factorisation.solvers import SOLVERS
from nmfaudio.factorisation.structures import STRUCTURES

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "METHODS.md").read_text()


def test_every_name_is_public():
    named = set(re.findall(r"\bna\.(\w+)", TEXT))
    assert named <= set(na.__all__), named - set(na.__all__)


def test_every_file_is_there():
    named = set(re.findall(r"\b(?:tests|benchmarks|examples)/[\w/]+\.\w+", TEXT))
    assert len(named) > 10
    assert all((ROOT / path).is_file() for path in named)


def test_every_solver_structure_and_penalty_is_listed():
    assert all(f'"{name}"' in TEXT for name in SOLVERS)
    assert all(
        f"na.structures.{s.__name__}" in TEXT for s in STRUCTURES.values() if s.name != "product"
    )
    costs = [n for n in penalties.__all__ if hasattr(getattr(penalties, n), "majorize")]
    assert all(f"na.penalties.{name}" in TEXT for name in costs if name not in ("L2", "Penalty"))
