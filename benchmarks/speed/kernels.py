"""Time per iteration of multiplicative updates, ours and everyone's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.speed import limits, peers
from benchmarks.speed.measure import Contender, Spread, per_iteration, say
from benchmarks.speed.sound import Sizes, spectrogram, start

BETAS = (0, 0.5, 1, 2, 1.3)
DTYPES = ("float32", "float64")
LAGS = 8
OUR_SECONDS, PEER_SECONDS = 0.5, 1.0  # of work in the longer calls


@dataclass(frozen=True)
class Case:
    length: str
    dtype: str
    beta: float
    rank: int

    def whom(self) -> tuple[str, ...]:
        """Peers to compare with: everyone where people usually are, else the fastest."""
        usual = self.dtype == "float32" and (
            self.beta == 1 or (self.length == "3 min" and self.rank == 32)
        )
        return tuple(peers.PEERS) if usual else ("scikit-learn C",)


def cases(sizes: Sizes) -> Iterator[Case]:
    """All of them in float32; in float64 every rank for KL, else the middle one."""
    for length in sizes.seconds:
        for dtype in DTYPES:
            for beta in BETAS:
                every = dtype == "float32" or beta == 1
                for rank in sizes.ranks if every else sizes.ranks[1:2]:
                    yield Case(length, dtype, beta, rank)


def row(
    contenders: dict[str, Contender], work: float, peak: float, repeats: int, seconds: float
) -> dict[str, Any]:
    """Times, ratios and our share of the peak; `seconds` scales how long is measured."""
    budget = dict.fromkeys(contenders, PEER_SECONDS * seconds)
    budget[peers.OURS] = OUR_SECONDS * seconds
    took = per_iteration(contenders, budget, repeats)
    mine = took[peers.OURS]
    return {
        "seconds per iteration": took,
        "ratios": {name: s.to(mine) for name, s in took.items() if name != peers.OURS},
        "share of FMA peak": mine.into(work / peak),
    }


def nmf_rows(
    sizes: Sizes, peaks: dict[str, float], repeats: int, seconds: float
) -> list[dict[str, Any]]:
    rows = []
    for case in cases(sizes):
        V = spectrogram(sizes.seconds[case.length], case.dtype)
        W, H = start(V, (V.shape[0], case.rank), (case.rank, V.shape[1]))
        contenders = {peers.OURS: peers.ours(V, W, H, case.beta)}
        contenders |= {name: peers.PEERS[name](V, W, H, case.beta) for name in case.whom()}
        work = limits.flops(case.beta, V.shape, case.rank)
        found = row(contenders, work, peaks[case.dtype], repeats, seconds)
        rows.append(case.__dict__ | {"shape": V.shape} | found)
        ratio: Spread = found["ratios"]["scikit-learn C"]
        say(f"{case.length}, {case.dtype}, β = {case.beta:g}, r = {case.rank}: {ratio} ×")
    return rows


def nmfd_rows(
    sizes: Sizes, peaks: dict[str, float], repeats: int, seconds: float
) -> list[dict[str, Any]]:
    rank = sizes.ranks[0]
    V = spectrogram(sizes.seconds["30 s"], "float32")
    W, H = start(V, (LAGS, V.shape[0], rank), (rank, V.shape[1]))
    contenders = {
        peers.OURS: peers.ours_nmfd(V, W, H, 1),
        "torchnmf": peers.torchnmf_nmfd(V, W, H, 1),
    }
    work = limits.flops(1, V.shape, rank, LAGS)
    found = row(contenders, work, peaks["float32"], repeats, seconds)
    say(f"NMFD: {found['ratios']['torchnmf']} ×")
    return [{"shape": V.shape, "rank": rank, "lags": LAGS} | found]
