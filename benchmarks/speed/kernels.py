"""Time per iteration of multiplicative updates, here and in peers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.speed import limits, peers
from benchmarks.speed.measure import Contender, Spread, per_iteration, say
from benchmarks.speed.sound import Sizes, initial_factors, spectrogram

BETAS = (0, 0.5, 1, 2, 1.3)
DTYPES = ("float32", "float64")
LAGS = 8
OUR_SECONDS, PEER_SECONDS = 0.5, 1.0  # length of the longer calls


@dataclass(frozen=True)
class Case:
    """Data, divergence and rank of one row."""

    length: str
    dtype: str
    beta: float
    rank: int

    def compared(self) -> tuple[str, ...]:
        """Peers to compare with: all of them for common settings, else the fastest."""
        usual = self.dtype == "float32" and (
            self.beta == 1 or (self.length == "3 min" and self.rank == 32)
        )
        return tuple(peers.PEERS) if usual else ("scikit-learn C",)


def cases(sizes: Sizes) -> Iterator[Case]:
    """Yield all cases in float32; in float64 all ranks for KL, the middle one for other β."""
    for length in sizes.seconds:
        for dtype in DTYPES:
            for beta in BETAS:
                all_ranks = dtype == "float32" or beta == 1
                for rank in sizes.ranks if all_ranks else sizes.ranks[1:2]:
                    yield Case(length, dtype, beta, rank)


def row(
    contenders: dict[str, Contender], work: float, peak: float, repeats: int, seconds: float
) -> dict[str, Any]:
    """Times, ratios and share of the peak; `seconds` scales the length of the measurement."""
    budget = dict.fromkeys(contenders, PEER_SECONDS * seconds)
    budget[peers.OURS] = OUR_SECONDS * seconds
    took = per_iteration(contenders, budget, repeats)
    ours = took[peers.OURS]
    return {
        "seconds per iteration": took,
        "ratios": {name: s.to(ours) for name, s in took.items() if name != peers.OURS},
        "share of FMA peak": ours.into(work / peak),
    }


def nmf_rows(
    sizes: Sizes, peaks: dict[str, float], repeats: int, seconds: float
) -> list[dict[str, Any]]:
    """Measure plain NMF in all cases."""
    rows = []
    for case in cases(sizes):
        V = spectrogram(sizes.seconds[case.length], case.dtype)
        W, H = initial_factors(V, (V.shape[0], case.rank), (case.rank, V.shape[1]))
        contenders = {peers.OURS: peers.ours(V, W, H, case.beta)}
        contenders |= {name: peers.PEERS[name](V, W, H, case.beta) for name in case.compared()}
        work = limits.flops(case.beta, V.shape, case.rank)
        result = row(contenders, work, peaks[case.dtype], repeats, seconds)
        rows.append(case.__dict__ | {"shape": V.shape} | result)
        ratio: Spread = result["ratios"]["scikit-learn C"]
        say(f"{case.length}, {case.dtype}, β = {case.beta:g}, r = {case.rank}: {ratio} ×")
    return rows


def nmfd_rows(
    sizes: Sizes, peaks: dict[str, float], repeats: int, seconds: float
) -> list[dict[str, Any]]:
    """Measure NMFD for KL on 30 s."""
    rank = sizes.ranks[0]
    V = spectrogram(sizes.seconds["30 s"], "float32")
    W, H = initial_factors(V, (LAGS, V.shape[0], rank), (rank, V.shape[1]))
    contenders = {
        peers.OURS: peers.ours_nmfd(V, W, H, 1),
        "torchnmf": peers.torchnmf_nmfd(V, W, H, 1),
    }
    work = limits.flops(1, V.shape, rank, LAGS)
    result = row(contenders, work, peaks["float32"], repeats, seconds)
    say(f"NMFD: {result['ratios']['torchnmf']} ×")
    return [{"shape": V.shape, "rank": rank, "lags": LAGS} | result]
