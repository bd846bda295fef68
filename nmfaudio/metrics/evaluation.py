"""SI-SDR and BSS-eval of all sources of a separation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nmfaudio._common.dataframes import to_dataframe
from nmfaudio._common.equality import EqualByContent
from nmfaudio._common.files import show
from nmfaudio._common.json_types import as_json
from nmfaudio._common.validation import as_sample_rate
from nmfaudio._public import public
from nmfaudio.errors import ContentError, ParameterError
from nmfaudio.metrics.bsseval import BssEval
from nmfaudio.metrics.scale_invariant import assign, si_sdr
from nmfaudio.metrics.sources import (
    FilePath,
    Sources,
    SourceSet,
    load_mixture,
    load_sources,
)

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes

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
"""Measures of an `Evaluation` and their column titles."""

# Measures by frame, and their names in `Scores`: the SDR of version 4 is the image SDR.
_BY_FRAME = {"sdr": "image_sdr", "sir": "sir", "sar": "sar", "isr": "isr"}


@dataclass(frozen=True, eq=False)
class Evaluation(EqualByContent):
    """Scores of the estimates of several sources, in dB.

    ``print(evaluation)`` shows a table, ``evaluation["kick"]`` the scores of one source by measure.

    Parameters
    ----------
    matches : dict of str to str
        Name of the estimate of each source.
    scores : dict of str to np.ndarray [shape=(source,)]
        The measures of `evaluate`.
    frames : dict of str to np.ndarray [shape=(source, frame)], or None
        BSS-eval version 4 in frames of one second: sdr (of images), sir, sar and isr.
    notes : tuple of str
        Remarks on silent references, on matching, and on estimates without a reference.
    sr : float, optional
        Sample rate in Hz, if known.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> kick, snare = np.random.default_rng(0).standard_normal((2, 8000))
    >>> estimates = {"kick": kick + 0.1 * snare, "snare": snare}
    >>> evaluation = na.evaluate({"kick": kick, "snare": snare}, estimates)
    >>> round(evaluation["kick"]["si_sdr"]), evaluation.mean["si_sdr"]
    (20, inf)
    """

    matches: dict[str, str]
    scores: dict[str, np.ndarray]
    frames: dict[str, np.ndarray] | None
    notes: tuple[str, ...]
    sr: float | None = None

    def __getitem__(self, source: str) -> dict[str, float]:
        if source not in self.matches:
            raise KeyError(f"no source {source!r}; there are {', '.join(self.matches)}")
        i = list(self.matches).index(source)
        return {measure: float(values[i]) for measure, values in self.scores.items()}

    @property
    def mean(self) -> dict[str, float]:
        """Mean of each measure over the sources; NaN is ignored."""
        return {measure: _mean(values) for measure, values in self.scores.items()}

    @property
    def medians(self) -> dict[str, np.ndarray] | None:
        """Median of each measure over the frames [shape=(source,)]; NaN is ignored."""
        if self.frames is None:
            return None
        return {
            measure: np.array([_median(row) for row in values])
            for measure, values in self.frames.items()
        }

    def _repr_html_(self) -> str:
        from nmfaudio.display.html import evaluation_html

        return evaluation_html(self, labels=LABELS)

    def to_dict(self) -> dict[str, Any]:
        """Return all scores, JSON-serialisable.

        Returns
        -------
        dict
            ``sources``, ``mean`` and ``notes``, with frames also ``mean_of_medians``. None stands
            for NaN, and text (``"inf"`` or ``"-inf"``) for infinities.
        """
        sources: dict[str, Any] = {
            name: {"estimate": estimate, **_plain(self[name])}
            for name, estimate in self.matches.items()
        }
        report = {"sources": sources, "mean": _plain(self.mean), "notes": list(self.notes)}
        if self.frames is not None and (medians := self.medians) is not None:
            for i, name in enumerate(self.matches):
                sources[name]["median"] = _plain({m: v[i] for m, v in medians.items()})
                sources[name]["frames"] = {
                    m: list(_plain(dict(enumerate(v[i]))).values()) for m, v in self.frames.items()
                }
            report["mean_of_medians"] = _plain({m: _mean(v) for m, v in medians.items()})
        return report

    def to_dataframe(self) -> pandas.DataFrame:
        """Return the scores of all sources as a table.

        Returns
        -------
        pandas.DataFrame
            Columns ``estimate`` and the measures, indexed by source.

        Raises
        ------
        MissingExtraError
            pandas is not installed.
        """
        rows = (
            {"source": source, "estimate": estimate} | self[source]
            for source, estimate in self.matches.items()
        )
        return to_dataframe(rows, index="source")

    def plot(self, **options: Any) -> Axes:
        """Draw a measure of each source as bars, beside the unprocessed mixture.

        Parameters
        ----------
        **options
            Further arguments of `nmfaudio.display.plot_evaluation`.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        MissingExtraError
            matplotlib is not installed.
        """
        from nmfaudio.display import plot_evaluation

        return plot_evaluation(self, **options)

    def __str__(self) -> str:
        parts = [self._table({LABELS[m]: values for m, values in self.scores.items()})]
        if (medians := self.medians) is not None:
            table = self._table({LABELS[_BY_FRAME[m]]: values for m, values in medians.items()})
            parts.append(f"median of frames of a second (BSS-eval version 4)\n{table}")
        if self.notes:
            parts.append("\n".join(self.notes))
        return "\n\n".join(parts)

    def _table(self, columns: Mapping[str, np.ndarray]) -> str:
        """Rows of sources and their mean, text on the left and numbers aligned right."""
        names = [*map(show, self.matches), "mean"]
        text = [["source", *names]]
        if any(source != estimate for source, estimate in self.matches.items()):
            text.append(["estimate", *map(show, self.matches.values()), ""])
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
    mixture: np.ndarray | FilePath | None = None,
    permute: bool | None = None,
    framewise: bool = False,
    part: tuple[float, float] | None = None,
) -> Evaluation:
    """Compute SI-SDR and BSS-eval of estimated sources.

    For each source, in dB, higher is better:

    - ``si_sdr``: see `nmfaudio.metrics.si_sdr`;
    - ``sdr``, ``sir``, ``sar``: BSS-eval version 3 as in bss_eval_sources, which allows distortion
      by filters of 512 taps; the SDR that most papers report;
    - ``isr``, ``image_sdr``: the further ratios of bss_eval_images, whose SIR and SAR are the same.
      They do not allow such filters, so they depend on level and balance;
    - ``si_sdr_improvement``, ``sdr_improvement``: improvement over the mixture as the estimate.

    A silent reference has no scores (NaN), does not affect those of the others and is ignored in
    means. The SI-SDR, SDR, SIR and SAR of a silent estimate, and their means, are minus infinity.
    The SIR of a single source is infinite.

    Parameters
    ----------
    reference : mapping of str to np.ndarray, np.ndarray [shape=(source, [channel,] sample)] or path
        All true sources of the mixture; signals in none of them count as artefacts. An array of
        one axis is one source. A path is that of a folder of audio files, named like the
        estimates, or of a single file.
    estimate : mapping of str to np.ndarray, np.ndarray [shape=(source, [channel,] sample)], \
