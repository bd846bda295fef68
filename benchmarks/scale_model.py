"""Model of efficiency on many workers: ``python -m benchmarks.scale_model``.

A simulation of one serial dispatcher and of workers that run tasks: no machine has a thousand
workers here. ``COSTS`` were measured on one core; ``--measure`` measures them again, some seconds
of CPU each. Assumed are the time to fetch a task, the deviation of the times of equal tasks, the
speed of a shared disk, and the lengths of the files.
"""

from __future__ import annotations

import heapq
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

import nmfaudio as na
from benchmarks.scale import SR, repeated_samples
from nmfaudio.kernels.layout import GROUP, SHARD

HOP, BINS, COMPONENTS, UPDATES = 1024, 2049, 64, 20
FETCH, DEVIATION, DISK = 0.05, 0.2, 1e9  # s, share (log-normal), bytes/s of a worker: assumed
RENDER_SHARD = 600.0  # s of audio
LEARNED = 8192 * HOP / SR  # s of audio that templates are learned from, at most


@dataclass(frozen=True)
class Costs:
    """Seconds of one core, measured."""

    dispatch: float
    """Of the supervisor per task."""
    prepare: float = 8.7
    """Decoding and STFT, per hour of audio."""
    fit: float = 12.3
    """Activations of a pass with 64 components and 20 updates, per hour of audio."""
    learn: float = 7.7
    """Learning the model of a recording of 4 stems, for each `LEARNED` of audio."""
    render: float = 96.0
    """Reading, activations, spatial filter and 4 stems, per hour of audio."""
    sums: float = 1.05e6
    """Bytes of the sums of a part."""


OWN, DASK = Costs(dispatch=0.0001), Costs(dispatch=0.005)
Chain = Sequence[Sequence[float]]
"""Durations of tasks in stages, each of which begins when the one before it has ended."""


def makespan(
    chains: Sequence[Chain], workers: int, costs: Costs, rng: np.random.Generator
) -> float:
    """Simulate tasks on workers: first come, first served, sent one after another."""
    ready = deque((i, 0, t) for i, chain in enumerate(chains) for t in chain[0])
    left = [len(chain[0]) for chain in chains]
    running: list[tuple[float, int, int]] = []
    now, idle = 0.0, workers
    while ready or running:
        if ready and idle:
            chain, stage, seconds = ready.popleft()
            now += costs.dispatch
            end = now + FETCH + seconds * rng.lognormal(-(DEVIATION**2) / 2, DEVIATION)
            heapq.heappush(running, (end, chain, stage))
            idle -= 1
        else:
            end, chain, stage = heapq.heappop(running)
            now, idle = max(now, end), idle + 1
            left[chain] -= 1
            if not left[chain] and stage + 1 < len(chains[chain]):
                left[chain] = len(chains[chain][stage + 1])
                ready.extend((chain, stage + 1, t) for t in chains[chain][stage + 1])
    return now


def efficiency(
    chains: Sequence[Chain], work: float, workers: int, costs: Costs
) -> tuple[float, float]:
    """Share of the time of all workers that is work, and seconds in all."""
    seconds = makespan(chains, workers, costs, np.random.default_rng(0))
    return work / (workers * seconds), seconds


def file_hours(hours: float, long_share: float) -> np.ndarray:
    """Hours of each file: songs of about 4 minutes, and recordings of 1 to 10 hours."""
    rng = np.random.default_rng(0)
    songs = rng.lognormal(np.log(4 / 60), 0.4, int(20 * hours))
    longs = np.exp(rng.uniform(0, np.log(10), int(hours)))
    parts = [
        files[: int(np.searchsorted(np.cumsum(files), share * hours))]
        for files, share in ((songs, 1 - long_share), (longs, long_share))
    ]
    return rng.permutation(np.concatenate(parts))


