"""HTML of each kind of result, from its own numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from nmfaudio.display.html.card import Card, Row
from nmfaudio.display.html.phrases import counted, number, recording_facts
from nmfaudio.display.html.picture import Picture
from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.factorisation.rank_selection.result import RankSelection

if TYPE_CHECKING:
    from nmfaudio.audio.transforms import Transform

_MOST_RANKS = 12  # listed, around the selected one


class ComponentFeatures(Protocol):
    """Components of a stem and their features, such as a `ComponentGroup`."""

    @property
    def components(self) -> tuple[int, ...]: ...
    @property
    def energy_share(self) -> float: ...
    @property
    def centre_hz(self) -> float: ...


class Drawn(Protocol):
    """Result that can be drawn."""

    def plot(self) -> Any:
        """Draw the result into a new figure."""


class GroupedStems(Drawn, Protocol):
    """Stems and the components that they consist of, such as `nmfaudio.Stems`."""

    @property
    def sr(self) -> int: ...
    @property
    def decomposition(self) -> Decomposition: ...
    @property
    def groups(self) -> Mapping[str, ComponentFeatures]: ...


class Templates(Drawn, Protocol):
    """Templates with a label each, such as a `nmfaudio.Dictionary`."""

    @property
    def labels(self) -> Sequence[str]: ...
    @property
    def names(self) -> Sequence[str]: ...
    @property
    def transform(self) -> Transform: ...


class SourceScores(Drawn, Protocol):
    """Scores of several sources, such as an `Evaluation`."""

    @property
    def matches(self) -> Mapping[str, str]: ...
    @property
    def scores(self) -> Mapping[str, np.ndarray]: ...
    @property
    def mean(self) -> Mapping[str, float]: ...
    @property
    def notes(self) -> Sequence[str]: ...


def stems_html(
    stems: GroupedStems,
    *,
    title: str,
    mixture: np.ndarray,
    sounds: Mapping[str, np.ndarray | None],
    samples: int,
    residual: float | None,
    remarks: Sequence[str] = (),
) -> str:
    """Build the HTML of stems: players, components and spectrograms.

    Parameters
    ----------
    stems : Stems or SeparatedFile
    title : str
        Name of the class.
    mixture : np.ndarray [shape=(channel, sample)]
        The recording, or its beginning.
    sounds : mapping of str to np.ndarray [shape=(channel, sample)]
        Samples of each stem, as long as `mixture`; None where they cannot be read.
    samples : int
        Length of the recording.
    residual : float or None
        Largest deviation of the sum of the stems from the recording; None if it is not known.
    remarks : sequence of str
        Further sentences.

    Returns
    -------
    str
    """
    fitted = stems.decomposition
    rows = [Row(["mixture", "", "", ""], mixture)]
    for name, sound in sounds.items():
        group = stems.groups.get(name)
        features = ["–", "–", "–"] if group is None else _features(group)
        rows.append(Row([name, *features], sound))
    sums = [] if residual is None else [f"The stems sum to the mixture within {residual:.1e}."]
    return Card(
        title=title,
        facts=[
            counted(len(sounds), "stem"),
            counted(fitted.n_components, "component"),
            *recording_facts(len(mixture), samples, stems.sr),
        ],
        columns=["stem", "components", "energy", "centre"],
        rows=rows,
        sr=stems.sr,
        samples=samples,
        picture=Picture(stems.plot, "Spectrograms of the mixture and of each stem"),
        remarks=[*sums, *remarks],
    ).html()


def decomposition_html(decomposition: Decomposition) -> str:
    """Build the HTML of a decomposition: its facts and factors.

    Parameters
    ----------
    decomposition : Decomposition

    Returns
    -------
    str
    """
    d = decomposition
    ends = d.start_losses[np.isfinite(d.start_losses)]
    facts = {
        "structure": str(d.structure),
        "divergence": str(d.divergence),
        "components": str(d.n_components),
        "factors": " · ".join("×".join(map(str, F.shape)) for F in d.factors),
        "iterations": f"{d.n_iter} ({'converged' if d.converged else 'not converged'})",
        "loss": f"{d.losses[0]:.6g} → {d.losses[-1]:.6g}",
    }
    if len(ends) > 1:
        facts["starts"] = f"{len(ends)}, ended between {ends.min():.6g} and {ends.max():.6g}"
    return Card(
        title="Decomposition",
        facts=[facts.pop("structure"), facts.pop("divergence")],
        columns=list(facts),
        rows=[Row(list(facts.values()))],
        picture=Picture(d.plot, "Templates W, activations H and their model"),
    ).html()


def dictionary_html(
    dictionary: Templates, *, facts: Sequence[str], sounds: Mapping[str, np.ndarray]
) -> str:
    """Build the HTML of a dictionary: labels, templates and the sound of some of them.

    Parameters
    ----------
    dictionary : Dictionary
    facts : sequence of str
        Phrases about the templates.
    sounds : mapping of str to np.ndarray [shape=(channel, sample)]
        Sound of the first templates of some labels.

    Returns
    -------
    str
    """
    labels = list(dictionary.labels)
    rows = [Row([name, str(labels.count(name))], sounds.get(name)) for name in dictionary.names]
    return Card(
        title=type(dictionary).__name__,
        facts=[counted(len(rows), "label"), counted(len(labels), "template"), *facts],
        columns=["label", "templates"],
        rows=rows,
        sr=dictionary.transform.sr,
        picture=Picture(dictionary.plot, "Templates of each label side by side"),
        remarks=["Players have a few templates of a label, with phases that were estimated."]
        if sounds
        else [],
    ).html()


def rank_selection_html(selection: RankSelection) -> str:
    """Build the HTML of a rank selection: the scores over the ranks.

    Parameters
    ----------
    selection : RankSelection

    Returns
    -------
    str
    """
    ranks = selection.ranks
    first = max(0, min(ranks.index(selection.best) - _MOST_RANKS // 2, len(ranks) - _MOST_RANKS))
    shown = ranks[first : first + _MOST_RANKS]
    scores = (number(selection.scores[rank], ".4g") for rank in shown)
    omitted = len(ranks) - len(shown)
    return Card(
        title="RankSelection",
        facts=[counted(selection.best, "component"), selection.method, selection.meaning],
        columns=["rank", *(f"{r} (best)" if r == selection.best else str(r) for r in shown)],
        rows=[Row(["score", *scores])],
        picture=Picture(selection.plot, "Scores of the ranks, with the selected one marked"),
        remarks=[f"{counted(omitted, 'further rank')} not listed."] if omitted else [],
    ).html()


def evaluation_html(evaluation: SourceScores, *, labels: Mapping[str, str]) -> str:
    """Build the HTML of an evaluation: scores in dB by source, and bars.

    Parameters
    ----------
    evaluation : Evaluation
    labels : mapping of str to str
        Title of each measure.

    Returns
    -------
    str
    """
    e = evaluation
    renamed = any(source != estimate for source, estimate in e.matches.items())
    rows = [
        Row([source, *([estimate] if renamed else []), *_decibels(v[i] for v in e.scores.values())])
        for i, (source, estimate) in enumerate(e.matches.items())
    ]
    mean = Row(["mean", *([""] if renamed else []), *_decibels(e.mean.values())], strong=True)
    return Card(
        title="Evaluation",
        facts=[counted(len(rows), "source"), "scores in dB, higher is better"],
        columns=["source", *(["estimate"] if renamed else []), *(labels[m] for m in e.scores)],
        rows=[*rows, mean],
        picture=Picture(e.plot, "Scores of each source as bars"),
        remarks=e.notes,
    ).html()


def _features(group: ComponentFeatures) -> list[str]:
    """Number of components, share of energy and mean frequency as text."""
    return [
        str(len(group.components)),
        f"{100 * group.energy_share:.1f} %",
        f"{group.centre_hz:.0f} Hz",
    ]


def _decibels(values: Iterable[float]) -> list[str]:
    return [number(x, "z.1f") for x in values]
