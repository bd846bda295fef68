"""A whole separation beside the truth: which stem is which source, and how good it is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nmfaudio._common.validation import as_audio, as_number
from nmfaudio._public import public
from nmfaudio.errors import ContentError, ParameterError, ShapeError
from nmfaudio.metrics.bsseval import BssEval
from nmfaudio.metrics.scale_invariant import assign, si_sdr

Sources = Mapping[str, np.ndarray] | np.ndarray | Sequence[np.ndarray]

LABELS = {
    "si_sdr": "SI-SDR",
    "sdr": "SDR",
    "sir": "SIR",
    "sar": "SAR",
    "isr": "ISR",
    "image_sdr": "image SDR",
    "si_sdr_improvement": "SI-SDRi",
    "sdr_improvement": "SDRi",
}
"""The measures of an `Evaluation`, and how its table calls them."""

_BY_FRAME = {"sdr": "image_sdr", "sir": "sir", "sar": "sar", "isr": "isr"}  # SDR of version 4


@dataclass(frozen=True)
class Evaluation:
    """How good the estimates of some sources are, in dB.

    ``print(evaluation)`` shows a table, ``evaluation["kick"]["sdr"]`` is one figure and
    ``evaluation.mean["sdr"]`` the mean over the sources.

    Parameters
    ----------
    matches : dict of str to str
        The name of each source, and that of the estimate taken for it.
    scores : dict of str to np.ndarray [shape=(source,)]
        For each measure of `evaluate`.
    frames : dict of str to np.ndarray [shape=(source, frame)], or None
        BSS-eval version 4 in frames of a second: sdr (of images), sir, sar and isr.
    notes : tuple of str
        What has to be known to read the figures.
    """

    matches: dict[str, str]
    scores: dict[str, np.ndarray]
    frames: dict[str, np.ndarray] | None
    notes: tuple[str, ...]

    def __getitem__(self, source: str) -> dict[str, float]:
        i = list(self.matches).index(source)
        return {measure: float(values[i]) for measure, values in self.scores.items()}

    @property
    def mean(self) -> dict[str, float]:
        """Each measure's mean over the sources that have it (NaN is left out)."""
        return {measure: _mean(values) for measure, values in self.scores.items()}

    @property
    def medians(self) -> dict[str, np.ndarray] | None:
        """Each measure's median over the frames that have it [shape=(source,)]."""
        if self.frames is None:
            return None
        return {
            measure: np.array([_median(row) for row in values])
            for measure, values in self.frames.items()
        }

    def to_dict(self) -> dict[str, Any]:
        """All of it, of JSON types; None stands for what is not finite."""
        sources: dict[str, Any] = {
            name: {"estimate": estimate, **_finite(self[name])}
            for name, estimate in self.matches.items()
        }
        told = {"sources": sources, "mean": _finite(self.mean), "notes": list(self.notes)}
        if self.frames is not None and (medians := self.medians) is not None:
            for i, name in enumerate(self.matches):
                sources[name]["median"] = _finite({m: v[i] for m, v in medians.items()})
                sources[name]["frames"] = {
                    m: list(_finite(dict(enumerate(v[i]))).values()) for m, v in self.frames.items()
                }
            told["mean_of_medians"] = _finite({m: _mean(v) for m, v in medians.items()})
        return told

    def __str__(self) -> str:
        parts = [self._table({LABELS[m]: values for m, values in self.scores.items()})]
        if (medians := self.medians) is not None:
            table = self._table({LABELS[_BY_FRAME[m]]: values for m, values in medians.items()})
            parts.append(f"median of frames of a second (BSS-eval version 4)\n{table}")
        if self.notes:
            parts.append("\n".join(self.notes))
        return "\n\n".join(parts)

    def _table(self, columns: Mapping[str, np.ndarray]) -> str:
        names = [*self.matches, "mean"]
        text = [["source", *names]]
        if any(source != estimate for source, estimate in self.matches.items()):
            text.append(["estimate", *self.matches.values(), ""])
        numbers = [
            [label, *(_cell(x) for x in (*values, _mean(values)))]
            for label, values in columns.items()
        ]
        aligned = [[f"{cell:<{max(map(len, column))}}" for cell in column] for column in text]
        aligned += [
            [f"{cell:>{max(6, *map(len, column))}}" for cell in column] for column in numbers
        ]
        return "\n".join("  ".join(row).rstrip() for row in zip(*aligned, strict=True))


