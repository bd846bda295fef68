"""Stages of a note, each of which has a template of its own: attack, early and late."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from nmfaudio._common.validation import as_choice, as_number
from nmfaudio.errors import ParameterError

STAGE_SPANS = {"attack": (-0.01, 0.05), "early": (0.05, 0.25), "late": (0.4, 1.5)}
"""Default begin and end of each stage, in seconds after the onset."""
STAGES = tuple(STAGE_SPANS)
"""Names of the stages, in the order in which they follow one another."""


class Stage(NamedTuple):
    """Section of a note, in seconds after its onset."""

    name: str | None
    begin: float
    end: float


def as_stages(spans: Mapping[str, tuple[float, float]] | None) -> list[Stage]:
    """Validate stages and sort them by time; see `learn_notes`.

    Parameters
    ----------
    spans : mapping of str to (float, float), or None
        Begin and end of each stage; None for `STAGE_SPANS`, empty for a single unnamed stage.

    Returns
    -------
    list of Stage

    Raises
    ------
    ParameterError
        A name is not one of `STAGES`, or the stages overlap or are out of order.
    """
    spans = STAGE_SPANS if spans is None else spans
    if not isinstance(spans, Mapping):
        raise ParameterError(
            f"stages is {spans!r}; give a mapping of their names to (begin, end) in seconds"
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
                f"stage {name} lasts from {begin:g} to {end:g} s after the onset; it must end after"
                " it begins, after the onset, and begin no earlier than the stage before it ends"
            )
        stages.append(Stage(name, begin, end))
    return stages or [Stage(None, STAGE_SPANS[STAGES[0]][0], STAGE_SPANS[STAGES[-1]][1])]
