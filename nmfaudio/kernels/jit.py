"""Decorators that compile every kernel; `machine_code` caches the result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba

from nmfaudio.kernels.machine_code import KernelCache

F = TypeVar("F", bound=Callable[..., Any])

OPTIONS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    # Sums may be reordered for vector units, and multiplications fused with additions. NaN and
    # infinity keep their meaning, unlike with "fast".
    "fastmath": {"reassoc", "contract", "nsz", "arcp"},
}


def kernel(function: F) -> F:
    """Compile a function when it is called with new types, and cache the machine code."""
    return _compiled(function, OPTIONS)


def inlined_kernel(function: F) -> F:
    """Compile like `kernel`, and always inline the function into the kernels that call it.

    A kernel has a copy of each function that it calls, optimised once more together with it. In the
    process that compiles both, the first copy is called; where the kernel comes from the cache, the
    second. Sums that the optimiser may reorder can then differ in their last bits, unless the
    function is inlined.
    """
    return _compiled(function, OPTIONS | {"forceinline": True})


def _compiled(function: F, options: dict[str, Any]) -> F:
    compiled: Any = numba.njit(**options)(function)
    compiled._cache = KernelCache(function)
    return compiled  # type: ignore[no-any-return]