def corpus_pass(hours: float, costs: Costs) -> tuple[list[Chain], float]:
    """Tasks of a pass over a corpus, parts and then groups of their sums, and the work in them."""
    shard = SHARD * HOP / SR / 3600
    parts, total = [], np.inf
    for length in file_hours(hours, 0.1):
        for piece in [shard] * int(length / shard) + [length % shard]:
            if total + piece > shard:
                parts.append(0.0)
                total = 0.0
            parts[-1] += piece
            total += piece
    write, read = costs.sums / DISK, GROUP * costs.sums / DISK
    tasks = [length * (costs.prepare + costs.fit) + write for length in parts]
    groups = [read] * -(-len(parts) // GROUP)
    # The driver adds the groups and updates the templates.
    last = [len(groups) * costs.sums / DISK]
    return [[tasks, groups, last]], hours * (costs.prepare + costs.fit)


def batch(
    hours: float, costs: Costs, *, shards: bool, longest_first: bool
) -> tuple[list[Chain], float]:
    """Tasks of `nmfaudio batch separate --stems`, and the work in them."""
    files = file_hours(hours, 0.1)
    if longest_first:
        files = np.sort(files)[::-1]
    chains: list[Chain] = []
    work = 0.0
    for length in files:
        learn = costs.learn * min(length * 3600 / LEARNED, 1)
        render = length * costs.render
        work += learn + render
        if shards and length * 3600 > RENDER_SHARD:
            count = int(np.ceil(length * 3600 / RENDER_SHARD))
            chains.append([[learn], [render / count] * count])
        else:
            chains.append([[learn + render]])
    return chains, work


def print_tables() -> None:
    """Print the efficiency of both workloads."""
    print("| a pass of `fit_corpus`, 64 components | own processes | Dask |\n|---|---|---|")
    for hours, workers in ((100, 10), (1000, 100), (8000, 1000)):
        cells = []
        for costs in (OWN, DASK):
            chains, work = corpus_pass(hours, costs)
            share, seconds = efficiency(chains, work, workers, costs)
            cells.append(f"{share:.2f} ({seconds:.0f} s)")
        print(f"| {hours:,} h, {workers:,} workers | {' | '.join(cells)} |")
    print("\n| `batch separate --stems`, 8,232 h, 1,000 workers | own processes | Dask |")
    print("|---|---|---|")
    for label, settings in (
        ("files in any order", {"shards": False, "longest_first": False}),
        ("the longest files first", {"shards": False, "longest_first": True}),
        ("files over 10 min in shards", {"shards": True, "longest_first": False}),
        ("both", {"shards": True, "longest_first": True}),
    ):
        cells = []
        for costs in (OWN, DASK):
            chains, work = batch(8232, costs, **settings)
            share, seconds = efficiency(chains, work, 1000, costs)
            cells.append(f"{share:.2f} ({seconds / 60:.0f} min)")
        print(f"| {label} | {' | '.join(cells)} |")


def measured(seconds: float = 240.0) -> Costs:
    """Measure the costs on one thread, with machine code that is compiled before."""
    from nmfaudio.audio.io.track import open_track
    from nmfaudio.audio.masking import analyse
    from nmfaudio.factorisation.online import activations
    from nmfaudio.kernels.threads import set_threads

    set_threads(1)
    per_hour = 3600 / seconds
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as out:
        path = Path(folder, "song.wav")
        repeated_samples(path, seconds)
        y, sr = na.read(path)
        na.write(Path(folder, "song.flac"), y, sr)
        stft, W = na.Stft(SR, 4096), np.random.default_rng(0).random((BINS, COMPONENTS))
        W = W.astype(np.float32)
        separator = na.BlindSeparator(n_sources=4)

        def learn() -> None:
            with open_track(path) as track:
                separator.stream(track, track.sr)

        def prepare() -> np.ndarray:
            return analyse(na.read(Path(folder, "song.flac")).samples, stft)

        V = prepare()
        fit = _seconds(lambda: activations(V, W, na.Beta(1), max_iter=UPDATES))
        learned = _seconds(learn)
        whole = _seconds(lambda: na.separate_file(path, out, separator, overwrite=True))
        return replace(
            OWN,
            prepare=_seconds(prepare) * per_hour,
            fit=fit * per_hour,
            learn=learned * max(LEARNED / seconds, 1),
            render=(whole - learned) * per_hour,
        )


def _seconds(work: Callable[[], object]) -> float:
    """CPU time of the second call."""
    work()
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    if sys.argv[1:] == ["--measure"]:
        print(measured())
    else:
        print_tables()