@public
def evaluate(
    reference: Sources,
    estimate: Sources,
    sr: float | None = None,
    *,
    mixture: np.ndarray | None = None,
    permute: bool | None = None,
    framewise: bool = False,
) -> Evaluation:
    """Judge the parts of a separation by the true sources.

    For each source, in dB, higher is better:

    - ``si_sdr``: see `nmfaudio.metrics.si_sdr`;
    - ``sdr``, ``sir``, ``sar``: BSS-eval version 3 as bss_eval_sources defines it, with filters of
      512 taps allowed; the SDR that most papers report;
    - ``isr``, ``image_sdr``: what bss_eval_images has beside the same SIR and SAR. Filters are not
      allowed here, so these two depend on level and balance;
    - ``si_sdr_improvement``, ``sdr_improvement``: how much better than the mixture itself.

    A silent reference has no scores (NaN), adds nothing to the others and is left out of means; the
    notes say so. A silent estimate has minus infinity for SI-SDR, SDR, SIR and SAR, and so has the
    mean. With one source nothing interferes: its SIR is infinite.

    Parameters
    ----------
    reference : mapping of str to np.ndarray, or np.ndarray [shape=(source, [channel,] sample)]
        All true sources of the mixture: what is in none of them counts as artefact.
    estimate : the same, or Stems
        Audio of the same channels and length. Estimates of no reference are left aside.
    sr : float, optional
        Sample rate in Hz, needed for `framewise` unless the estimates are `Stems`.
    mixture : np.ndarray [shape=(channel, sample) or (sample,)], optional
        What was taken apart; by default the sum of the references.
    permute : bool, optional
        Whether to look for the estimate of each source that make the mean SIR best, instead of
        going by names (arrays: by positions). By default where names do not say.
    framewise : bool
        Whether to judge each second by itself too, as BSS-eval version 4 does.

    Returns
    -------
    Evaluation

    Raises
    ------
    ShapeError
        Channels or lengths differ.
    ParameterError
        There are fewer estimates than references, or names are missing and `permute` is False.
    ContentError
        All references are silent, or there are samples that are not finite.

    Examples
    --------
    >>> voice, piano, hiss = np.random.default_rng(0).standard_normal((3, 8000))
    >>> truth = {"voice": voice, "piano": piano}
    >>> print(evaluate(truth, {"piano": piano + 0.1 * hiss, "voice": voice + 0.1 * piano}))
    source  SI-SDR     SDR     SIR     SAR     ISR  image SDR  SI-SDRi    SDRi
    voice     20.1    20.3    20.3     inf    32.7       20.1     20.1    19.8
    piano     20.0    20.3    31.9    20.6    32.1       20.0     20.2    19.9
    mean      20.0    20.3    26.1     inf    32.4       20.0     20.1    19.8
    """
    truth, made = _named(reference, "reference"), _named(estimate, "estimate")
    _common_shape(truth, made)
    references = np.stack(list(truth.values()))
    heard = references.any(axis=(1, 2))
    if not heard.any():
        raise ContentError("all references are silent; give at least one with a signal")
    if permute is None and isinstance(reference, Mapping) != isinstance(estimate, Mapping):
        permute = True  # one side has names and the other has none
    judge = BssEval(references)
    notes: list[str] = []
    chosen = _matched(truth, made, judge, permute, notes)
    estimates = np.stack([made[name] for name in chosen])
    scores = _scores(judge, references, estimates, _mixture(references, mixture, notes))
    if not heard.all():
        silent = [name for name, y in truth.items() if not y.any()]
        notes.append(f"silent, so without scores and not in the means: {', '.join(silent)}")
    frames = None
    if framewise:
        rate = getattr(estimate, "sr", None) if sr is None else sr
        second = round(as_number(rate, "sr", above=0.5))
        found = judge.frames(estimates, window=second, hop=second)
        frames = {name: getattr(found, field) for name, field in _BY_FRAME.items()}
    return Evaluation(dict(zip(truth, chosen, strict=True)), scores, frames, tuple(notes))


