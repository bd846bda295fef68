"""Measures of beats and downbeats."""

from __future__ import annotations

import os
import warnings

import numpy as np

from nmfaudio._common.validation import as_number
from nmfaudio._public import public
from nmfaudio.errors import ContentError, ParameterError
from nmfaudio.symbolic.beat_files import read_beats
from nmfaudio.symbolic.beats import Beats

_FEWEST = 2  # beats of a side


@public
def evaluate_beats(
    reference: Beats | str | os.PathLike[str],
    estimated: Beats | str | os.PathLike[str],
    *,
    tolerance: float = 0.07,
    skip: float = 5.0,
) -> dict[str, float]:
    """Compare beats with reference beats, by the measures of mir_eval.

    Parameters
    ----------
    reference, estimated : Beats, or path
        Paths name files that `nmfaudio.symbolic.read_beats` reads.
    tolerance : float
        Largest deviation of beats and downbeats in seconds, for the F-measures.
    skip : float
        Seconds at the beginning that are not evaluated; 5 s are usual.

    Returns
    -------
    dict of str to float
        From 0 to 1: "f", the F-measure; "downbeat_f", that of the downbeats, if both sides have
        bars of two beats or more; "cemgil", a score by the Gaussian of the deviation; "p_score",
        the correlation of both; "cmlc" and "cmlt", the longest correct part and all correct parts;
        "amlc" and "amlt", where half, double and offbeat beats are correct, too; and
        "information_gain". "tempo_ratio" is the estimated tempo over the true one.

    Raises
    ------
    AudioFileError
        A file cannot be read.
    ParameterError
        A number is out of range, or a side is neither beats nor a path.
    ContentError
        A side has less than two beats after `skip`.

    References
    ----------
    M. E. P. Davies, N. Degara and M. D. Plumbley, "Evaluation methods for musical audio beat
    tracking algorithms", Queen Mary University of London, C4DM-TR-09-06, 2009.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> true = na.symbolic.Beats(np.arange(60) / 2)
    >>> scores = na.metrics.evaluate_beats(true, na.symbolic.Beats(np.arange(30.0)))
    >>> round(scores["f"], 2), scores["cmlt"], scores["amlt"], scores["tempo_ratio"]
    (0.67, 0.0, 1.0, 0.5)
    """
    from mir_eval import beat as measures

    tolerance = as_number(tolerance, "tolerance", above=0)
    skip = as_number(skip, "skip", low=0)
    sides = {
        "reference": _as_beats(reference, "reference"),
        "estimated": _as_beats(estimated, "estimated"),
    }
    true, found = (_kept(beats.times, skip, name) for name, beats in sides.items())
    scores = {"f": measures.f_measure(true, found, tolerance)}
    if all(beats.per_bar > 1 for beats in sides.values()):
        downbeats = (beats.downbeats[beats.downbeats >= skip] for beats in sides.values())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a side without downbeats scores 0
            scores["downbeat_f"] = measures.f_measure(*downbeats, tolerance)
    scores["cemgil"] = measures.cemgil(true, found)[0]
    scores["p_score"] = measures.p_score(true, found)
    names = ("cmlc", "cmlt", "amlc", "amlt")
    scores |= dict(zip(names, measures.continuity(true, found), strict=True))
    scores["information_gain"] = measures.information_gain(true, found)
    scores["tempo_ratio"] = sides["estimated"].tempo / sides["reference"].tempo
    return {name: float(score) for name, score in scores.items()}


def _as_beats(side: object, name: str) -> Beats:
    """Beats of a side, read if it is a path."""
    if isinstance(side, Beats):
        return side
    if isinstance(side, str | os.PathLike):
        return read_beats(side)
    raise ParameterError(
        f"{name} is a {type(side).__name__}; need Beats or the path of a file of beats"
    )


def _kept(times: np.ndarray, skip: float, name: str) -> np.ndarray:
    """Beats after the beginning."""
    kept = times[times >= skip]
    if len(kept) < _FEWEST:
        raise ContentError(
            f"{name}: {len(kept)} of {len(times)} beats are after {skip:g} s; need {_FEWEST} or "
            "more; skip less"
        )
    return kept
