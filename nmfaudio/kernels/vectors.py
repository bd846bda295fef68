"""Tiles of vector registers for Numba kernels: load, multiply-add, compute, store.

LLVM turns plain loops into vector code, but keeps few of their intermediate results in registers.
A `Tile` is a value of compiled code that stands for a block of registers, rows × vectors, so that a
kernel states what stays there: a tile of the model is summed over the components, turned into
ratios and stored without having been in memory. Its shape is part of its type (see `Shape`), and
each operation below becomes straight vector instructions.

Arrays are C-contiguous; no index is checked. The shapes that the kernels use are chosen for the
registers of this machine.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from nmfaudio.kernels.lanes import Lanes
from nmfaudio.kernels.machine import N_REGISTERS
from nmfaudio.kernels.tiles import (
    I64,
    Matrix,
    Shape,
    StaticValue,
    Tile,
    View,
    alignment,
    is_matrix,
    operation,
    require,
)

# Tiles of the model (frame, freq), of HtA (component, freq) and of AWt (frame, component). Each
# leaves registers for the operands: with 32 registers 24 sums, 4 vectors and one repeated number.
# Multiply-adds take 4 cycles, and processors begin up to two per cycle: 8 sums keep them busy.
MANY = N_REGISTERS == 32
MODEL_WIDE = Shape(6, 4 if MANY else 2)
MODEL_NARROW = Shape(6, 1)
REST_WIDE, REST_NARROW = Shape(2, MODEL_WIDE.vectors), Shape(2, 1)
ROW_WIDE, ROW_NARROW = Shape(1, MODEL_WIDE.vectors), Shape(1, 1)
AWT_WIDE = Shape(12 if MANY else 6, 2)
AWT_NARROW = Shape(24 if MANY else 12, 1)


def _viewed(columns: int | None) -> Any:
    """Generator of a view of an array with a given number of columns."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        matrix = Matrix(context, builder, signature.args[-1], arguments[-1])
        out = cgutils.create_struct_proxy(signature.return_type)(context, builder)
        out.data = matrix.data
        out.columns = matrix.columns if columns is None else I64(columns)
        return out._getvalue()

    return generate


@operation
def view(context: Any, A: Any) -> Any:
    """View of an array, which must outlive it."""
    require(is_matrix(A))
    return View(A.dtype, None)(A), _viewed(None)


@operation
def view_as(context: Any, columns: Any, A: Any) -> Any:
    """View of the memory of an array with `columns` columns: `Columns`, or those of a `Shape`.

    Addresses of its entries differ by constants, which processors add for free, while other sums
    compete with multiply-adds.
    """
    require(isinstance(columns, StaticValue) and is_matrix(A))
    value = columns.value
    wide = isinstance(value, Shape)
    count = value.vectors * Tile(A.dtype, value).lanes if wide else value.count
    return View(A.dtype, count)(columns, A), _viewed(count)


@operation
def entry(context: Any, A: Any, i: Any, j: Any) -> Any:
    """``A[i, j]`` of a view."""
    require(isinstance(A, View))

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        matrix, i, j = arguments
        scalar = context.get_value_type(A.dtype)
        return builder.load(Matrix(context, builder, A, matrix).at(i, j), typ=scalar)

    return A.dtype(A, types.int64, types.int64), generate


@operation
def prefetch(context: Any, shape: Any, A: Any, i: Any, j: Any) -> Any:
    """Begin to load the tile whose first entry is ``A[i, j]`` into the second-level cache.

    It may lie outside A.
    """
    require(isinstance(shape, StaticValue) and is_matrix(A))
    tile = Tile(A.dtype, shape.value)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, array, i, j = arguments
        source, module = Matrix(context, builder, A, array), builder.module
        number, byte = ir.IntType(32), ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        name = "llvm.prefetch.p0"
        fetch = module.globals.get(name) or ir.Function(module, kind, name)
        for r in range(shape.value.rows):
            for v in range(shape.value.vectors):
                address = source.vector(tile, builder.add(i, I64(r)), j, v)
                # read, locality 2 of 0 … 3, data
                flags = [number(0), number(2), number(1)]
                builder.call(fetch, [builder.bitcast(address, byte), *flags])
        return context.get_dummy_value()

    return types.void(shape, A, types.int64, types.int64), generate


@operation
def zeros(context: Any, shape: Any, like: Any) -> Any:
    """Tile of zeros of the dtype of an array."""
    require(isinstance(shape, StaticValue))
    tile = Tile(like.dtype, shape.value)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return ir.Constant(tile.block, None)

    return tile(shape, like), generate


@operation
def width(context: Any, shape: Any, like: Any) -> Any:
    """Number of columns of a tile of a shape, for the dtype of an array."""
    require(isinstance(shape, StaticValue))
    columns = shape.value.vectors * Tile(like.dtype, shape.value).lanes

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return I64(columns)

    return types.int64(shape, like), generate


