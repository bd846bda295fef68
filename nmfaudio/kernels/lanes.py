"""Arithmetic on one vector register, with Python's operators.

`Lanes` wraps a vector value of LLVM; the functions below are the elementary functions that
processors lack, from textbook series with reduced arguments. Logarithms are accurate to the last
bit or two; the relative error of powers grows with their exponent times the logarithm.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from llvmlite import ir

from nmfaudio.kernels.machine import HAS_AVX512


class Lanes:
    """Vector of float32 or float64, as an LLVM value under construction."""

    def __init__(self, builder: Any, value: Any) -> None:
        self.builder, self.value, self.type = builder, value, value.type
        self.single = isinstance(value.type.element, ir.FloatType)

    @staticmethod
    def splat(builder: Any, scalar: Any, vector: Any) -> Any:
        """Vector with a scalar in every lane."""
        undefined = ir.Constant(vector, ir.Undefined)
        first_lane = builder.insert_element(undefined, scalar, ir.IntType(32)(0))
        lanes = ir.Constant(ir.VectorType(ir.IntType(32), vector.count), [0] * vector.count)
        return builder.shuffle_vector(first_lane, undefined, lanes)

    @staticmethod
    def intrinsic(builder: Any, name: str, vector: Any, operands: int) -> Any:
        """LLVM's intrinsic function of a name, such as ``llvm.fma``, on vectors."""
        bits = 32 if isinstance(vector.element, ir.FloatType) else 64
        kind = ir.FunctionType(vector, [vector] * operands)
        full = f"{name}.v{vector.count}f{bits}"
        module = builder.module
        return module.globals.get(full) or ir.Function(module, kind, full)

    def constant(self, number: float) -> Lanes:
        """Vector of this type with a number in every lane."""
        return self._with(ir.Constant(self.type, [number] * self.type.count))

    def _with(self, value: Any) -> Lanes:
        return Lanes(self.builder, value)

    def _operand(self, other: Lanes | float) -> Any:
        return other.value if isinstance(other, Lanes) else self.constant(other).value

    def __add__(self, other: Lanes | float) -> Lanes:
        return self._with(self.builder.fadd(self.value, self._operand(other)))

    def __sub__(self, other: Lanes | float) -> Lanes:
        return self._with(self.builder.fsub(self.value, self._operand(other)))

    def __mul__(self, other: Lanes | float) -> Lanes:
        return self._with(self.builder.fmul(self.value, self._operand(other)))

    def __neg__(self) -> Lanes:
        return self._with(self.builder.fneg(self.value))

    def __truediv__(self, other: Lanes | float) -> Lanes:
        divisor = self._with(self._operand(other))
        if not divisor._has_estimates():
            return self._with(self.builder.fdiv(self.value, divisor.value))
        # One Newton step for the quotient itself, which starts with 14 or 28 bits.
        inverse = divisor._estimate("rcp14")
        if not self.single:
            inverse = _refined(inverse, divisor)
        quotient = self * inverse
        return (-quotient).times_plus(divisor, self).times_plus(inverse, quotient)

    def __rtruediv__(self, other: float) -> Lanes:
        return self.constant(other) / self

    __rmul__ = __mul__

    def _has_estimates(self) -> bool:
        """Return whether the processor estimates reciprocals of such vectors."""
        return HAS_AVX512 and self.type.count * (4 if self.single else 8) == 64

    def _estimate(self, name: str) -> Lanes:
        """Result of an AVX-512 instruction, such as ``rcp14``, for all lanes."""
        mask = ir.IntType(self.type.count)
        kind = ir.FunctionType(self.type, [self.type, self.type, mask])
        full = f"llvm.x86.avx512.{name}.{'ps' if self.single else 'pd'}.512"
        module = self.builder.module
        function = module.globals.get(full) or ir.Function(module, kind, full)
        nothing, all_lanes = ir.Constant(self.type, None), ir.Constant(mask, -1)
        return self._with(self.builder.call(function, [self.value, nothing, all_lanes]))

    def call(self, name: str, *others: Lanes | float) -> Lanes:
        """Call LLVM's intrinsic function of that name on self and others."""
        function = self.intrinsic(self.builder, name, self.type, 1 + len(others))
        operands = [self.value, *(self._operand(other) for other in others)]
        return self._with(self.builder.call(function, operands))

    def times_plus(self, factor: Lanes | float, term: Lanes | float) -> Lanes:
        """``self · factor + term``, rounded once."""
        return self.call("llvm.fma", factor, term)

    def where(self, condition: Any, other: Lanes | float) -> Lanes:
        """Lanes of self where the condition holds, else of `other`."""
        return self._with(self.builder.select(condition, self.value, self._operand(other)))

    def below(self, other: Lanes | float) -> Any:
        """Condition ``self < other``, lane by lane."""
        return self.builder.fcmp_ordered("<", self.value, self._operand(other))

    # Read as an integer, a floating-point number is exponent · 2^fraction_bits + fraction.
    @property
    def fraction_bits(self) -> int:
        """Bits of the fraction."""
        return 23 if self.single else 52

    @property
    def smallest(self) -> float:
        """Smallest normal number."""
        return 2.0**-126 if self.single else 2.0**-1022

    @property
    def largest_log(self) -> float:
        """Bound of |x| up to which e^x is a normal number."""
        return 87.0 if self.single else 708.0

    def _integers(self) -> Any:
        return ir.VectorType(ir.IntType(32 if self.single else 64), self.type.count)

    def _integer(self, number: int) -> Any:
        return ir.Constant(self._integers(), [number] * self.type.count)

    def bits(self) -> Any:
        """Bits as integers."""
        return self.builder.bitcast(self.value, self._integers())

    def times_two_to(self, exponent: Any) -> Lanes:
        """``self · 2^exponent`` in integer arithmetic, where the result is a normal number."""
        shift = self.builder.shl(exponent, self._integer(self.fraction_bits))
        return self._with(self.builder.bitcast(self.builder.add(self.bits(), shift), self.type))


