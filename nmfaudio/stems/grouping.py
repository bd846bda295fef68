"""Which components make which source, from the spectrogram and the factors alone.

Percussive against harmonic evidence comes first, pitch range second. Both divide numbers on a line
into natural classes. Everything else that was tried (centroids, bandwidths, cepstra, common onsets
as a distance, stereo position) helped less than 0.3 dB on seven mixtures, or hurt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from nmfaudio._common.validation import as_count
from nmfaudio.kernels.products import product
from nmfaudio.stems.percussiveness import (
    EVIDENCE_FRAMES,
    at_unit_peak,
    check_model,
    explained,
    median_over,
    percussiveness,
    ratio_or,
)

__all__ = ["ComponentGroup", "describe_groups", "group_components", "percussiveness"]

# The percussive class is a source of its own if its components are at least this percussive
# (measured: 0.44 to 0.93 in 16 recordings with drums, 0.13 to 0.41 in 9 of 10 without) ...
_DRUMS = 0.45
# ... and there is something else beside it: in drums alone, a median of 0.7 s takes away more than
# this share of the energy (measured with windows of 46 and 93 ms: at least 0.72 in 7 recordings of
# drums alone, at most 0.67 in 10 of other music; windows of 186 ms blur the difference).
_DRUMS_ALONE = 0.7
_DRUMS_ALONE_SECONDS = 0.7
# Components whose percussiveness deviates less than this are of one kind: tones alone (measured:
# 0.003), clicks alone (1e-16).
_ONE_KIND = 0.02
# "auto" leaves a tenth of the spread in pitch unexplained, and calls a quarter octave one pitch.
_UNEXPLAINED = 0.1
_ONE_PITCH = 0.25  # octaves
MOST_SOURCES = 6


@dataclass(frozen=True)
class ComponentGroup:
    """The components of one source, and what was seen in them.

    Attributes
    ----------
    components : tuple of int
        Their indices, ascending.
    energy_share : float
        Share of what all components explain of the mixture; the shares of a grouping sum to one.
    centre_hz : float
        Energy-weighted mean frequency in Hz, 0 where there is no energy.
    percussiveness : float
        Energy-weighted mean of the components' `percussiveness`, 0 to 1; 0.5 without energy.
    """

    components: tuple[int, ...]
    energy_share: float
    centre_hz: float
    percussiveness: float


def group_components(
    V: np.ndarray,
    W: np.ndarray,
    H: np.ndarray,
    *,
    frequencies: np.ndarray,
    hop_seconds: float,
    sources: int | Literal["auto"] = 2,
) -> dict[str, ComponentGroup]:
    """Decide which component belongs to which source.

    Two sources are the two natural classes of the components' `percussiveness`, each averaged
    over the components that sound together with it. With more sources the percussive class is one
    of them, provided that there are both drums and something else; the remaining components, or
    all, are divided by pitch range: the natural classes of their median frequencies in octaves.

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]
        Magnitude spectrogram of the mixture, >= 0.
    W : np.ndarray [shape=(freq, component) or (lag, freq, component)]
        Templates, >= 0.
    H : np.ndarray [shape=(component, time)]
        Activations, >= 0.
    frequencies : np.ndarray [shape=(freq,)]
        Centre of each bin in Hz, ascending and evenly spaced.
    hop_seconds : float
        Time between two frames in seconds.
    sources : int >= 1 or "auto"
        2 gives ``"harmonic"`` and ``"percussive"``. Any other number gives ``"source-1"``,
        ``"source-2"``, ... with the most energy first, and so does ``"auto"``, which finds 1 to 6:
        the drums, if there are any, and as many pitch ranges as explain nine tenths of the spread
        in pitch. Those need not be instruments.

    Returns
    -------
    dict of str to Group
        Every component is in exactly one group, and no group is empty.

    Raises
    ------
    ParameterError
        `sources` is neither ``"auto"`` nor an integer from 1 to the number of components, or
        `hop_seconds` is not above 0.
    ShapeError
        The shapes of `V`, `W`, `H` and `frequencies` do not fit together.
    """
    check_model(V, W, H, frequencies, hop_seconds)
    if sources != "auto":
        sources = as_count(sources, "sources", low=1, high=len(H))
    W, H = at_unit_peak(W), at_unit_peak(H)
    energy = explained(V, W, H)
    share = percussiveness(V, W, H, frequencies=frequencies, hop_seconds=hop_seconds)
    alive = np.flatnonzero(energy.any(axis=0))
    mixed = sources != 2 and not _drums_alone(V, hop_seconds)
    found = _sort_out(energy[:, alive], share[alive], H[alive], frequencies, sources, mixed)
    # Components without energy go where a group would be empty, the others to the first one.
    wanted = int(found.max(initial=0)) + 1 if sources == "auto" else sources
    labels = np.zeros(len(H), int)
    labels[alive] = found
    silent = np.setdiff1d(np.arange(len(H)), alive)
    missing = np.setdiff1d(np.arange(wanted), found)[: len(silent)]
    labels[silent[: len(missing)]] = missing
    groups = [
        _describe(np.flatnonzero(labels == i), energy, share, frequencies) for i in range(wanted)
    ]
    if sources == 2:
        return dict(zip(["harmonic", "percussive"], groups, strict=True))
    groups.sort(key=lambda group: -group.energy_share)
    return {f"source-{i}": group for i, group in enumerate(groups, start=1)}


def describe_groups(
    V: np.ndarray,
    W: np.ndarray,
    H: np.ndarray,
    members: Mapping[str, Sequence[int]],
    *,
    frequencies: np.ndarray,
    hop_seconds: float,
) -> dict[str, ComponentGroup]:
    """What is to be seen in groups of components that are known already.

    Parameters
    ----------
    V, W, H, frequencies, hop_seconds
        As for `group_components`.
    members : mapping of str to sequence of int
        The components of each group.

    Returns
    -------
    dict of str to Group

    Raises
    ------
    ParameterError, ShapeError
        As for `group_components`.
    """
    check_model(V, W, H, frequencies, hop_seconds)
    W, H = at_unit_peak(W), at_unit_peak(H)
    energy = explained(V, W, H)
    share = percussiveness(V, W, H, frequencies=frequencies, hop_seconds=hop_seconds)
    return {
        name: _describe(np.sort(np.asarray(group, int)), energy, share, frequencies)
        for name, group in members.items()
    }


def percussive_classes(
    V: np.ndarray,
    W: np.ndarray,
    H: np.ndarray,
    *,
    frequencies: np.ndarray,
    hop_seconds: float,
    classes: int = 2,
) -> np.ndarray:
    """The natural classes of components by `percussiveness`, each pooled with what sounds with it.

    Parameters
    ----------
    V, W, H, frequencies, hop_seconds
        As for `percussiveness`.
    classes : int
        How many, at most.

    Returns
    -------
    np.ndarray [shape=(component,)]
        From 0, the least percussive, to ``classes - 1``; 0 for a component without energy. Where
        all are about equally percussive there is one class, the first or the last.

    Raises
    ------
    ParameterError, ShapeError
        As for `percussiveness`.
    """
    share = percussiveness(V, W, H, frequencies=frequencies, hop_seconds=hop_seconds)
    W, H = at_unit_peak(W), at_unit_peak(H)
    energy = explained(V, W, H).sum(axis=0)
    alive = np.flatnonzero(energy)
    labels = np.zeros(len(H), int)
    if not len(alive):
        return labels
    pooled, weights = _together(H[alive]) @ share[alive], energy[alive]
    mean = np.average(pooled, weights=weights)
    if np.average((pooled - mean) ** 2, weights=weights) < _ONE_KIND**2:
        labels[alive] = classes - 1 if mean > 0.5 else 0
    else:
        labels[alive] = _classes(pooled, weights, classes)
    return labels


def _sort_out(
    energy: np.ndarray,
    share: np.ndarray,
    H: np.ndarray,
    frequencies: np.ndarray,
    sources: int | Literal["auto"],
    mixed: bool,
) -> np.ndarray:
    """Labels from 0 of components with energy; as many as `sources`, if they suffice.

    `mixed` says that drums, if there are any, are not alone.
    """
    weights = energy.sum(axis=0) / max(energy.sum(), np.finfo(float).tiny)
    pooled = _together(H) @ share
    drums = _classes(pooled, weights, 2)
    if sources == 2:
        return drums
    steady = drums == 0
    if sources == "auto":
        tolerance, most = (_UNEXPLAINED, _ONE_PITCH), MOST_SOURCES
    else:
        tolerance, most = (0.0, 0.0), sources
    first = (
        mixed
        and drums.any()
        and np.average(pooled[~steady], weights=weights[~steady]) >= _DRUMS
        and (sources == "auto" or np.count_nonzero(steady) >= most - 1 > 0)
    )
    pitch = _median_octave(energy, frequencies)
    if not first:
        return _classes(pitch, weights, most, *tolerance)
    labels = np.zeros(len(share), int)
    labels[steady] = 1 + _classes(pitch[steady], weights[steady], most - 1, *tolerance)
    return labels


def _classes(
    values: np.ndarray,
    weights: np.ndarray,
    most: int,
    unexplained: float = 0.0,
    negligible: float = 0.0,
) -> np.ndarray:
    """Labels 0, 1, ... of the natural classes of `values`, from low to high.

    The classes are intervals with the least weighted squared deviation from their means, found
    by dynamic programming (W. D. Fisher 1958, doi:10.1080/01621459.1958.10501479). There are
    `most` of them, or the fewest that leave no more than the share `unexplained` of the deviation
    or a standard deviation of `negligible`.
    """
    n = len(values)
    order = np.argsort(values, kind="stable")
    x, w = values[order] - values.mean() if n else values, weights[order]
    mass, first, second = (np.append(0, np.cumsum(w * x**p)) for p in range(3))
    sums = [s[None, :] - s[:, None] for s in (mass, first, second)]
    spread = sums[2] - ratio_or(sums[1] ** 2, sums[0], 0.0)
    # cost[i, j] is what the class of the values i ... j - 1 costs.
    cost = np.where(np.triu(np.ones((n + 1, n + 1), bool), 1), np.maximum(spread, 0), np.inf)
    enough = max(unexplained * cost[0, n], negligible**2 * mass[n]) if n else 0.0
    best = cost[0]
    starts: list[np.ndarray] = []
    while len(starts) < min(most, n) - 1 and (enough == 0 or best[n] > enough):
        total = best[:, None] + cost
        starts.append(total.argmin(axis=0))
        best = total.min(axis=0)
    labels = np.zeros(n, int)
    end = n
    for label in range(len(starts), 0, -1):
        start = int(starts[label - 1][end])
        labels[order[start:end]] = label
        end = start
    return labels


def _together(H: np.ndarray) -> np.ndarray:
    """How much each component sounds together with each, ``(component, component)``; rows sum to 1.

    A drum stroke is spread over several components, some of which look harmonic by themselves.
    """
    centred = H - H.mean(axis=1, keepdims=True, dtype=np.float64)
    norms = np.linalg.norm(centred, axis=1, keepdims=True)
    centred = ratio_or(centred, norms, 0.0)
    alike: np.ndarray = np.maximum(product(centred, centred.T), 0.0) ** 2
    np.fill_diagonal(alike, 1.0)
    alike /= alike.sum(axis=1, keepdims=True)
    return alike


def _drums_alone(V: np.ndarray, hop_seconds: float) -> bool:
    """Whether nearly all energy is short-lived."""
    # A long recording is judged by some of its bins.
    V = at_unit_peak(V[:: max(1, V.shape[1] // EVIDENCE_FRAMES)])
    steady = median_over(V, _DRUMS_ALONE_SECONDS / hop_seconds)
    kept, whole = (float(np.square(X).sum(dtype=np.float64)) for X in (steady, V))
    return kept < (1 - _DRUMS_ALONE) * whole


def _median_octave(energy: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
    """Octaves above 1 Hz of the frequency that halves the energy of each component."""
    below = np.cumsum(energy, axis=0)
    middle = np.argmax(below >= 0.5 * below[-1], axis=0)
    octaves: np.ndarray = np.log2(np.maximum(frequencies[middle], 1.0))
    return octaves


def _describe(
    members: np.ndarray, energy: np.ndarray, share: np.ndarray, frequencies: np.ndarray
) -> ComponentGroup:
    """The group of these components."""
    own = energy[:, members]
    mine, whole = float(own.sum()), float(energy.sum())
    return ComponentGroup(
        components=tuple(int(k) for k in members),
        energy_share=mine / whole if whole > 0 else 0.0,
        centre_hz=float(frequencies @ own.sum(axis=1)) / mine if mine > 0 else 0.0,
        percussiveness=float(own.sum(axis=0) @ share[members]) / mine if mine > 0 else 0.5,
    )
