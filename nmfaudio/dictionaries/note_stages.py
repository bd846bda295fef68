"""Stages of a note (attack, early and late), each with a separate template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from nmfaudio._common.validation import as_choice, as_number
from nmfaudio.errors import ParameterError

STAGE_SPANS = {"attack": (-0.01, 0.05), "early": (0.05, 0.25), "late": (0.4, 1.5)}
"""Default begin and end of each stage, in seconds after the onset.

The attack is short and broadband; it begins before the onset, because windows centred there already
contain the onset. The early and the late stage differ because upper partials decay faster than
lower ones. Stages need not be contiguous.
"""
STAGES = tuple(STAGE_SPANS)
"""Names of the stages, in order of time."""


class Stage(NamedTuple):
    """Section of a note, from `begin` to `end` in seconds after its onset."""

    name: str | None
    begin: float
    end: float


def as_stages(spans: Mapping[str, tuple[float, float]] | None) -> list[Stage]:
    """Validate the argument `stages` of `learn_notes`, and sort it by time.

    Parameters
    ----------
    spans : mapping of str to (float, float), or None
        Begin and end of each stage. None is `STAGE_SPANS`; an empty mapping is a single stage
        without a name, from the begin of the default attack to the end of the default late stage.

    Returns
    -------
    list of Stage
        In order of time, without overlap.

    Raises
    ------
    ParameterError
        A name is not one of `STAGES`, or the stages overlap or are out of order.
    """
    spans = STAGE_SPANS if spans is None else spans
    if not isinstance(spans, Mapping):
        raise ParameterError(
            f"stages is {spans!r}; give a mapping of stage names to (begin, end) in seconds"
        )
    stages: list[Stage] = []
    for name in sorted(spans, key=lambda name: STAGES.index(as_choice(name, "a stage", STAGES))):
        try:
            begin, end = (as_number(time, f"a time of stage {name}") for time in spans[name])
        except (TypeError, ValueError):
            raise ParameterError(
                f"stage {name} is {spans[name]!r}; give (begin, end) in seconds after the onset"
            ) from None
        if not (stages[-1].end if stages else -np.inf) <= begin < end or end <= 0:
            raise ParameterError(
                f"stage {name} lasts from {begin:g} to {end:g} s after the onset; its end must be "
                "after its begin and after the onset, and it must not overlap the previous stage"
            )
        stages.append(Stage(name, begin, end))
    return stages or [Stage(None, STAGE_SPANS[STAGES[0]][0], STAGE_SPANS[STAGES[-1]][1])]
