"""What recipes have in common: a decomposition that another one starts from."""

from __future__ import annotations

from nmfaudio.factorisation.divergences import Beta


def solver_without_zeros(divergence: Beta) -> str:
    """The fastest solver for plain NMF that leaves no exact zeros.

    A later decomposition by multiplicative updates could not move them again.
    """
    return "bmme" if divergence.beta <= 2 else "mu"
