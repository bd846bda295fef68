"""Tasks of a fit: each computes the result of one part of the corpus, or adds those of a group."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import numpy as np

from nmfaudio._common.files import show
from nmfaudio.errors import ContentError
from nmfaudio.factorisation.checks import as_spectrogram
from nmfaudio.factorisation.corpus.shard_sums import ShardRun, Sums, SweepSettings
from nmfaudio.factorisation.corpus.store import Stored, load, save
from nmfaudio.factorisation.corpus.workspace import START, Frames, Workspace, pass_name
from nmfaudio.factorisation.loop import constant_model_cost
from nmfaudio.factorisation.online import activations
from nmfaudio.factorisation.solvers.bmme import extrapolated

_KEPT = "activations"  # array of a result


def run_part(frames: Frames, folder: str, step: str, part: int) -> None:
    """Compute the result of a part, unless it exists."""
    _part_result(Workspace(Path(folder), frames), step, part, ())


def run_group(frames: Frames, folder: str, step: str, group: int) -> None:
    """Add the sums of the parts of a group, unless that was done; compute missing ones."""
    work = Workspace(Path(folder), frames)
    path = work.sum_path(step, group)
    if load(path, ()) is None:
        parts = (_part_result(work, step, part, Sums._fields) for part in work.plan.group(group))
        sums = Sums.added([Sums.stored(part.arrays) for part in parts])
        save(path, Stored({}, sums.arrays()))


def _part_result(work: Workspace, step: str, part: int, names: Collection[str]) -> Stored:
    """Some arrays of the result of a part, computed and saved if it is missing or damaged."""
    path = work.part_path(step, part)
    result = load(path, names)
    if result is None:
        order = work.order(step)
        result = _KINDS[order.facts["kind"]](work, order, part)
        save(path, result)
    return result


def _statistics(work: Workspace, order: Stored, part: int) -> Stored:
    """Sum and maximum of each shard; keeps the spectrograms if the order says so."""
    shards = [as_spectrogram(V)[0] for V in work.spectrograms(part, keep=order.facts["keep"])]
    sums = [float(V.sum(dtype=np.float64)) for V in shards]
    return Stored({"sums": sums, "max": max(float(V.max()) for V in shards)}, {})


def _sample(work: Workspace, order: Stored, part: int) -> Stored:
    """Frames of the part at indices that are spread evenly over the corpus, (time, freq)."""
    count, total = order.facts["count"], work.plan.n_frames
    shards = work.plan.parts[part]
    chosen = [spread(shard.offset, shard.offset + shard.frames, count, total) for shard in shards]
    if not any(map(len, chosen)):
        return Stored({}, {})
    frames = [
        V.T[indices - shard.offset]
        for V, indices, shard in zip(work.spectrograms(part), chosen, shards, strict=True)
    ]
    return Stored({}, {"V": np.concatenate(frames)})


def spread(first: int, stop: int, count: int, total: int) -> np.ndarray:
    """Indices from `first` to `stop` − 1, of `count` that are spread evenly over `total`."""
    low, high = (max(0, -(-(2 * n * count - total) // (2 * total))) for n in (first, stop))
    numbers = np.arange(low, min(high, count))
    return (2 * numbers + 1) * total // (2 * count)


def _sums(work: Workspace, order: Stored, part: int) -> Stored:
    """Sum of each shard as the divergence prepared it."""
    return Stored(
        {"sums": [float(V.sum(dtype=np.float64)) for V in _prepared(work, order, part)]}, {}
    )


def _constant(work: Workspace, order: Stored, part: int) -> Stored:
    """Divergence of a constant from each shard."""
    settings = _settings(order)
    costs = [
        constant_model_cost(settings.divergence, V, order.facts["mean"], None)
        for V in _prepared(work, order, part)
    ]
    return Stored({"costs": costs}, {})


def _sweep(work: Workspace, order: Stored, part: int) -> Stored:
    """Update the activations of the last pass, and sum over the frames."""
    facts, settings = order.facts, _settings(order)
    W, W_next = order.arrays["W"], order.arrays.get("W_next", order.arrays["W"])
    H = stored_activations(work, facts["source"], part)
    parts, updated, done = [], [], 0
    for V in _prepared(work, order, part):
        run = ShardRun(V, W, W_next, H[done : done + V.shape[1]], settings)
        sums, H_new = run.run(update=facts["update"], want_loss=facts["loss"])
        parts.append(sums)
        updated.append(H_new)
        done += V.shape[1]
    kept = {_KEPT: np.concatenate(updated)} if facts["update"] else {}
    return Stored({}, Sums.added(parts).arrays() | kept)


def _fresh(work: Workspace, order: Stored, part: int) -> Stored:
    """Compute activations from nothing but the templates, and sum over the frames."""
    settings, W, parts = _settings(order), order.arrays["W"], []
    for V in _prepared(work, order, part):
        H = activations(V, W, settings.divergence, max_iter=order.facts["updates"])
        parts.append(ShardRun(V, W, W, H.T, settings).run(update=False, want_loss=True)[0])
    return Stored({}, Sums.added(parts).arrays())


def _settings(order: Stored) -> SweepSettings:
    return SweepSettings(**order.facts["settings"])


def _prepared(work: Workspace, order: Stored, part: int) -> list[np.ndarray]:
    """Spectrograms of the shards of a part, scaled and in the domain of the divergence."""
    settings, top = _settings(order), order.facts["top"]
    out = []
    for V in work.spectrograms(part):
        scaled = V if settings.scale == 1 else V / V.dtype.type(settings.scale)
        out.append(np.asfortranarray(settings.divergence.raised(scaled, top)))
    return out


def stored_activations(work: Workspace, source: list[Any], part: int) -> np.ndarray:
    """Activations of one pass, or extrapolated from two, (time, component)."""
    H = _activations_of(work, source[0], part)
    if len(source) == 1:
        return H
    return extrapolated(H, _activations_of(work, source[1], part), source[2])


def _activations_of(work: Workspace, number: int, part: int) -> np.ndarray:
    if number != START:
        return _part_result(work, pass_name(number), part, (_KEPT,)).arrays[_KEPT]
    path = work.start_path(part)
    try:
        return np.array(np.load(path, allow_pickle=False).T, order="C")
    except (OSError, ValueError):
        raise ContentError(
            f"{show(path)}: missing or damaged; delete the folder and fit again"
        ) from None


_KINDS: dict[str, Callable[[Workspace, Stored, int], Stored]] = {
    "statistics": _statistics,
    "sample": _sample,
    "sums": _sums,
    "constant": _constant,
    "sweep": _sweep,
    "fresh": _fresh,
}
"""Functions of (workspace, order, part) by the kind of an order."""
