"""Decorators that compile every kernel; `machine_code` caches the result.

Numba compiles each function completely, with its wrapper for Python, also where only other compiled
functions call it, and optimises it again in each of its callers. Here, a kernel that is called by
a kernel is translated to LLVM, and becomes machine code as a part of the one that Python calls.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from numba.core import sigutils
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import CPUDispatcher

from nmfaudio.kernels.machine_code import KernelCache

F = TypeVar("F", bound=Callable[..., Any])

OPTIONS: dict[str, Any] = {
    "nopython": True,
    "nogil": True,
    "boundscheck": None,  # as the environment variable of Numba says
    "error_model": "numpy",
    # Sums may be reordered for vector units, and multiplications fused with additions. NaN and
    # infinity keep their meaning, unlike with "fast".
    "fastmath": {"reassoc", "contract", "nsz", "arcp"},
    "no_cfunc_wrapper": True,  # for calls by pointer, which nothing makes
}


def kernel(function: F) -> F:
    """Compile a function when it is called with new types, and cache the machine code."""
    return _compiled(function, OPTIONS)


def inlined_kernel(function: F) -> F:
    """Compile like `kernel`, and always inline the function into the kernels that call it.

    A kernel has a copy of each function that it calls, optimised once more together with it. If
    several kernels of a process have copies, the first one is called, whichever was compiled or
    loaded first. Sums that the optimiser may reorder can then differ in their last bits, unless the
    function is inlined.
    """
    return _compiled(function, OPTIONS | {"forceinline": True})


def _compiled(function: F, options: dict[str, Any]) -> F:
    compiled: Any = _Kernel(py_func=function, targetoptions=options, pipeline_class=_Pipeline)
    compiled._cache = KernelCache(function)
    return compiled  # type: ignore[no-any-return]


_depth = 0  # number of kernels being compiled, each called by the one before


class _Kernel(CPUDispatcher):
    """Function that is compiled for Python or, if a kernel under compilation calls it, for that."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._parts: dict[Any, tuple[Any, Any]] = {}  # key and code by types of the arguments

    def compile(self, sig: Any) -> Any:
        """Machine code for Python, or the key of the code for calls by kernels."""
        global _depth
        with global_compiler_lock:
            types, result = sigutils.normalize_signature(sig)  # type: ignore[no-untyped-call]
            outer = _depth
            own: Any = self._parts if outer else self.overloads
            try:
                _depth = outer + 1
                if types not in own:
                    (self._compile_part if outer else self._compile_whole)(types, result)
            finally:  # also where Ctrl-C interrupts
                _depth = outer
            return own[types][0] if outer else own[types].entry_point

    def _compile_whole(self, types: tuple[Any, ...], result: Any) -> None:
        super().compile(types if result is None else result(*types))
        code: Any = self.overloads[types]
        for environment in code._find_referenced_environments():  # also of its parts
            code.codegen.set_env(environment.env_name, environment)

    def _compile_part(self, types: tuple[Any, ...], result: Any) -> None:
        with self._compiling_counter:  # by which Numba detects recursion
            code = self._compiler.compile(types, result)  # type: ignore[attr-defined]
        key = object()
        self._parts[types] = key, code
        self.targetctx.insert_user_function(key, code.fndesc, [code.library])  # type: ignore[no-untyped-call]

    def get_overload(self, sig: Any) -> object:  # type: ignore[override]
        """Key of the code for calls by kernels."""
        types, _ = sigutils.normalize_signature(sig)  # type: ignore[no-untyped-call]
        return self._parts[types][0]

    @property
    def nopython_signatures(self) -> list[Any]:
        """Signatures for calls by kernels."""
        return [code.signature for _, code in self._parts.values()]


class _Pipeline(Compiler):
    """Compiler that stops before machine code where a kernel calls the function."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)  # type: ignore[no-untyped-call]
        if _depth > 1:
            flags = self.state.flags
            flags.no_compile = flags.no_cpython_wrapper = True
            self.state.library = _Part(self.state.targetctx.codegen(), "part")  # type: ignore[no-untyped-call]


class _Part(JITCodeLibrary):
    """LLVM code that is only linked into other code."""

    def _optimize_final_module(self) -> None:
        # Loops in the innermost functions are vectorised best alone; all else is optimised once,
        # in the kernel that Python calls.
        if not any(isinstance(library, _Part) for library in self._linking_libraries):
            super()._optimize_final_module()  # type: ignore[no-untyped-call]

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()  # type: ignore[no-untyped-call]
        self._finalized = True
