"""Vector registers of the processor that Numba compiles for."""

from __future__ import annotations

import platform

import numba
from numba.core.codegen import get_host_cpu_features


def _features() -> set[str]:
    """Processor features that Numba compiles for, such as ``"+avx2"``."""
    configured = numba.config.CPU_FEATURES  # type: ignore[attr-defined]
    return set((get_host_cpu_features() if configured is None else configured).split(","))


def _registers() -> tuple[int, int]:
    """Bytes of a vector register, and the number of registers."""
    if HAS_AVX512:
        return 64, 32
    if "+avx2" in _features():
        return 32, 16
    return 16, 16 if IS_X86 else 32


IS_X86 = platform.machine().lower() in ("x86_64", "amd64")
HAS_AVX512 = "+avx512f" in _features()
REGISTER_BYTES, N_REGISTERS = _registers()
# Without the instruction each fused multiply-add would be a call of a slow function.
HAS_FMA = not IS_X86 or "+fma" in _features()
