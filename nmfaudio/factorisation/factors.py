"""Factors of a decomposition: initial values, free entries, penalties and norms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from nmfaudio._common.validation import shown
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
        Initial values: a non-negative array, or a function of (V, weights, rng) that returns one
        (weights may be None), as in `nmfaudio.factorisation.initialisation`.
    free : bool or np.ndarray
        Entries that are updated: True or False for all, or booleans that broadcast to the shape of
        the factor, e.g. one per component. Fixed entries are returned bitwise unchanged. A factor
        with support S is ``Factor(H * S, free=S)``. (Multiplicative updates keep exact zeros in any
        case; other solvers need not.)
    penalties : sequence of Penalty
        Penalties on this factor, which are added to the objective.
    unit : None, "l1" or "l2"
        Norm of each component, 1 in the result. Penalties on the other factors then apply to the
        normalised model, so that moving scale into this factor does not lower them. Requires an
        entirely free factor without penalties.
    name : str
        Name of the factor in error messages.

    Raises
    ------
    ParameterError
        `penalties` is no sequence, or `unit` is unknown or does not apply.

    References
    ----------
    J. Le Roux, J. R. Hershey and F. Weninger, "Sparse NMF – half-baked or well done?", Mitsubishi
    Electric Research Laboratories, TR2015-023, 2015.

    A. Marmin, J. H. de M. Goulart and C. Févotte, "Majorization-minimization for sparse nonnegative
    matrix factorization with the β-divergence", IEEE Transactions on Signal Processing 71, 2023,
    doi:10.1109/TSP.2023.3296035.

    Examples
    --------
    A fixed dictionary and sparse activations:

    >>> import numpy as np, nmfaudio as na
    >>> rng = np.random.default_rng(0)
    >>> W = na.Factor(rng.random((20, 3)), free=False, name="W")
    >>> H = na.Factor(rng.random((3, 30)), penalties=(na.penalties.L1(0.1),), name="H")
    >>> d = na.decompose(rng.random((20, 30)), [W, H])
    """

    initial: np.ndarray | Start
    free: bool | np.ndarray = True
    penalties: Sequence[Penalty] = ()
    unit: Literal["l1", "l2"] | None = None
    name: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        penalties: Any = self.penalties
        if isinstance(penalties, str) or not isinstance(penalties, Sequence):
            raise ParameterError(
                f"penalties is {shown(penalties)}; it must be a sequence of penalties, e.g. "
                "(L1(0.1),)"
            )
        object.__setattr__(self, "penalties", tuple(penalties))
        for penalty in self.penalties:
            if isinstance(penalty, type) or not hasattr(penalty, "majorize"):
                raise ParameterError(
                    f"a penalty is {shown(penalty)}; it must be an instance of a Penalty, e.g. "
                    "nmfaudio.penalties.L1(0.1)"
                )
        if self.unit not in (None, "l1", "l2"):
            raise ParameterError(f"unit is {self.unit!r}; it must be None, 'l1' or 'l2'")
        if self.unit and (self.free is not True or self.penalties):
            raise ParameterError(
                f"unit={self.unit!r} needs an entirely free factor without penalties; "
                "leave free=True and put the penalties on another factor"
            )

    def begin(
        self, V: np.ndarray, weights: np.ndarray | None, rng: np.random.Generator
    ) -> np.ndarray:
        """Create the initial array of the factor.

        Parameters
        ----------
        V : np.ndarray [shape=(…, freq, time)]
            Data; its dtype is that of the result.
        weights : np.ndarray [shape=(…, freq, time)] or None
            Weights of the bins.
        rng : np.random.Generator
            Source of random initial values.

        Returns
        -------
        np.ndarray
            A new array, finite and non-negative.

        Raises
        ------
        ParameterError
            The initial values are not real numbers, empty, negative or not finite.
        """
        values = np.asarray(
            self.initial(V, weights, rng) if callable(self.initial) else self.initial
        )
        label = self.name or "a factor"
        if values.dtype.kind not in "fiu":
            raise ParameterError(f"{label} has dtype {values.dtype}; it must be real numbers")
        F = np.array(values, dtype=V.dtype)
        if F.size == 0:
            raise ParameterError(f"{label} has shape {F.shape}; it must not be empty")
        if not np.isfinite(F).all() or (F < 0).any():
            raise ParameterError(
                f"{label} has values from {F.min()} to {F.max()}; all must be finite and ≥ 0"
            )
        return F

    def movable(self, shape: tuple[int, ...]) -> bool | np.ndarray:
        """Return `free` for a factor of this shape.

        Parameters
        ----------
        shape : tuple of int
            Shape of the factor.

        Returns
        -------
        bool or np.ndarray
            True, False, or booleans of that shape.

        Raises
        ------
        ParameterError
            `free` is not boolean or does not broadcast to the shape.
        """
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