def _named(sources: Sources, what: str) -> dict[str, np.ndarray]:
    """Every source as (channel, sample) under a name."""
    if isinstance(sources, Mapping):
        named = {str(name): y for name, y in sources.items()}
    else:
        named = {f"source-{i}": y for i, y in enumerate(sources, 1)}
    if not named:
        raise ParameterError(f"there is no {what}; give at least one source")
    return {name: as_audio(y, f"{what} {name}") for name, y in named.items()}


def _common_shape(truth: Mapping[str, np.ndarray], made: Mapping[str, np.ndarray]) -> None:
    shape = next(iter(truth.values())).shape
    for what, group in (("reference", truth), ("estimate", made)):
        for name, y in group.items():
            if y.shape != shape:
                raise ShapeError(
                    f"{what} {name} has (channels, samples) {y.shape} and the first reference "
                    f"{shape}; they must be the same: cut or pad, mix down or name another file"
                )


def _matched(
    truth: Mapping[str, np.ndarray],
    made: Mapping[str, np.ndarray],
    judge: BssEval,
    permute: bool | None,
    notes: list[str],
) -> list[str]:
    """The name of the estimate for each reference."""
    missing = [name for name in truth if name not in made]
    if not missing and not permute:
        chosen = list(truth)
    elif permute is False:
        raise ParameterError(
            f"there is no estimate called {missing[0]}; name them as the references, or permute"
        )
    elif len(made) < len(truth):
        raise ParameterError(
            f"there are {len(made)} estimates for {len(truth)} references; "
            "each reference needs one of its own"
        )
    else:
        names = list(made)
        chosen = [names[k] for k in assign(judge.sir(np.stack(list(made.values()))))]
        why = "" if permute else f"no estimate is called {missing[0]}: "
        notes.append(f"{why}estimates were matched for the best mean SIR")
    aside = [name for name in made if name not in chosen]
    if aside:
        notes.append(f"estimates of no reference, left aside: {', '.join(aside)}")
    return chosen


def _scores(
    judge: BssEval,
    references: np.ndarray,
    estimates: np.ndarray,
    mixture: np.ndarray | None,
) -> dict[str, np.ndarray]:
    found = judge.scores(estimates)
    scores = {"si_sdr": _si_sdrs(references, estimates), **found._asdict()}
    scores = {measure: scores[measure] for measure in LABELS if measure in scores}
    if mixture is not None:
        same = np.broadcast_to(mixture, references.shape)
        before = {"si_sdr": _si_sdrs(references, same), "sdr": judge.scores(same).sdr}
        with np.errstate(invalid="ignore"):  # as good as can be before and after
            for measure, values in before.items():
                scores[f"{measure}_improvement"] = scores[measure] - values
    return scores


def _si_sdrs(references: np.ndarray, estimates: np.ndarray) -> np.ndarray:
    return np.array(
        [si_sdr(r, e) if r.any() else math.nan for r, e in zip(references, estimates, strict=True)]
    )


def _mixture(
    references: np.ndarray, mixture: np.ndarray | None, notes: list[str]
) -> np.ndarray | None:
    """What improvements are counted from: the mixture given, or the sum of the references."""
    if mixture is None:
        if len(references) > 1:
            total: np.ndarray = references.sum(axis=0, dtype=np.float64)
            return total
        notes.append("one source and no mixture, so no improvement over it")
        return None
    mixed = as_audio(mixture, "the mixture")
    if mixed.shape != references.shape[1:]:
        raise ShapeError(
            f"the mixture has (channels, samples) {mixed.shape} and the references "
            f"{references.shape[1:]}; they must be the same"
        )
    return mixed


def _mean(values: np.ndarray) -> float:
    """Mean of what is not NaN, NaN where there is nothing."""
    known = values[~np.isnan(values)]
    with np.errstate(invalid="ignore"):  # of both infinities
        return float(known.mean()) if known.size else math.nan


def _median(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    with np.errstate(invalid="ignore"):
        return float(np.median(known)) if known.size else math.nan


def _finite(scores: Mapping[Any, float]) -> dict[Any, float | None]:
    return {name: float(x) if math.isfinite(x) else None for name, x in scores.items()}


def _cell(x: float) -> str:
    return "–" if math.isnan(x) else f"{x:z.1f}"
