"""Comparisons that the laws share, and the law that no objective rises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nmfaudio.errors import ParameterError
from nmfaudio.factorisation.divergences import Beta, Divergence
from nmfaudio.factorisation.engine import decompose
from nmfaudio.factorisation.factors import Factor
from nmfaudio.factorisation.structures import Structure

TOLERANCE: dict[np.dtype, float] = {np.dtype(np.float32): 1e-5, np.dtype(np.float64): 1e-10}
"""Relative errors that count as rounding."""

BETAS = (0.0, 1.0, 2.0)
"""Divergences under which structures and penalties must not raise the objective."""


def require(holds: bool, label: str, law: str) -> None:
    """Raise a `ParameterError` with the law unless it holds.

    Parameters
    ----------
    holds : bool
        Whether it does.
    label : str
        Class and method.
    law : str
        What is violated, and by how much.
    """
    if not holds:
        raise ParameterError(f"{label} {law}")


def require_close(
    got: Any, want: Any, label: str, law: str, *, size: float | None = None, rtol: float = 1e-10
) -> None:
    """Raise a `ParameterError` unless values agree up to rounding.

    Parameters
    ----------
    got, want : array_like
        Values to compare.
    label, law : str
        As in `require`; the largest difference is added.
    size : float, optional
        Size that errors are relative to. Default: the largest of `want`.
    rtol : float
        Largest relative error.
    """
    shapes = np.shape(got), np.shape(want)
    require(shapes[0] == shapes[1] or () in shapes, label, f"{law}: {shapes[0]}, not {shapes[1]}")
    error = float(np.max(np.abs(np.subtract(got, want)), initial=0.0))
    scale = float(np.max(np.abs(want), initial=0.0)) if size is None else size
    require(
        error <= rtol * (scale or 1.0),
        label,
        f"{law}: off by {error:.3g}, at values of about {scale:.3g}",
    )


def require_descent(
    V: np.ndarray,
    factors: Sequence[Factor],
    label: str,
    *,
    structure: Structure | None = None,
    divergence: Divergence | None = None,
) -> None:
    """Raise a `ParameterError` if multiplicative updates raise the objective.

    Parameters
    ----------
    V : np.ndarray [shape=(…, freq, time)]
        Data.
    factors : sequence of Factor
        Initial factors and penalties.
    label : str
        Class, for the message.
    structure, divergence : optional
        As in `decompose`.
    """
    for chosen in map(Beta, BETAS) if divergence is None else (divergence,):
        losses = decompose(
            V,
            factors,
            structure=structure,
            divergence=chosen,
            solver="mu",
            max_iter=8,
            tol=0,
            check_every=1,
        ).losses
        rises = np.diff(losses)
        slack = TOLERANCE[V.dtype] * np.abs(losses[:-1])
        worst = int(np.argmax(rises - slack))
        require(
            bool((rises <= slack).all()),
            label,
            f"raised the objective under {chosen}: from {losses[worst]:.6g} to "
            f"{losses[worst + 1]:.6g} in iteration {worst + 1}",
        )