@operation
def load(context: Any, shape: Any, A: Any, i: Any, j: Any) -> Any:
    """Load the tile whose first entry is ``A[i, j]``."""
    require(isinstance(shape, StaticValue) and is_matrix(A))
    tile = Tile(A.dtype, shape.value)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, array, i, j = arguments
        source, out = Matrix(context, builder, A, array), ir.Constant(tile.block, ir.Undefined)
        for r in range(shape.value.rows):
            row = builder.add(i, I64(r))
            for v in range(shape.value.vectors):
                address = source.vector(tile, row, j, v)
                loaded = builder.load(address, align=alignment(tile), typ=tile.vector)
                out = builder.insert_value(out, loaded, r * shape.value.vectors + v)
        return out

    return tile(shape, A, types.int64, types.int64), generate


@operation
def store(context: Any, tile: Any, A: Any, i: Any, j: Any) -> Any:
    """Store a tile in A, its first entry at ``A[i, j]``."""
    require(isinstance(tile, Tile) and is_matrix(A))

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        block, array, i, j = arguments
        target = Matrix(context, builder, A, array)
        for r in range(tile.shape.rows):
            row = builder.add(i, I64(r))
            for v in range(tile.shape.vectors):
                vector = builder.extract_value(block, r * tile.shape.vectors + v)
                builder.store(vector, target.vector(tile, row, j, v), align=alignment(tile))
        return context.get_dummy_value()

    return types.void(tile, A, types.int64, types.int64), generate


def _rank_one(transposed: bool) -> Callable[..., Any]:
    """Typer and generator of a fused rank-one update of a tile."""

    def add(context: Any, tile: Any, A: Any, i: Any, k: Any, B: Any, n: Any, j: Any) -> Any:
        require(isinstance(tile, Tile) and is_matrix(A) and A.dtype == tile.dtype)

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            block, a, i, k, b, n, j = arguments
            left, right = Matrix(context, builder, A, a), Matrix(context, builder, B, b)
            addresses = [right.vector(tile, n, j, v) for v in range(tile.shape.vectors)]
            vectors = [builder.load(a, align=alignment(tile), typ=tile.vector) for a in addresses]
            fma = Lanes.intrinsic(builder, "llvm.fma", tile.vector, 3)
            for r in range(tile.shape.rows):
                address = (
                    left.at(i, builder.add(k, I64(r)))
                    if transposed
                    else left.at(builder.add(i, I64(r)), k)
                )
                factor = Lanes.splat(builder, builder.load(address, typ=tile.scalar), tile.vector)
                for v, vector in enumerate(vectors):
                    at = r * tile.shape.vectors + v
                    total = builder.call(fma, [factor, vector, builder.extract_value(block, at)])
                    block = builder.insert_value(block, total, at)
            return block

        index = types.int64
        return tile(tile, A, index, index, B, index, index), generate

    return add


# tile[r, c] + A[i + r, k] · B[n, j + c]
add_outer = operation(_rank_one(transposed=False))
# tile[r, c] + A[i, k + r] · B[n, j + c]
add_outer_transposed = operation(_rank_one(transposed=True))


def elementwise(function: Callable[..., Any]) -> Any:
    """Turn a function of `Lanes` into an operation on tiles, vector by vector.

    Scalars are repeated in all lanes. A `StaticValue` is passed as its value.
    """

    def typer(context: Any, *kinds: Any) -> Any:
        tile = next(kind for kind in kinds if isinstance(kind, Tile))

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            def operand(kind: Any, value: Any, n: int) -> Any:
                if isinstance(kind, StaticValue):
                    return kind.value
                vector = builder.extract_value(value, n) if isinstance(kind, Tile) else value
                return Lanes(builder, vector)

            out = ir.Constant(tile.block, ir.Undefined)
            values = [
                a if isinstance(k, Tile | StaticValue) else Lanes.splat(builder, a, tile.vector)
                for k, a in zip(kinds, arguments, strict=True)
            ]
            for n in range(tile.count):
                operands = [operand(k, v, n) for k, v in zip(kinds, values, strict=True)]
                out = builder.insert_value(out, function(*operands).value, n)
            return out

        argument_types = (k if isinstance(k, Tile | StaticValue) else tile.dtype for k in kinds)
        return tile(*argument_types), generate

    # Numba reads the number of arguments from the signature.
    typer.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD),
            *inspect.signature(function).parameters.values(),
        ]
    )
    typer.__name__ = function.__name__
    return operation(typer)


@operation
def sum_entries(context: Any, tile: Any) -> Any:
    """Sum of all entries of a tile, over its lanes in double precision."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        parts = [builder.extract_value(arguments[0], n) for n in range(tile.count)]
        while len(parts) > 1:  # pairwise: a fixed order with small rounding errors
            pairs = [builder.fadd(a, b) for a, b in zip(parts[::2], parts[1::2], strict=False)]
            parts = pairs + parts[len(pairs) * 2 :]
        wide = ir.VectorType(ir.DoubleType(), tile.lanes)
        sums = parts[0] if tile.vector == wide else builder.fpext(parts[0], wide)
        out = ir.Constant(ir.DoubleType(), 0.0)
        for lane in range(tile.lanes):
            out = builder.fadd(out, builder.extract_element(sums, I64(lane)))
        return out

    return types.float64(tile), generate
