"""Arithmetic on one vector register, written as formulas.

`Lanes` wraps a vector of LLVM's and gives it Python's operators; the functions below are the
elementary functions that processors lack, from textbook series with reduced arguments. Logarithms
are right to the last bit or two, powers to as many as their exponent times logarithm has.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from llvmlite import ir


class Lanes:
    """A vector of float32 or float64 under construction in LLVM."""

    def __init__(self, builder: Any, value: Any) -> None:
        self.builder, self.value, self.type = builder, value, value.type
        self.single = isinstance(value.type.element, ir.FloatType)

    @staticmethod
    def splat(builder: Any, scalar: Any, vector: Any) -> Any:
        """The vector that holds a scalar in every lane."""
        nothing = ir.Constant(vector, ir.Undefined)
        one = builder.insert_element(nothing, scalar, ir.IntType(32)(0))
        everywhere = ir.Constant(ir.VectorType(ir.IntType(32), vector.count), [0] * vector.count)
        return builder.shuffle_vector(one, nothing, everywhere)

    @staticmethod
    def intrinsic(builder: Any, name: str, vector: Any, operands: int) -> Any:
        """LLVM's function of that name on vectors."""
        bits = 32 if isinstance(vector.element, ir.FloatType) else 64
        kind = ir.FunctionType(vector, [vector] * operands)
        full = f"{name}.v{vector.count}f{bits}"
        module = builder.module
        return module.globals.get(full) or ir.Function(module, kind, full)

    def constant(self, number: float) -> Lanes:
        return self._with(ir.Constant(self.type, [number] * self.type.count))

    def _with(self, value: Any) -> Lanes:
        return Lanes(self.builder, value)

    def _other(self, other: Lanes | float) -> Any:
        return other.value if isinstance(other, Lanes) else self.constant(other).value

    def __add__(self, other: Lanes | float) -> Lanes:
        return self._with(self.builder.fadd(self.value, self._other(other)))

    def __sub__(self, other: Lanes | float) -> Lanes:
        return self._with(self.builder.fsub(self.value, self._other(other)))

    def __mul__(self, other: Lanes | float) -> Lanes:
        return self._with(self.builder.fmul(self.value, self._other(other)))

    def __truediv__(self, other: Lanes | float) -> Lanes:
        return self._with(self.builder.fdiv(self.value, self._other(other)))

    def __rtruediv__(self, other: float) -> Lanes:
        return self.constant(other) / self

    __rmul__ = __mul__

    def call(self, name: str, *others: Lanes | float) -> Lanes:
        function = self.intrinsic(self.builder, name, self.type, 1 + len(others))
        operands = [self.value, *(self._other(other) for other in others)]
        return self._with(self.builder.call(function, operands))

    def times_plus(self, factor: Lanes | float, term: Lanes | float) -> Lanes:
        return self.call("llvm.fma", factor, term)

    def where(self, condition: Any, other: Lanes | float) -> Lanes:
        """Self where the condition holds, else the other."""
        return self._with(self.builder.select(condition, self.value, self._other(other)))

    def below(self, other: Lanes | float) -> Any:
        return self.builder.fcmp_ordered("<", self.value, self._other(other))

    # The bits of floating point numbers as integers: exponent times 2^fraction_bits, plus fraction.
    @property
    def fraction_bits(self) -> int:
        return 23 if self.single else 52

    @property
    def smallest(self) -> float:
        """The smallest normal number."""
        return 2.0**-126 if self.single else 2.0**-1022

    @property
    def largest_log(self) -> float:
        """Exponentials of numbers up to this, and of its negative, are normal numbers."""
        return 87.0 if self.single else 708.0

    def _integers(self) -> Any:
        return ir.VectorType(ir.IntType(32 if self.single else 64), self.type.count)

    def _integer(self, number: int) -> Any:
        return ir.Constant(self._integers(), [number] * self.type.count)

    def bits(self) -> Any:
        return self.builder.bitcast(self.value, self._integers())

    def times_two_to(self, exponent: Any) -> Lanes:
        """Times 2^exponent, with integers, where the result is a normal number."""
        shift = self.builder.shl(exponent, self._integer(self.fraction_bits))
        return self._with(self.builder.bitcast(self.builder.add(self.bits(), shift), self.type))


def square_root(x: Lanes) -> Lanes:
    return x.call("llvm.sqrt")


def at_least(x: Lanes, low: Lanes | float) -> Lanes:
    return x.call("llvm.maxnum", low)


def at_most(x: Lanes, high: Lanes | float) -> Lanes:
    return x.call("llvm.minnum", high)


def magnitude(x: Lanes) -> Lanes:
    return x.call("llvm.fabs")


def polynomial(x: Lanes, coefficients: Sequence[float]) -> Lanes:
    """Horner's rule, the coefficient of the highest power first."""
    out = x.constant(coefficients[0])
    for coefficient in coefficients[1:]:
        out = out.times_plus(x, coefficient)
    return out


def log_ratio(v: Lanes, y: Lanes) -> Lanes:
    """The natural logarithm of v / y, accurate where they are close; finite for v = 0 < y.

    With y' = 2^e y near v, log(v / y) = e log 2 + 2 artanh((v − y') / (v + y')): a difference of
    close numbers is exact.
    """
    builder, v = v.builder, at_least(v, v.smallest)
    half = v._integer(1 << (v.fraction_bits - 1))
    distance = builder.add(builder.sub(v.bits(), y.bits()), half)
    exponent = builder.ashr(distance, v._integer(v.fraction_bits))
    near = y.times_two_to(exponent)
    s = (v - near) / (v + near)
    terms = 7 if v.single else 15
    series = polynomial(s * s, [2.0 / (2 * n + 1) for n in range(terms - 1, -1, -1)])
    whole = Lanes(builder, builder.sitofp(exponent, v.type))
    return s.times_plus(series, whole * math.log(2.0))


def exp_parts(x: Lanes) -> tuple[Any, Lanes]:
    """(n, q) with e^x = 2^n (1 + q), n an integer, for x within the exponents of the type."""
    limit = x.largest_log
    scaled = at_most(at_least(x, -limit), limit) * (1.0 / math.log(2.0))
    whole = scaled.call("llvm.rint")
    rest = (scaled - whole) * math.log(2.0)
    terms = 8 if x.single else 14
    series = polynomial(rest, [1.0 / math.factorial(n) for n in range(terms, 0, -1)])
    return x.builder.fptosi(whole.value, x._integers()), rest * series


def power(x: Lanes, exponent: Lanes) -> Lanes:
    """x^exponent for x > 0; infinite where it leaves the range."""
    log = exponent * log_ratio(x, x.constant(1.0))
    n, q = exp_parts(log)
    return (q + 1.0).times_two_to(n).where(log.below(x.largest_log), math.inf)


def exp_minus_one(x: Lanes) -> Lanes:
    n, q = exp_parts(x)
    zero = x.builder.icmp_signed("==", n, x._integer(0))
    return q.where(zero, (q + 1.0).times_two_to(n) - 1.0)
