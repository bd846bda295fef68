"""How every loop of this package is compiled."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
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


# Kernels call each other across files, and Numba looks only at the file of the one it loads: so
# kept machine code is valid while no file of this package has changed.
STAMP = tuple(
    (path.name, path.stat().st_mtime, path.stat().st_size)
    for path in sorted(Path(__file__).parent.glob("*.py"))
)


def kernel(function: F) -> F:
    """Compile on first use, for float32 and float64 as they come, and keep the machine code."""
    try:
        compiled: Any = numba.njit(cache=True, **OPTIONS)(function)
        compiled._cache._cache_file._source_stamp = STAMP
    except RuntimeError:  # neither the package's folder nor the user's cache can be written
        compiled = numba.njit(**OPTIONS)(function)
    return compiled  # type: ignore[no-any-return]
