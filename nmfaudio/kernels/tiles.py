"""Types of compiled code: tiles of vector registers, views of matrices, and constants.

`vectors` has the operations on them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
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

from nmfaudio.kernels.machine import REGISTER_BYTES

I64 = ir.IntType(64)


@dataclass(frozen=True)
class Shape:
    """Shape of a tile: `rows` rows of `vectors` vectors of `size` bytes each."""

    rows: int
    vectors: int
    size: int = REGISTER_BYTES


@dataclass(frozen=True)
class Columns:
    """Number of columns that a matrix has in every call, see `with_columns`."""

    count: int


def operation(function: Callable[..., Any]) -> Any:
    """Make a Numba intrinsic: `function` maps types to a signature and a code generator."""
    return intrinsic(function)


class StaticValue(types.Type):
    """Numba type of a value fixed at compile time, such as a `Shape` or a `Formula`."""

    def __init__(self, value: Any) -> None:
        self.value = value
        super().__init__(name=f"StaticValue({value!r})")


def register_static(kind: type) -> None:
    """Let kernels take values of class `kind`, with a separate compilation for each value.

    Values with the same `repr` must be the same.
    """

    @typeof_impl.register(kind)
    def _typeof(value: Any, context: Any) -> StaticValue:
        return StaticValue(value)


register_model(StaticValue)(models.OpaqueModel)
register_static(Shape)
register_static(Columns)


@lower_constant(StaticValue)
def _constant(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    return context.get_dummy_value()


@unbox(StaticValue)
def _unbox(kind: Any, value: Any, context: Any) -> NativeValue:
    return NativeValue(context.context.get_dummy_value())


class Tile(types.Type):
    """Numba type of a block of vectors of float32 or float64."""

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


class View(types.Type):
    """Numba type of a C-contiguous matrix in memory that something else keeps alive.

    Unlike arrays, views are passed on without counting references, which are atomic operations.
    `columns` is None where their number is not known at compile time.
    """

    def __init__(self, dtype: types.Number, columns: int | None) -> None:
        self.dtype, self.columns = dtype, columns
        super().__init__(name=f"View({dtype}, {columns})")


@register_model(View)
class _ViewModel(models.StructModel):
    def __init__(self, manager: Any, kind: View) -> None:
        members = [("data", types.CPointer(kind.dtype)), ("columns", types.int64)]
        super().__init__(manager, kind, members)


class Matrix:
    """Addresses within an array or a view."""

    def __init__(self, context: Any, builder: Any, kind: Any, value: Any) -> None:
        self.builder = builder
        if isinstance(kind, View):
            view = cgutils.create_struct_proxy(kind)(context, builder, value)
            self.data = view.data
            self.columns = view.columns if kind.columns is None else I64(kind.columns)
            return
        array = context.make_array(kind)(context, builder, value)
        self.data = array.data
        self.columns = builder.extract_value(array.shape, kind.ndim - 1)

    def at(self, row: Any, column: Any) -> Any:
        """Address of an entry."""
        offset = self.builder.add(self.builder.mul(row, self.columns), column)
        return self.builder.gep(self.data, [offset])

    def vector(self, tile: Tile, row: Any, column: Any, n: int = 0) -> Any:
        """Address of the n-th vector from an entry on."""
        address = self.builder.gep(self.at(row, column), [I64(n * tile.lanes)])
        return self.builder.bitcast(address, tile.vector.as_pointer())


def require(condition: bool) -> None:
    """Raise Numba's typing error, unless the arguments are those of an operation."""
    if not condition:
        raise TypingError("tiles need C-contiguous matrices and a constant Shape")


def is_matrix(kind: Any) -> bool:
    """Return whether a type is that of a C-contiguous matrix."""
    if isinstance(kind, View):
        return True
    return isinstance(kind, types.Array) and kind.ndim == 2 and kind.layout == "C"


def alignment(tile: Tile) -> int:
    """Alignment in bytes that a load may assume: rows of V need not begin at a vector."""
    return tile.dtype.bitwidth // 8
