"""Plain English in the code: docstrings open with a noun or a verb, no banned names."""

import ast
import re

import house
import pytest

OPENING = re.compile(r"(What|How|Where|Which|When|Whether|Why|Who|That|Those)\b")
BANNED = {"heard", "said", "held", "given", "asked", "wanted", "mine", "some", "there", "room"}
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


def docstrings(tree):
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, *FUNCTION)) and ast.get_docstring(node):
            yield getattr(node, "lineno", 1), ast.get_docstring(node)


def names(tree):
    """Names that the module gives to something."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, (ast.ClassDef, *FUNCTION)):
            yield node.lineno, node.name


@pytest.mark.parametrize("module", house.modules())
def test_docstrings_and_names(module):
    tree = ast.parse(house.modules()[module].read_text())
    found = [f"line {line}: {doc[:40]!r}" for line, doc in docstrings(tree) if OPENING.match(doc)]
    found += [f"line {line}: {name}" for line, name in names(tree) if name.strip("_") in BANNED]
    assert found == []
