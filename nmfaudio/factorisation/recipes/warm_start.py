"""Solver for decompositions that others start from."""

from __future__ import annotations

from nmfaudio.factorisation.divergences import Beta


def solver_without_zeros(divergence: Beta) -> str:
    """Fastest solver for plain NMF that makes no exact zeros.

    Later multiplicative updates could not change them.
    """
    return "bmme" if divergence.beta <= 2 else "mu"
