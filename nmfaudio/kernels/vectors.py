"""Blocks of vector registers for Numba kernels: load, multiply into, compute with, store.

LLVM makes vector code of plain loops, but keeps few of their intermediate results in registers.
A `Tile` is a value of compiled code that stands for a whole block of registers, rows × vectors, so
that a kernel says what stays there: a tile of the model is summed over the components, turned into
ratios and stored without having been in memory. Its shape is part of its type (see `Shape`), and
each operation below becomes straight vector instructions.

Arrays are C-contiguous; no index is checked. The shapes that the kernels use are chosen for the
registers that this machine has.
"""

from __future__ import annotations

import inspect
import platform
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numba
from llvmlite import ir
from numba import types
from numba.core.codegen import get_host_cpu_features
from numba.core.errors import TypingError
from numba.core.imputils import lower_constant
from numba.extending import (
    NativeValue,
    intrinsic,
    models,
    register_model,
    typeof_impl,
    unbox,
)

from nmfaudio.kernels.lanes import Lanes

I64 = ir.IntType(64)


def _features() -> set[str]:
    """What Numba compiles for."""
    told = numba.config.CPU_FEATURES  # type: ignore[attr-defined]
    return set((get_host_cpu_features() if told is None else told).split(","))


def _machine() -> tuple[int, int]:
    """Bytes in a vector register, and how many of those there are."""
    if "+avx512f" in _features():
        return 64, 32
    if "+avx2" in _features():
        return 32, 16
    return 16, 16 if X86 else 32


X86 = platform.machine().lower() in ("x86_64", "amd64")
REGISTER, COUNT = _machine()
# Without such instructions each fused multiply-add would be a call of a slow function.
FUSED = not X86 or "+fma" in _features()


@dataclass(frozen=True)
class Shape:
    """Rows of so many vectors each, which fill `size` bytes."""

    rows: int
    vectors: int
    size: int = REGISTER


# Frequencies run along the vectors of the first four, components along those of the last two, which
# are half as long where registers are longest: few decompositions have many times 16 components.
PANEL = min(REGISTER, 32)  # bytes
WIDE = Shape(6, 4 if COUNT == 32 else 2)
THIN = Shape(6, 1)
WIDE_ROWS = Shape(4, WIDE.vectors)
THIN_ROWS = Shape(4, 1)
DEEP = Shape(6, WIDE.vectors, PANEL)
FLAT = Shape(12, 1, PANEL)


def operation(function: Callable[..., Any]) -> Any:
    """Compiled code by hand: `function` turns Numba's types into a signature and a generator."""
    return intrinsic(function)


class Choice(types.Type):
    """The type of a value that is settled when a kernel is compiled: a `Shape`, for instance."""

    def __init__(self, value: Any) -> None:
        self.value = value
        super().__init__(name=f"Choice({value!r})")


def choosable(kind: type) -> None:
    """Let kernels take values of a Python class, each as a `Choice`, and compile for each value.

    Values with the same representation must be the same.
    """

    @typeof_impl.register(kind)
    def _typeof(value: Any, context: Any) -> Choice:
        return Choice(value)


register_model(Choice)(models.OpaqueModel)
choosable(Shape)


@lower_constant(Choice)
def _constant(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    return context.get_dummy_value()


@unbox(Choice)
def _unbox(kind: Any, value: Any, context: Any) -> NativeValue:
    return NativeValue(context.context.get_dummy_value())


class Tile(types.Type):
    """A block of vectors of float32 or float64."""

    def __init__(self, dtype: types.Float, shape: Shape) -> None:
        self.dtype, self.shape = dtype, shape
        self.lanes = shape.size * 8 // dtype.bitwidth
        self.scalar = ir.FloatType() if dtype.bitwidth == 32 else ir.DoubleType()
        self.vector = ir.VectorType(self.scalar, self.lanes)
        self.count = shape.rows * shape.vectors
        self.block = ir.ArrayType(self.vector, self.count)
        super().__init__(name=f"Tile({dtype}, {shape})")


@register_model(Tile)
class _TileModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Tile) -> None:
        super().__init__(manager, kind, kind.block)


class _Array:
    """Addresses within a C-contiguous array of two dimensions."""

    def __init__(self, context: Any, builder: Any, kind: types.Array, value: Any) -> None:
        array = context.make_array(kind)(context, builder, value)
        self.builder, self.data = builder, array.data
        self.columns = builder.extract_value(array.shape, kind.ndim - 1)

    def at(self, row: Any, column: Any) -> Any:
        offset = self.builder.add(self.builder.mul(row, self.columns), column)
        return self.builder.gep(self.data, [offset])

    def vector(self, tile: Tile, row: Any, column: Any, n: int = 0) -> Any:
        """Address of the n-th vector that begins there."""
        start = self.builder.gep(self.at(row, column), [I64(n * tile.lanes)])
        return self.builder.bitcast(start, tile.vector.as_pointer())


def _require(condition: bool) -> None:
    if not condition:
        raise TypingError("tiles need C-contiguous matrices and a constant Shape")


def _is_matrix(kind: Any) -> bool:
    return isinstance(kind, types.Array) and kind.ndim == 2 and kind.layout == "C"


def _align(tile: Tile) -> int:
    return tile.dtype.bitwidth // 8


@operation
def zeros(context: Any, shape: Any, like: Any) -> Any:
    """A tile of zeros of the dtype of an array."""
    _require(isinstance(shape, Choice))
    tile = Tile(like.dtype, shape.value)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return ir.Constant(tile.block, None)

    return tile(shape, like), generate


