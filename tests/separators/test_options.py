"""A separator's fields are its options."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, replace

import pytest
from minimal import SETTINGS

from nmfaudio._common.options import documented, option, options
from nmfaudio.errors import ParameterError
from nmfaudio.separators import SEPARATORS
from nmfaudio.separators.base import load_separator


@dataclass(frozen=True)
class Recording:
    beta_loss: str = option("kl", "what a misfit costs", choices=("kl", "is"))
    sources: int = option(2, "how many", short="-s", metavar="N")
    hop: int | None = option(None, "default: a quarter of the window", parse=int)
    n_fft: int = option(4096, "the window", flag="--window")


def test_options_follow_the_fields():
    found = {o.name: o for o in options(Recording)}
    assert list(found) == ["beta_loss", "sources", "hop", "n_fft"]
    assert [o.flag for o in found.values()] == ["--beta-loss", "--sources", "--hop", "--window"]
    assert [o.short for o in found.values()] == [None, "-s", None, None]
    assert [o.default for o in found.values()] == ["kl", 2, None, 4096]
    assert [o.parse for o in found.values()] == [str, int, int, int]
    assert found["beta_loss"].choices == ("kl", "is")
    assert found["sources"].metavar == "N"


def test_the_class_stays_a_plain_dataclass():
    assert Recording() == Recording("kl", 2, None, 4096)
    assert replace(Recording(), sources=3).sources == 3


@pytest.mark.parametrize("name", SEPARATORS)
def test_each_registered_separator_can_be_made_from_its_defaults(name):
    kind, needed = load_separator(name), SETTINGS.get(name, {})
    assert kind(**needed) == kind(**{o.name: o.default for o in options(kind)} | needed)


@dataclass(frozen=True)
class Shared:
    hop: int = option(64, "shared")
    power: int = option(1, "shared too")


@dataclass(frozen=True)
class Own(Shared):
    hop: int = option(32, "another default")
    examples: tuple[str, ...] = option((), "NAME=FILE", many=True)
    score: str | None = option(None, "a score", suffixes=(".mid",), required=True)


def test_own_options_come_first():
    assert [o.name for o in options(Own)] == ["examples", "score", "hop", "power"]
    found = {o.name: o for o in options(Own)}
    assert found["hop"].default == 32
    assert (found["examples"].many, found["examples"].parse) == (True, str)
    assert (found["score"].suffixes, found["score"].required) == ((".mid",), True)


@documented
@dataclass(frozen=True, kw_only=True)
class Parent:
    """Parent."""

    hop: int = option(64, "shared")


@documented
@dataclass(frozen=True, kw_only=True)
class Child(Parent):
    """Child."""

    score: str = option("", "a score")


@dataclass(frozen=True, kw_only=True)
class Grandchild(Child):
    tempo: int = 3


def test_signature_and_docstring_list_the_fields_in_the_same_order():
    orders = [list(inspect.signature(kind).parameters) for kind in (Parent, Child, Grandchild)]
    assert orders == [["hop"], ["score", "hop"], ["hop", "score", "tempo"]]
    assert inspect.getdoc(Child).index("score : str") < inspect.getdoc(Child).index("hop : int")
    assert Child(hop=3, score="a") == Child(score="a", hop=3)


def test_an_unknown_separator_is_named():
    with pytest.raises(ParameterError, match=r"'vocals'; choose from separate"):
        load_separator("vocals")
