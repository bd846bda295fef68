"""What the beta-divergence does to single time-frequency bins, for a vector of them at a time.

A `Formula` is settled when a kernel is compiled: β = 0, ½, 1, 1½ and 2 have one of their own, since
a general power costs far more, and a kernel is compiled only for those that are used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from nmfaudio.kernels.lanes import (
    Lanes,
    at_least,
    exp_minus_one,
    log_ratio,
    magnitude,
    power,
    square_root,
)
from nmfaudio.kernels.vectors import choosable, elementwise


@dataclass(frozen=True)
class Formula:
    """The halves and the cost of one family of divergences, all for v ≥ 0 and y > 0.

    Parameters
    ----------
    name : str
        No two formulas have the same.
    second : callable
        (y, β) to b, the model's half ``y^(β−1)``.
    first : callable
        (v, y, b) to the data's half ``v·y^(β−2)``.
    cost : callable
        (v, y, β) to the divergence. Differences of close numbers are exact, so in these forms it
        keeps its digits where the fit is good.
    """

    name: str
    second: Callable[..., Lanes] = field(repr=False)
    first: Callable[..., Lanes] = field(repr=False)
    cost: Callable[..., Lanes] = field(repr=False)


def _half_cost(v: Lanes, y: Lanes, beta: Lanes) -> Lanes:
    second = square_root(y)
    gap = (v - y) / (square_root(v) + second)
    return 2.0 * gap * gap / second


def _three_halves_cost(v: Lanes, y: Lanes, beta: Lanes) -> Lanes:
    first, second = square_root(v), square_root(y)
    gap = (v - y) / (first + second)
    return (4.0 / 3.0) * gap * gap * (first + 0.5 * second)


def _general_cost(v: Lanes, y: Lanes, beta: Lanes) -> Lanes:
    """From the logarithm of v / y where they or β and a pole are close, else as it is defined."""
    log, below = log_ratio(v, y), power(y, beta - 1.0)
    grown = exp_minus_one(beta * log).where(v.constant(0.0).below(v), -1.0)
    near = below * (y * grown - beta * (v - y))
    near_one = below * (v * exp_minus_one((beta - 1.0) * log) + (beta - 1.0) * (y - v))
    own = power(at_least(v, v.smallest), beta - 1.0)
    far = v * (own - below) + (beta - 1.0) * below * (y - v)
    out = near.where(magnitude(log).below(0.5), far)
    out = near_one.where(magnitude(beta - 1.0).below(0.25), out)
    return near.where(magnitude(beta).below(0.25), out) / (beta * (beta - 1.0))


ITAKURA_SAITO = Formula(
    "β = 0",
    second=lambda y, beta: 1.0 / y,
    first=lambda v, y, b: v * b * b,
    cost=lambda v, y, beta: (v - y) / y - log_ratio(v, y),
)
HALF = Formula(
    "β = ½",
    second=lambda y, beta: 1.0 / square_root(y),
    first=lambda v, y, b: v * b * b * b,
    cost=_half_cost,
)
KULLBACK_LEIBLER = Formula(
    "β = 1",
    second=lambda y, beta: y.constant(1.0),
    first=lambda v, y, b: v / y,
    cost=lambda v, y, beta: v * log_ratio(v, y) - (v - y),
)
THREE_HALVES = Formula(
    "β = 1½",
    second=lambda y, beta: square_root(y),
    first=lambda v, y, b: v / b,
    cost=_three_halves_cost,
)
EUCLIDEAN = Formula(
    "β = 2",
    second=lambda y, beta: y,
    first=lambda v, y, b: v,
    cost=lambda v, y, beta: 0.5 * (v - y) * (v - y),
)
GENERAL = Formula(
    "any β",
    second=lambda y, beta: power(y, beta - 1.0),
    first=lambda v, y, b: v * b / y,
    cost=_general_cost,
)

choosable(Formula)
SPECIAL = {0.0: ITAKURA_SAITO, 0.5: HALF, 1.0: KULLBACK_LEIBLER, 1.5: THREE_HALVES, 2.0: EUCLIDEAN}


def formula_for(beta: float) -> Formula:
    return SPECIAL.get(beta, GENERAL)


@elementwise
def floored(x: Lanes, low: Lanes) -> Lanes:
    return at_least(x, low)


@elementwise
def product(x: Lanes, y: Lanes) -> Lanes:
    return x * y


@elementwise
def second_half(formula: Formula, y: Lanes, beta: Lanes) -> Lanes:
    return formula.second(y, beta)


@elementwise
def first_half(formula: Formula, v: Lanes, y: Lanes, b: Lanes) -> Lanes:
    return formula.first(v, y, b)


@elementwise
def cost(formula: Formula, v: Lanes, y: Lanes, beta: Lanes) -> Lanes:
    return formula.cost(v, y, beta)