Stems or path
        Audio of the same channels and length. Estimates without a reference are ignored.
    sr : float, optional
        Sample rate in Hz, required for `framewise` unless there are files or `Stems`, whose rate it
        must be.
    mixture : np.ndarray [shape=(channel, sample) or (sample,)] or path, optional
        Default: the file called mixture among the references, else their sum.
    permute : bool, optional
        Match estimates with references for the best mean SIR (True), or by name, and arrays by
        position (False). Default: by name if both sides have the names of all references, else for
        the best mean SIR, as `mir_eval.separation` does; the result says so in its `notes`.
    framewise : bool
        Also compute BSS-eval version 4 of each second.
    part : tuple of (float, float), optional
        First and last second of the part to compare; only this part of the files of references and
        mixture is read, and of those of the estimates, if they are as long as the references: else
        they are of this part. Arrays are taken as they are.

    Returns
    -------
    Evaluation
        Scores by source and measure.

    Raises
    ------
    ShapeError
        Channels or lengths of arrays differ.
    AudioFileError
        A file cannot be read.
    ParameterError
        There are fewer estimates than references, names are missing and `permute` is False, or `sr`
        is no sample rate, or not that of the files or `Stems`.
    ContentError
        All references are silent, samples are not finite, or files differ in sample rate, channels
        or length.

    See Also
    --------
    nmfaudio.metrics.BssEval : Scores of many estimates of the same sources.

    References
    ----------
    E. Vincent, R. Gribonval and C. Févotte, "Performance measurement in blind audio source
    separation", IEEE Transactions on Audio, Speech, and Language Processing 14(4), 2006,
    doi:10.1109/TSA.2005.858005.

    J. Le Roux, S. Wisdom, H. Erdogan and J. R. Hershey, "SDR: half-baked or well done?",
    ICASSP 2019, doi:10.1109/ICASSP.2019.8683855.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> voice, piano, hiss = np.random.default_rng(0).standard_normal((3, 8000))
    >>> truth = {"voice": voice, "piano": piano}
    >>> print(na.evaluate(truth, {"piano": piano + 0.1 * hiss, "voice": voice + 0.1 * piano}))
    source  SI-SDR     SDR     SIR     SAR     ISR  image SDR  SI-SDRi    SDRi
    voice     20.1    20.3    20.3     inf    32.7       20.1     20.1    19.8
    piano     20.0    20.3    31.9    20.6    32.1       20.0     20.2    19.9
    mean      20.0    20.3    26.1     inf    32.4       20.0     20.1    19.8
    """
    true, found = load_sources(reference, estimate, part)
    rate = _rate(sr, true.sr or found.sr, required=framewise)
    references = np.stack(list(true.signals.values()))  # (source, channel, sample)
    active = references.any(axis=(1, 2))
    if not active.any():
        raise ContentError("all references are silent; give at least one with a signal")
    bss = BssEval(references)
    notes: list[str] = []
    matched = _matched(true, found, bss, permute, notes)
    estimates = np.stack([found.signals[name] for name in matched])
    if found.mixture is not None and true.mixture is None:
        notes.append("only the estimates have a mixture: the true sources are named first")
    if mixture is None:
        mixed = _default_mixture(true, references, notes)
    else:
        mixed = load_mixture(mixture, true, part)
    scores = _scores(bss, references, estimates, mixed)
    if not active.all():
        silent = [name for name, y in true.signals.items() if not y.any()]
        notes.append(f"silent, so without scores and not in the means: {', '.join(silent)}")
    frames = None
    if framewise and rate is not None:
        ratios = bss.frames(estimates, window=rate, hop=rate)
        frames = {name: getattr(ratios, field) for name, field in _BY_FRAME.items()}
    matches = dict(zip(true.signals, matched, strict=True))
    return Evaluation(matches, scores, frames, tuple(notes), rate)


def _rate(sr: float | None, known: float | None, *, required: bool) -> int | None:
    """Sample rate in Hz: the known one of files or stems, else the one passed."""
    if sr is None and known is None and required:
        raise ParameterError("sr is missing; framewise needs the sample rate of arrays in Hz")
    if sr is None:
        return None if known is None else int(known)
    rate = as_sample_rate(sr)
    if known is not None and rate != known:
        raise ParameterError(
            f"sr is {rate:,}, but the files or stems have {known:,} Hz; leave it out, or resample"
        )
    return rate


def _matched(
    references: SourceSet,
    estimates: SourceSet,
    bss: BssEval,
    permute: bool | None,
    notes: list[str],
) -> list[str]:
    """Name of the estimate of each reference; remarks are appended to `notes`."""
    names = list(estimates.signals)
    missing = [name for name in references.signals if name not in estimates.signals]
    named = references.has_names and estimates.has_names
    if permute is False and missing:
        raise ParameterError(
            f"there is no estimate named {missing[0]}, but {', '.join(names)}; name estimates like "
            "the references, or set permute=True"
        )
    if len(names) < len(references.signals):
        raise ParameterError(_too_few(list(references.signals), names, missing if named else []))
    if len(names) == len(references.signals) == 1:
        return names
    if permute is False or (permute is None and named and not missing):
        matched = list(references.signals)
    else:
        stacked = np.stack(list(estimates.signals.values()))
        matched = [names[k] for k in assign(bss.sir(stacked))]
        notes.append(_reason(permute, named, missing))
    ignored = [name for name in names if name not in matched]
    if ignored:
        notes.append(f"ignored estimates without a reference: {', '.join(ignored)}")
    return matched


def _too_few(references: list[str], estimates: list[str], missing: list[str]) -> str:
    """Message about fewer estimates than references."""
    got = f"got {len(estimates)} estimates for {len(references)} references"
    if missing:
        got = f"no estimate for {', '.join(missing)}; found: {', '.join(estimates)}"
    return (
        f"{got}; give an estimate per reference, sum references that belong together, or compare "
        "one with one"
    )


def _reason(permute: bool | None, named: bool, missing: list[str]) -> str:
    """Remark on a matching that is not by name."""
    text = "estimates were matched for the best mean SIR"
    if permute:
        return text
    if not named:
        return f"arrays have no names: {text}; permute=False keeps their order"
    return f"no estimate is called {', '.join(missing)}: {text}; name them alike to choose pairs"


def _scores(
    bss: BssEval,
    references: np.ndarray,
    estimates: np.ndarray,
    mixture: np.ndarray | None,
) -> dict[str, np.ndarray]:
    """Measures of whole signals [shape=(source,)], in the order of `LABELS`."""
    ratios = {"si_sdr": _si_sdrs(references, estimates), **bss.scores(estimates)._asdict()}
    scores = {measure: ratios[measure] for measure in LABELS if measure in ratios}
    if mixture is not None:
        mixtures = np.broadcast_to(mixture, references.shape)
        before = {"si_sdr": _si_sdrs(references, mixtures), "sdr": bss.scores(mixtures).sdr}
        with np.errstate(invalid="ignore"):  # inf − inf, where the mixture is a perfect estimate
            for measure, values in before.items():
                scores[f"{measure}_improvement"] = scores[measure] - values
    return scores


def _si_sdrs(references: np.ndarray, estimates: np.ndarray) -> np.ndarray:
    """SI-SDR of each source, NaN where it is silent."""
    return np.array(
        [si_sdr(r, e) if r.any() else math.nan for r, e in zip(references, estimates, strict=True)]
    )


def _default_mixture(
    true: SourceSet, references: np.ndarray, notes: list[str]
) -> np.ndarray | None:
    """Mixture that improvements refer to, where none was given."""
    if true.mixture is not None:
        return true.mixture
    if len(references) > 1:
        total: np.ndarray = references.sum(axis=0, dtype=np.float64)
        return total
    notes.append("one source and no mixture, so no improvement over it")
    return None


def _mean(values: np.ndarray) -> float:
    """Mean without NaN; NaN if nothing remains."""
    valid = values[~np.isnan(values)]
    with np.errstate(invalid="ignore"):  # inf − inf
        return float(valid.mean()) if valid.size else math.nan


def _median(values: np.ndarray) -> float:
    """Median without NaN; NaN if nothing remains."""
    valid = values[~np.isnan(values)]
    with np.errstate(invalid="ignore"):
        return float(np.median(valid)) if valid.size else math.nan


def _plain(scores: Mapping[Any, float]) -> dict[Any, Any]:
    """Scores with None for NaN and text for infinities, which JSON does not have."""
    return {name: as_json(float(x), nonfinite="null") for name, x in scores.items()}


def _cell(x: float) -> str:
    return "–" if math.isnan(x) else f"{x:z.1f}"
