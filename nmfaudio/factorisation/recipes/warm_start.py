"""Solver for decompositions that initialise further decompositions."""

from __future__ import annotations

from nmfaudio.factorisation.divergences import Beta, Divergence


def solver_without_zeros(divergence: Divergence) -> str:
    """Return the fastest solver for plain NMF that creates no exact zeros.

    Multiplicative updates that follow could not change exact zeros.
    """
    return "bmme" if isinstance(divergence, Beta) and divergence.beta <= 2 else "mu"
