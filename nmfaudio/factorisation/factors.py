"""A factor: where it starts, what in it may move, what it costs, what norm its components keep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from nmfaudio._public import public
from nmfaudio.errors import ParameterError
from nmfaudio.factorisation.penalties import Penalty

Start = Callable[[np.ndarray, np.ndarray | None, np.random.Generator], np.ndarray]


@public
@dataclass(frozen=True, eq=False)
class Factor:
    """One factor of a decomposition.

    Parameters
    ----------
    initial : np.ndarray or callable
        Initial value: a non-negative array, or a function of (V, weights, rng) that returns one
        (weights may be None), as in `nmfaudio.factorisation.initialisation`.
    free : bool or np.ndarray
        What may move: True or False for all of it, or booleans that broadcast to its shape, e.g.
        one per component. What is not free is returned exact to the bit. So a support S is
        ``Factor(H * S, free=S)``. (Multiplicative updates keep exact zeros in any case; other
        solvers need not.)
    penalties : tuple of Penalty
        What it costs.
    unit : None, "l1" or "l2"
        The norm each of its components is given in the result. Penalties on the other factors
        then mean the normalised model, which cannot dodge them by moving scale into this factor
        (Le Roux, Hershey & Weninger 2015; Marmin, Goulart & Févotte 2023,
        doi:10.1109/TSP.2023.3296035). Needs a wholly free factor without penalties of its own.
    name : str
        What messages call it.

    Examples
    --------
    >>> import numpy as np
    >>> dictionary = Factor(np.eye(3), free=False, name="W")
    """

    initial: np.ndarray | Start
    free: bool | np.ndarray = True
    penalties: tuple[Penalty, ...] = ()
    unit: Literal["l1", "l2"] | None = None
    name: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        if not isinstance(self.penalties, tuple):
            raise ParameterError(f"penalties is {self.penalties!r}; it must be a tuple of them")
        if self.unit not in (None, "l1", "l2"):
            raise ParameterError(f"unit is {self.unit!r}; it must be None, 'l1' or 'l2'")
        if self.unit and (self.free is not True or self.penalties):
            raise ParameterError(
                f"unit={self.unit!r} needs a wholly free factor without penalties of its own; "
                "leave free=True and put the penalties on the other factor"
            )

    def begin(
        self, V: np.ndarray, weights: np.ndarray | None, rng: np.random.Generator
    ) -> np.ndarray:
        """A fresh array in V's precision, checked to be finite and non-negative."""
        made = np.asarray(self.initial(V, weights, rng) if callable(self.initial) else self.initial)
        label = self.name or "a factor"
        if not (np.issubdtype(made.dtype, np.floating) or np.issubdtype(made.dtype, np.integer)):
            raise ParameterError(f"{label} has dtype {made.dtype}; it must be real numbers")
        F = np.array(made, dtype=V.dtype)
        if F.size == 0:
            raise ParameterError(f"{label} has shape {F.shape}; it must not be empty")
        if not np.isfinite(F).all() or (F < 0).any():
            raise ParameterError(
                f"{label} has values from {F.min()} to {F.max()}; all must be finite and ≥ 0"
            )
        return F

    def movable(self, shape: tuple[int, ...]) -> bool | np.ndarray:
        """`free` for a factor of this shape: True, False, or a boolean array of that shape."""
        free = np.asarray(self.free)
        label = self.name or "a factor"
        if free.dtype != bool:
            raise ParameterError(f"free of {label} has dtype {free.dtype}; it must be boolean")
        try:
            full = np.broadcast_to(free, shape)
        except ValueError:
            raise ParameterError(
                f"free of {label} has shape {free.shape}, which does not broadcast to {shape}"
            ) from None
        if full.all():
            return True
        return full if full.any() else False
