"""Public docstrings are complete: parameters, returns, examples, by numpydoc's own rules."""

import inspect

import pytest
from numpydoc.validate import validate

import nmfaudio as na

NAMESPACES = [name for name in na.__all__ if inspect.ismodule(getattr(na, name))]
# GL08 no docstring; PR01-PR04 parameters missing, unknown, in another order, without a type;
# RT01, RT03 what is returned; EX01 no example.
RULES = {"GL08", "PR01", "PR02", "PR03", "PR04", "RT01", "RT03"}


def public_names():
    """Import paths of every public class and function, each once."""
    seen = set()
    for prefix, names in [("", na.__all__)] + [(n, getattr(na, n).__all__) for n in NAMESPACES]:
        for name in names:
            path = ".".join(filter(None, ("nmfaudio", prefix, name)))
            item = getattr(getattr(na, prefix) if prefix else na, name)
            if (inspect.isclass(item) or inspect.isfunction(item)) and id(item) not in seen:
                seen.add(id(item))
                yield path, item


ITEMS = dict(public_names())
MEMBERS = [
    f"{path}.{name}"
    for path, item in ITEMS.items()
    if inspect.isclass(item)
    for name, member in vars(item).items()
    if not name.startswith("_")
    and (inspect.isfunction(member) or isinstance(member, (property, classmethod, staticmethod)))
]


def faults(path, rules):
    return [f"{code}: {text}" for code, text in validate(path)["errors"] if code in rules]


@pytest.mark.parametrize("path", ITEMS)
def test_public_classes_and_functions(path):
    item = ITEMS[path]
    rules = RULES if issubclass_of_error(item) else RULES | {"EX01"}
    if getattr(item, "_is_protocol", False):
        rules = rules - {"PR01"}  # typing gives protocols an __init__(*args, **kwargs)
    assert faults(path, rules) == []


@pytest.mark.parametrize("path", MEMBERS)
def test_public_methods(path):
    assert faults(path, RULES - {"RT03"}) == []


def issubclass_of_error(item):
    """Whether an example would show nothing: errors, warnings and protocols."""
    return inspect.isclass(item) and (
        issubclass(item, (Exception, Warning)) or getattr(item, "_is_protocol", False)
    )
