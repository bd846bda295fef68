"""What every separator shares: options that become flags, the contract, and the look-up by name."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, cast

from nmfaudio.errors import ParameterError
from nmfaudio.separators import SEPARATORS

if TYPE_CHECKING:
    import numpy as np

    from nmfaudio.factorisation.engine import Progress
    from nmfaudio.stems.stems import Stems


class Separator(Protocol):
    """A frozen dataclass of settings that can be called on audio."""

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]
    usage_examples: ClassVar[tuple[str, ...]]

    def __call__(
        self,
        y: np.ndarray,
        sr: int,
        *,
        rng: int | np.random.Generator | None = 0,
        callback: Callable[[Progress], bool | None] | None = None,
    ) -> Stems:
        """Take audio apart.

        Parameters
        ----------
        y : np.ndarray [shape=(channel, sample)]
            The mixture; never written to.
        sr : int
            Sample rate in Hz.
        rng : int, np.random.Generator or None
            Where chance comes from; the same seed gives the same bytes.
        callback : callable, optional
            Called with a `Progress` now and then; True stops the iterations.

        Returns
        -------
        Stems
        """
        ...

    def memory(self, y: np.ndarray, sr: int) -> int:
        """About how many bytes the call needs at the peak, `y` and this process included."""
        ...


def load_separator(name: str) -> type[Any]:
    """Import the class that `SEPARATORS` lists under a name.

    Parameters
    ----------
    name : str
        A key of `SEPARATORS`.

    Returns
    -------
    type
        The separator's class.

    Raises
    ------
    ParameterError
        No separator bears this name.
    """
    if name not in SEPARATORS:
        known = ", ".join(SEPARATORS)
        raise ParameterError(f"no separator is called {name!r}; there are: {known}")
    module, _, attribute = SEPARATORS[name][0].partition(":")
    return cast("type[Any]", getattr(importlib.import_module(module), attribute))
