"""Measured systems: functions of a case and a seed that return None if they do not apply.

A new system is a function in `peers` or `ours` and one line here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from benchmarks.quality import ours, peers
from benchmarks.quality.cases import Case
from nmfaudio.separators import SEPARATORS


class System(NamedTuple):
    """System that estimates the sources of a case."""

    run: Callable[[Case, int], Mapping[str, np.ndarray] | None]
    random: bool = True
    """True if the estimates depend on the seed."""
    separator: str | None = None
    """Name of the separator of this package that it runs."""


_ALL = {
    "mixture": System(peers.mixture, random=False),
    "librosa HPSS": System(peers.librosa_hpss, random=False),
    "scikit-learn NMF": System(peers.sklearn_nmf),
    "blind": System(ours.blind, separator="separate"),
    "hpss": System(ours.hpss, separator="hpss"),
    "drums": System(ours.drums, separator="drums"),
    "drums, one-shots": System(ours.drums_one_shots, separator="drums"),
    "drums, bars": System(ours.drums_bars, separator="drums"),
    "guided": System(ours.guided, separator="guided"),
    "score": System(ours.score, separator="score"),
    "f0": System(ours.f0, separator="f0"),
    "denoise, blind": System(ours.denoise_blind, separator="denoise"),
    "denoise": System(ours.denoise, separator="denoise"),
    "denoise, voice": System(ours.denoise_voice, separator="denoise"),
    "ideal mask, α = 1": System(peers.ideal_mask_1, random=False),
    "ideal mask, α = 2": System(peers.ideal_mask_2, random=False),
}
SYSTEMS = {name: s for name, s in _ALL.items() if s.separator in {None, *SEPARATORS}}
