"""Contents of the report page of stems."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from nmfaudio.audio.masking import Masking, apply_masks
from nmfaudio.display.report import ComponentSound, ReportContents, component_shares
from nmfaudio.display.spectrograms import SeparatedAudio
from nmfaudio.metrics.evaluation import LABELS, evaluate
from nmfaudio.stems.grouping import ComponentGroup
from nmfaudio.stems.masks import group_masks
from nmfaudio.symbolic.names import name_parts

if TYPE_CHECKING:
    from nmfaudio.factorisation.decomposition import Decomposition
    from nmfaudio.metrics.sources import Sources
    from nmfaudio.symbolic.note import Note

# Sound of all components together, about 5 MB of Opus: 30 components of 40 s. Beyond it each has an
# excerpt.
_MOST_SECONDS = 1200.0
_EXCERPT_SECONDS, _SHORTEST_EXCERPT = 8.0, 2.0
# Hundreds of components, as of the notes of a score, take as long as a separation to encode.
_MOST_SOUNDS = 100
_BLOCK = 2**18  # samples
_SHARED = ("track", "hand", "program", "channel")  # divisions of notes into a few stems
_FADE_SECONDS = 0.02


class SeparatedComponents(SeparatedAudio, Protocol):
    """Stems with the components that they consist of, such as `nmfaudio.Stems`."""

    @property
    def decomposition(self) -> Decomposition: ...
    @property
    def groups(self) -> Mapping[str, ComponentGroup]: ...
    @property
    def masking(self) -> Masking: ...
    @property
    def settings(self) -> Mapping[str, Any]: ...
    @property
    def notes(self) -> Sequence[Note]: ...
    def components(self) -> Iterator[tuple[str, np.ndarray]]:
        """Yield the name and the samples of each component."""


def report_contents(
    stems: SeparatedComponents,
    *,
    references: Sources | None = None,
    notes: Sequence[Note] | None = None,
    title: str | None = None,
    recording: str = "mixture.wav",
    model: str = "model.npz",
    options: Mapping[str, Sequence[str]] | None = None,
    start: float = 0.0,
) -> ReportContents:
    """Collect what the report page of stems shows.

    Parameters
    ----------
    stems : Stems
    references : mapping of str to np.ndarray, np.ndarray or path, optional
        True sources, as `nmfaudio.evaluate` takes them.
    notes : sequence of Note, optional
        Notes for the piano roll; by default those of the stems, or of the score in the model.
    title : str, optional
        Heading of the page; by default the name of the recording.
    recording, model : str
        File names in the commands that the page suggests.
    options : mapping of str to sequence of str, optional
        Further words of the commands ``regroup`` and ``paint``.
    start : float
        Time of the first sample in the file of the recording, in seconds.

    Returns
    -------
    ReportContents
    """
    scores, compared = ({}, {}) if references is None else _scores(references, stems)
    sounds, rests, remarks = _component_sounds(stems)
    return ReportContents(
        title=title or recording,
        sr=stems.sr,
        mixture=stems.mixture,
        stems=stems.stems,
        groups={
            name: group.components for name, group in stems.groups.items() if name in stems.stems
        },
        decomposition=stems.decomposition,
        transform=stems.transform,
        sounds=sounds,
        rests=rests,
        settings=stems.settings,
        notes=_by_stem(_notes(stems) if notes is None else notes, stems),
        scores=scores,
        references=compared,
        recording=recording,
        model=model,
        options=options or {},
        start=start,
        alpha=stems.masking.alpha,
        sum_error=_sum_error(stems),
        remarks=remarks,
    )


def _sum_error(stems: SeparatedComponents) -> float:
    """Largest difference between the sum of the stems and the recording."""
    largest = 0.0
    for start in range(0, stems.mixture.shape[1], _BLOCK):
        part = slice(start, start + _BLOCK)
        total = sum(y[:, part] for y in stems.stems.values())
        largest = max(largest, float(np.abs(stems.mixture[:, part] - total).max(initial=0.0)))
    return largest


def _notes(stems: SeparatedComponents) -> Sequence[Note]:
    """Transcribed notes, or the aligned notes of the score that the model was fitted with."""
    from nmfaudio.symbolic.note import Note

    if stems.notes:
        return stems.notes
    return [Note(*values) for values in stems.decomposition.metadata.get("notes", ())]


def _by_stem(notes: Sequence[Note], stems: SeparatedComponents) -> Sequence[Note]:
    """Notes whose tracks are the stems that they were divided into, where several share one."""
    for by in _SHARED:
        labels = name_parts(notes, by)
        if set(labels) <= set(stems.stems):
            return [replace(note, track=label) for note, label in zip(notes, labels, strict=True)]
    return notes


def _component_sounds(
    stems: SeparatedComponents,
) -> tuple[dict[int, ComponentSound], dict[str, np.ndarray], list[str]]:
    """Sounds of components, of the others of each stem together, and remarks on what is left out.

    The strongest components have the whole recording, others an excerpt of where they are loudest.
    """
    every = [k for group in stems.groups.values() for k in group.components]
    shares = component_shares(stems.decomposition)
    strongest = sorted(every, key=lambda k: -shares[k])
    seconds = stems.mixture.shape[1] / stems.sr
    most = int(_MOST_SECONDS / max(seconds, 1e-3))
    mixture: object = stems.mixture  # of files, too, which are not read as a whole
    if len(every) > most and not isinstance(mixture, np.ndarray):
        most = 0
    whole, excerpts = set(strongest[: min(most, _MOST_SOUNDS)]), set(strongest[:_MOST_SOUNDS])
    excerpts -= whole
    sounds: dict[int, ComponentSound] = {}
    rests: dict[str, np.ndarray] = {}
    for name, group in stems.groups.items():
        own = [k for k in group.components if k in whole]
        others = [k for k in group.components if k not in whole]
        if own:
            parts = _whole_sounds(stems, name, [[k] for k in own] + ([others] if others else []))
            sounds |= {k: ComponentSound(0.0, next(parts)) for k in own}
            if others:
                rests[name] = next(parts)
        sounds |= _loudest_excerpts(stems, name, excerpts & set(others), len(every))
    if len(whole) == len(every):
        return sounds, rests, []
    share = 100 * float(shares[list(whole)].sum() / (shares[every].sum() or 1.0))
    remark = (
        f"This page plays the {len(whole)} strongest components in full ({share:.0f} % of the "
        "model), also when they are moved"
    )
    if excerpts:
        remark += f"; {len(excerpts)} more play as a short excerpt"
    if len(whole) + len(excerpts) < len(every):
        remark += "; the rest are silent"
    return sounds, rests, [f"{remark}."]


def _whole_sounds(
    stems: SeparatedComponents, name: str, parts: Sequence[Sequence[int]]
) -> Iterator[np.ndarray]:
    """Sounds of groups of components that make up a stem, in one channel."""
    masks = group_masks(stems.decomposition, parts, stems.masking)
    for y in apply_masks(masks, len(parts), stems.stems[name][:, :], stems.transform):
        yield y.mean(axis=0)


def _loudest_excerpts(
    stems: SeparatedComponents, name: str, chosen: set[int], count: int
) -> dict[int, ComponentSound]:
    """Excerpts of some components of a stem where they are loudest."""
    seconds = stems.mixture.shape[1] / stems.sr
    each = max(_SHORTEST_EXCERPT, min(_EXCERPT_SECONDS, _MOST_SECONDS / max(count, 1)))
    frames = int(min(each, seconds) * stems.sr) // stems.transform.hop
    # Components with the same excerpt share the computation of their masks.
    places: dict[int, list[int]] = {}
    for i, k in enumerate(stems.groups[name].components):
        if k in chosen:
            first = _loudest(stems.decomposition.H[..., k, :], frames)
            places.setdefault(first, []).append(i)
    return {
        stems.groups[name].components[i]: excerpt
        for first, members in places.items()
        for i, excerpt in zip(members, _excerpts(stems, name, members, first, frames), strict=True)
    }


def _excerpts(
    stems: SeparatedComponents, name: str, chosen: Sequence[int], first: int, frames: int
) -> Iterator[ComponentSound]:
    """Sounds of some components of a stem, by position in it, from a frame on."""
    members = stems.groups[name].components
    masks = group_masks(stems.decomposition, [[k] for k in members], stems.masking)

    # Frame 0 of the excerpt is centred on its first sample, as is this frame of the recording.
    def shifted(excerpt: slice) -> Iterable[np.ndarray]:
        every = list(masks(slice(first + excerpt.start, first + excerpt.stop)))
        return [every[i] for i in chosen]

    begin, length = first * stems.transform.hop, frames * stems.transform.hop
    segment = stems.stems[name][:, begin : begin + length]
    fade = int(_FADE_SECONDS * stems.sr)
    for y in apply_masks(shifted, len(chosen), segment, stems.transform):
        yield ComponentSound(begin / stems.sr, _faded(y.mean(axis=0), fade))


def _loudest(H: np.ndarray, frames: int) -> int:
    """First frame of the excerpt with the most energy, of those that follow one another."""
    energy = np.atleast_2d(H).max(axis=0).astype(np.float64) ** 2
    starts = np.arange(0, len(energy), frames)
    first = int(starts[np.add.reduceat(energy, starts).argmax()])
    return max(0, min(first, len(energy) - 1 - frames))  # an excerpt ends in a frame of its own


def _faded(y: np.ndarray, length: int) -> np.ndarray:
    """Samples with linear ramps of a length at both ends."""
    ramp = np.minimum(np.arange(len(y)) / max(length, 1), 1).astype(y.dtype)
    faded: np.ndarray = y * ramp * ramp[::-1]
    return faded


def _scores(
    references: Sources, stems: SeparatedComponents
) -> tuple[Mapping[str, Mapping[str, float]], Mapping[str, str]]:
    """Measures in dB by stem, with their means, and the reference of each stem."""
    signals = {name: y[:, :] for name, y in stems.stems.items()}  # of files, too
    evaluation = evaluate(references, signals, stems.sr, mixture=stems.mixture[:, :])
    compared = {estimate: source for source, estimate in evaluation.matches.items()}
    rows = {estimate: evaluation[source] for estimate, source in compared.items()}
    rows["mean"] = evaluation.mean
    scores = {
        name: {LABELS[measure]: value for measure, value in row.items()}
        for name, row in rows.items()
    }
    return scores, compared
