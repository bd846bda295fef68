"""Fits that models without activations are saved with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from nmfaudio._common.registry import Registry
from nmfaudio.separators.block_fits import (
    AveragedTemplates,
    BandTemplates,
    ExemplarWindows,
    FixedTemplates,
)
from nmfaudio.separators.blockwise import BlockFit
from nmfaudio.separators.noise_model import MeanFit
from nmfaudio.separators.painted_fit import PaintedFit
from nmfaudio.separators.score_model import ScoreFit
from nmfaudio.separators.voice_model import VoiceFit

_LONGEST = 8 * 2**20  # characters, half of what the header of a file may have

BLOCK_FITS = Registry(
    "block fit",
    "kind",
    ("halo",),
    (
        FixedTemplates,
        AveragedTemplates,
        BandTemplates,
        ExemplarWindows,
        MeanFit,
        PaintedFit,
        ScoreFit,
        VoiceFit,
    ),
)
"""Fits that depend on nothing but a saved decomposition and their fields."""


def pack(fit: BlockFit) -> dict[str, Any] | None:
    """Return a fit as JSON types, or None if a file cannot describe it.

    Examples
    --------
    >>> pack(FixedTemplates(20))
    {'kind': 'fixed', 'max_iter': 20, 'halo': 0}
    """
    if type(fit) not in BLOCK_FITS.values():
        return None
    kind, values = BLOCK_FITS.pack(fit)
    return {"kind": kind, **values} if len(json.dumps(values)) <= _LONGEST else None


def unpack(packed: Mapping[str, Any]) -> BlockFit:
    """Return the fit that `pack` described.

    Raises
    ------
    ParameterError
        There is no such fit.

    Examples
    --------
    >>> unpack({"kind": "fixed", "max_iter": 20, "halo": 0})
    FixedTemplates(max_iter=20, halo=0)
    """
    values = dict(packed)
    fit: BlockFit = BLOCK_FITS.unpack(values.pop("kind", None), values)
    return fit
