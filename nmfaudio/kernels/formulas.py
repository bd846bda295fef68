"""Formulas of the beta-divergence for vectors of bins.

A `Formula` is a compile-time constant. β = 0, ½, 1, 1½ and 2 have separate formulas, since a
general power is much slower; kernels are compiled only for formulas in use.

`beta_divergence` has the same formulas for whole arrays in plain loops. With y the model,
b = y^(β−1) the positive and a = v · y^(β−2) the negative part of the gradient, they compute

=====  ================  =============  =====================================
β      b                 a, here        a in `beta_divergence`
=====  ================  =============  =====================================
0      1 / y             v · b · b      the same
½      1 / √y            v · b · b · b  v · b · r, with r = 1 / y and b = √r
1      1                 v / y          the same
1½     √y                v / b          the same
2      y                 v              the same
other  a power of y      v · b / y      v · r, with r = y^(β−2) and b = y · r
=====  ================  =============  =====================================

and divergences by different algorithms: here in the precision of V, in forms without cancellation
where v and y are close; there in double precision, by their definition. Only the one-line formulas
of four rows could be shared: the other two rows and all divergences round differently, and one
source for both would change results. ``tests/kernels/test_strips.py`` compares both modules with
the definition for every β; change a formula in both.
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
    reciprocal,
    reciprocal_root,
    square_root,
)
from nmfaudio.kernels.tiles import register_static
from nmfaudio.kernels.vectors import elementwise


@dataclass(frozen=True)
class Formula:
    """Gradient parts and divergence for one β or for any, all for v ≥ 0 and y > 0.

    Parameters
    ----------
    name : str
        Unique among formulas: kernels are compiled for it.
    positive : callable
        Maps (y, β) to ``b = y^(β−1)``.
    negative : callable
        Maps (v, y, b) to ``v · y^(β−2)``.
    divergence : callable
        Maps (v, y, β) to the divergence. Differences of close numbers are exact, so in these forms
        it keeps its digits where the fit is good.
    """

    name: str
    positive: Callable[..., Lanes] = field(repr=False)
    negative: Callable[..., Lanes] = field(repr=False)
    divergence: Callable[..., Lanes] = field(repr=False)


def _half_divergence(v: Lanes, y: Lanes, beta: Lanes) -> Lanes:
    """``2 (√v − √y)² / √y``, with √v − √y = (v − y) / (√v + √y)."""
    root = square_root(y)
    gap = (v - y) / (square_root(v) + root)
    return 2.0 * gap * gap / root


def _three_halves_divergence(v: Lanes, y: Lanes, beta: Lanes) -> Lanes:
    """``4/3 (√v − √y)² (√v + √y / 2)``, with the same difference."""
    root_v, root_y = square_root(v), square_root(y)
    gap = (v - y) / (root_v + root_y)
    return (4.0 / 3.0) * gap * gap * (root_v + 0.5 * root_y)


def _general_divergence(v: Lanes, y: Lanes, beta: Lanes) -> Lanes:
    """``(v^β + (β−1) y^β − β v y^(β−1)) / (β (β−1))`` in one of three equal forms.

    From log(v / y) where v and y are close or β is close to 0 or 1, otherwise by definition.
    """
    log, model_power = log_ratio(v, y), power(y, beta - 1.0)
    # (v / y)^β − 1, which is −1 for v = 0
    growth = exp_minus_one(beta * log).where(v.constant(0.0).below(v), -1.0)
    near = model_power * (y * growth - beta * (v - y))
    near_one = model_power * (v * exp_minus_one((beta - 1.0) * log) + (beta - 1.0) * (y - v))
    data_power = power(at_least(v, v.smallest), beta - 1.0)
    far = v * (data_power - model_power) + (beta - 1.0) * model_power * (y - v)
    out = near.where(magnitude(log).below(0.5), far)
    out = near_one.where(magnitude(beta - 1.0).below(0.25), out)
    return near.where(magnitude(beta).below(0.25), out) / (beta * (beta - 1.0))


ITAKURA_SAITO = Formula(
    "β = 0",
    positive=lambda y, beta: reciprocal(y),
    negative=lambda v, y, b: v * b * b,
    divergence=lambda v, y, beta: (v - y) / y - log_ratio(v, y),
)
HALF = Formula(
    "β = ½",
    positive=lambda y, beta: reciprocal_root(y),
    negative=lambda v, y, b: v * b * b * b,
    divergence=_half_divergence,
)
KULLBACK_LEIBLER = Formula(
    "β = 1",
    positive=lambda y, beta: y.constant(1.0),
    negative=lambda v, y, b: v / y,
    divergence=lambda v, y, beta: v * log_ratio(v, y) - (v - y),
)
THREE_HALVES = Formula(
    "β = 1½",
    positive=lambda y, beta: square_root(y),
    negative=lambda v, y, b: v / b,
    divergence=_three_halves_divergence,
)
EUCLIDEAN = Formula(
    "β = 2",
    positive=lambda y, beta: y,
    negative=lambda v, y, b: v,
    divergence=lambda v, y, beta: 0.5 * (v - y) * (v - y),
)
GENERAL = Formula(
    "any β",
    positive=lambda y, beta: power(y, beta - 1.0),
    negative=lambda v, y, b: v * b / y,
    divergence=_general_divergence,
)

register_static(Formula)
SPECIAL = {0.0: ITAKURA_SAITO, 0.5: HALF, 1.0: KULLBACK_LEIBLER, 1.5: THREE_HALVES, 2.0: EUCLIDEAN}


def formula_for(beta: float) -> Formula:
    """Return the formula of β, the general one unless it has its own."""
    return SPECIAL.get(beta, GENERAL)


@elementwise
def floored(x: Lanes, low: Lanes) -> Lanes:
    """max(x, low) of a tile."""
    return at_least(x, low)


@elementwise
def product(x: Lanes, y: Lanes) -> Lanes:
    """x · y of two tiles."""
    return x * y


@elementwise
def positive_part(formula: Formula, y: Lanes, beta: Lanes) -> Lanes:
    """``y^(β−1)`` of a tile of the model."""
    return formula.positive(y, beta)


@elementwise
def negative_part(formula: Formula, v: Lanes, y: Lanes, b: Lanes) -> Lanes:
    """``v · y^(β−2)`` of tiles of the data, the model and ``b = y^(β−1)``."""
    return formula.negative(v, y, b)


@elementwise
def divergence(formula: Formula, v: Lanes, y: Lanes, beta: Lanes) -> Lanes:
    """Divergence of tiles of the data and the model, bin by bin."""
    return formula.divergence(v, y, beta)
