"""How every loop of this package is compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba

F = TypeVar("F", bound=Callable[..., Any])

OPTIONS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    # Sums may be reordered for vector units and multiplies fused into adds; NaN and infinity keep
    # their meaning, which "fast" would take away.
    "fastmath": {"reassoc", "contract", "nsz", "arcp"},
}


def kernel(function: F) -> F:
    """Compile on first use, for float32 and float64 as they come, and keep the machine code."""
    try:
        compiled: F = numba.njit(cache=True, **OPTIONS)(function)
    except RuntimeError:  # neither the package's folder nor the user's cache can be written
        compiled = numba.njit(**OPTIONS)(function)
    return compiled
