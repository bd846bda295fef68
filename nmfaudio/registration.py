"""Registration of classes that saved files name."""

from __future__ import annotations

from typing import TypeVar

from nmfaudio._public import public
from nmfaudio.audio.transforms import TRANSFORMS
from nmfaudio.errors import ParameterError
from nmfaudio.factorisation.divergences import DIVERGENCES
from nmfaudio.factorisation.structures import STRUCTURES

C = TypeVar("C", bound=type)


@public
def register(definition: C) -> C:
    """Register a structure, divergence or transform, so that files can be saved and loaded with it.

    A file holds the name of the class and the fields of the instance as JSON, never code: whoever
    loads it must first import the module that defines the class.

    Parameters
    ----------
    definition : type
        Class with a name of its own: ``name`` of a structure or divergence, ``kind`` of a
        transform. If it has parameters, they are fields of a dataclass: numbers, strings, booleans.

    Returns
    -------
    type
        The class itself, so that `register` is a decorator.

    Raises
    ------
    ParameterError
        It is neither a structure, a divergence nor a transform, has no name of its own, or another
        class has that name.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> @na.register
    ... class Reversed(na.structures.Product):
    ...     name = "example-reversed"
    >>> na.check_structure(Reversed(), [(9, 3), (3, 12)])
    """
    for registry in (STRUCTURES, DIVERGENCES, TRANSFORMS):
        if isinstance(definition, type) and registry.accepts(definition):
            return registry.add(definition)
    raise ParameterError(
        f"{definition!r} cannot be registered; it must be a class with the members of a Structure, "
        "a Divergence or a Transform"
    )
