"""Solver for decompositions that initialise further decompositions."""

from __future__ import annotations

from nmfaudio.factorisation.divergences import Beta


def solver_without_zeros(divergence: Beta) -> str:
    """Return the fastest solver for plain NMF that creates no exact zeros.

    Multiplicative updates that follow could not change exact zeros.
    """
    return "bmme" if divergence.beta <= 2 else "mu"