def square_root(x: Lanes) -> Lanes:
    """√x."""
    return x.call("llvm.sqrt")


def reciprocal(x: Lanes) -> Lanes:
    """1 / x, accurate to the last bit or two.

    Where the processor has an estimate (14 bits), Newton's method is several times faster than a
    division: each step doubles the number of bits.
    """
    if not x._has_estimates():
        return x._with(x.builder.fdiv(x.constant(1.0).value, x.value))
    out = x._estimate("rcp14")
    for _ in range(1 if x.single else 2):
        out = _refined(out, x)
    return out


def _refined(inverse: Lanes, x: Lanes) -> Lanes:
    """One step of Newton's method towards 1 / x."""
    return (-inverse).times_plus(x, 1.0).times_plus(inverse, inverse)


def reciprocal_root(x: Lanes) -> Lanes:
    """1 / √x, computed as in `reciprocal`."""
    if not x._has_estimates():
        return x.constant(1.0) / square_root(x)
    out = x._estimate("rsqrt14")
    for _ in range(1 if x.single else 2):
        out = (-(out * x)).times_plus(out, 1.0).times_plus(out * 0.5, out)
    return out


def at_least(x: Lanes, low: Lanes | float) -> Lanes:
    """x where it is above `low`, else `low`, also for NaN: a single instruction."""
    return x.where(x._with(x._operand(low)).below(x), low)


def at_most(x: Lanes, high: Lanes | float) -> Lanes:
    """x where it is below `high`, else `high`, also for NaN."""
    return x.where(x.below(high), high)


def magnitude(x: Lanes) -> Lanes:
    """|x|."""
    return x.call("llvm.fabs")


def polynomial(x: Lanes, coefficients: Sequence[float]) -> Lanes:
    """Polynomial in x by Horner's rule; the coefficient of the highest power comes first."""
    out = x.constant(coefficients[0])
    for coefficient in coefficients[1:]:
        out = out.times_plus(x, coefficient)
    return out


def log_ratio(v: Lanes, y: Lanes) -> Lanes:
    """log(v / y), accurate where they are close; finite for v = 0 < y.

    With y' = 2^e y near v, log(v / y) = e log 2 + 2 artanh((v − y') / (v + y')): a difference of
    close numbers is exact.
    """
    builder, v = v.builder, at_least(v, v.smallest)
    half = v._integer(1 << (v.fraction_bits - 1))
    # e is the difference of the exponents, rounded by adding half to the fractions' difference.
    distance = builder.add(builder.sub(v.bits(), y.bits()), half)
    exponent = builder.ashr(distance, v._integer(v.fraction_bits))
    near = y.times_two_to(exponent)
    s = (v - near) / (v + near)
    # 2 artanh(s) = s · Σ 2 / (2n + 1) · s^(2n), where |s| ≤ 1/5.
    terms = 7 if v.single else 15
    series = polynomial(s * s, [2.0 / (2 * n + 1) for n in range(terms - 1, -1, -1)])
    e = Lanes(builder, builder.sitofp(exponent, v.type))
    return s.times_plus(series, e * math.log(2.0))


def exp_parts(x: Lanes) -> tuple[Any, Lanes]:
    """Integer n and small q with e^x = 2^n (1 + q), for x within the exponents of the type."""
    limit = x.largest_log
    scaled = at_most(at_least(x, -limit), limit) * (1.0 / math.log(2.0))
    n = scaled.call("llvm.rint")
    rest = (scaled - n) * math.log(2.0)  # |rest| ≤ log(2) / 2
    terms = 8 if x.single else 14  # of q = rest · Σ rest^(k−1) / k!
    series = polynomial(rest, [1.0 / math.factorial(n) for n in range(terms, 0, -1)])
    return x.builder.fptosi(n.value, x._integers()), rest * series


def power(x: Lanes, exponent: Lanes) -> Lanes:
    """x^exponent for x > 0; infinite beyond the range of the type."""
    log = exponent * log_ratio(x, x.constant(1.0))
    n, q = exp_parts(log)
    return (q + 1.0).times_two_to(n).where(log.below(x.largest_log), math.inf)


def exp_minus_one(x: Lanes) -> Lanes:
    """e^x − 1, accurate for small x, where it is q itself."""
    n, q = exp_parts(x)
    zero = x.builder.icmp_signed("==", n, x._integer(0))
    return q.where(zero, (q + 1.0).times_two_to(n) - 1.0)