@operation
def width(context: Any, shape: Any, like: Any) -> Any:
    """How many columns a tile of that shape has."""
    _require(isinstance(shape, Choice))
    columns = shape.value.vectors * Tile(like.dtype, shape.value).lanes

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return I64(columns)

    return types.int64(shape, like), generate


@operation
def load(context: Any, shape: Any, A: Any, i: Any, j: Any) -> Any:
    """The tile whose first entry is ``A[i, j]``."""
    _require(isinstance(shape, Choice) and _is_matrix(A))
    tile = Tile(A.dtype, shape.value)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, array, i, j = arguments
        source, out = _Array(context, builder, A, array), ir.Constant(tile.block, ir.Undefined)
        for r in range(shape.value.rows):
            row = builder.add(i, I64(r))
            for v in range(shape.value.vectors):
                address = source.vector(tile, row, j, v)
                loaded = builder.load(address, align=_align(tile), typ=tile.vector)
                out = builder.insert_value(out, loaded, r * shape.value.vectors + v)
        return out

    return tile(shape, A, types.int64, types.int64), generate


@operation
def store(context: Any, tile: Any, A: Any, i: Any, j: Any) -> Any:
    """Write the tile to A, its first entry to ``A[i, j]``."""
    _require(isinstance(tile, Tile) and _is_matrix(A))

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        block, array, i, j = arguments
        target = _Array(context, builder, A, array)
        for r in range(tile.shape.rows):
            row = builder.add(i, I64(r))
            for v in range(tile.shape.vectors):
                vector = builder.extract_value(block, r * tile.shape.vectors + v)
                builder.store(vector, target.vector(tile, row, j, v), align=_align(tile))
        return context.get_dummy_value()

    return types.void(tile, A, types.int64, types.int64), generate


def _rank_one(turned: bool) -> Callable[..., Any]:
    def add(context: Any, tile: Any, A: Any, i: Any, k: Any, B: Any, n: Any, j: Any) -> Any:
        _require(isinstance(tile, Tile) and _is_matrix(A) and A.dtype == tile.dtype)

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            block, a, i, k, b, n, j = arguments
            left, right = _Array(context, builder, A, a), _Array(context, builder, B, b)
            places = [right.vector(tile, n, j, v) for v in range(tile.shape.vectors)]
            vectors = [builder.load(p, align=_align(tile), typ=tile.vector) for p in places]
            fma = Lanes.intrinsic(builder, "llvm.fma", tile.vector, 3)
            for r in range(tile.shape.rows):
                place = (
                    left.at(i, builder.add(k, I64(r)))
                    if turned
                    else left.at(builder.add(i, I64(r)), k)
                )
                factor = Lanes.splat(builder, builder.load(place, typ=tile.scalar), tile.vector)
                for v, vector in enumerate(vectors):
                    at = r * tile.shape.vectors + v
                    total = builder.call(fma, [factor, vector, builder.extract_value(block, at)])
                    block = builder.insert_value(block, total, at)
            return block

        index = types.int64
        return tile(tile, A, index, index, B, index, index), generate

    return add


# tile[r, c] + A[i + r, k] · B[n, j + c]
add_outer = operation(_rank_one(turned=False))
# tile[r, c] + A[i, k + r] · B[n, j + c]
add_outer_turned = operation(_rank_one(turned=True))


def elementwise(function: Callable[..., Any]) -> Any:
    """Make a function of `Lanes` into an operation on tiles.

    Scalars are spread over the lanes. A `Choice` is passed as its value.
    """

    def typer(context: Any, *kinds: Any) -> Any:
        tile = next(kind for kind in kinds if isinstance(kind, Tile))

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            def operand(kind: Any, value: Any, n: int) -> Any:
                if isinstance(kind, Choice):
                    return kind.value
                vector = builder.extract_value(value, n) if isinstance(kind, Tile) else value
                return Lanes(builder, vector)

            out = ir.Constant(tile.block, ir.Undefined)
            spread = [
                a if isinstance(k, Tile | Choice) else Lanes.splat(builder, a, tile.vector)
                for k, a in zip(kinds, arguments, strict=True)
            ]
            for n in range(tile.count):
                operands = [operand(k, v, n) for k, v in zip(kinds, spread, strict=True)]
                out = builder.insert_value(out, function(*operands).value, n)
            return out

        taken = (k if isinstance(k, Tile | Choice) else tile.dtype for k in kinds)
        return tile(*taken), generate

    # Numba reads from the signature how many arguments there are.
    typer.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD),
            *inspect.signature(function).parameters.values(),
        ]
    )
    typer.__name__ = function.__name__
    return operation(typer)


@operation
def total(context: Any, tile: Any) -> Any:
    """The sum of all entries in double precision."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        parts = [builder.extract_value(arguments[0], n) for n in range(tile.count)]
        while len(parts) > 1:
            pairs = [builder.fadd(a, b) for a, b in zip(parts[::2], parts[1::2], strict=False)]
            parts = pairs + parts[len(pairs) * 2 :]
        wide = ir.VectorType(ir.DoubleType(), tile.lanes)
        sums = parts[0] if tile.vector == wide else builder.fpext(parts[0], wide)
        out = ir.Constant(ir.DoubleType(), 0.0)
        for lane in range(tile.lanes):
            out = builder.fadd(out, builder.extract_element(sums, I64(lane)))
        return out

    return types.float64(tile), generate
