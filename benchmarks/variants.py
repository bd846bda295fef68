"""Cost of each variant relative to plain NMF: ``python -m benchmarks.variants``.

Milliseconds per iteration of multiplicative updates for KL on 30 s of audio (float32, 32
components), and the ratio to plain NMF, measured in alternating rounds. Variants that are part of
the fused sweep should cost little; the others update one factor at a time on the generic path.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

import numpy as np

import nmfaudio as na
from benchmarks.speed.measure import Contender, per_iteration, rounded, say
from benchmarks.speed.sound import spectrogram

RANK, LAGS, SHIFTS, PITCHES, ATOMS, FILTERS = 32, 4, 3, 24, 8, 10

Model = tuple[np.ndarray, list[na.Factor], dict[str, Any]]
"""V, factors, and further arguments of `decompose`."""


def positive(*shape: int) -> np.ndarray:
    """Random array of positive entries in float32."""
    return np.random.default_rng(0).random(shape).astype(np.float32) + 0.01


def penalised(V: np.ndarray) -> Iterator[tuple[str, Model]]:
    """Yield plain NMF, weighted and partly fixed NMF, and NMF with each penalty."""
    freq, time = V.shape
    W, H = positive(freq, RANK), positive(RANK, time)
    graph = na.penalties.nearest_neighbours(V[::16], 5)
    on_H = {
        "L1": na.penalties.L1(0.1),
        "L2": na.penalties.L2(0.1),
        "Log": na.penalties.Log(0.1, 0.1),
        "GroupSparsity": na.penalties.GroupSparsity(0.1, [k // 2 for k in range(RANK)]),
        "Smooth": na.penalties.Smooth(0.1),
        "SmoothRatio": na.penalties.SmoothRatio(0.1),
        "Graph": na.penalties.Graph(0.1, graph),
        "Decorrelated": na.penalties.Decorrelated(0.1),
    }
    on_W = {"Prior": na.penalties.Prior(0.1, W), "MinVolume": na.penalties.MinVolume(0.1, 1.0)}
    yield "plain", (V, [na.Factor(W), na.Factor(H)], {})
    yield "weights", (V, [na.Factor(W), na.Factor(H)], {"weights": positive(*V.shape)})
    yield "half of W fixed", (V, [na.Factor(W, np.arange(RANK) < RANK // 2), na.Factor(H)], {})
    for name, penalty in on_H.items():
        yield f"{name} on H", (V, [na.Factor(W), na.Factor(H, penalties=(penalty,))], {})
    yield (
        "L1 on H, unit norm of W",
        (V, [na.Factor(W, unit="l2"), na.Factor(H, penalties=(na.penalties.L1(0.1),))], {}),
    )
    for name, penalty in on_W.items():
        yield f"{name} on W", (V, [na.Factor(W, penalties=(penalty,)), na.Factor(H)], {})


def structured(V: np.ndarray) -> Iterator[tuple[str, Model]]:
    """Yield a model of each structure."""
    freq, time = V.shape
    H = positive(RANK, time)

    def model(structure: na.structures.Structure, *factors: np.ndarray, V: np.ndarray = V) -> Model:
        return V, [na.Factor(F) for F in factors], {"structure": structure}

    yield (
        f"Convolutive, {LAGS} lags",
        model(na.structures.Convolutive(), positive(LAGS, freq, RANK // LAGS), H[: RANK // LAGS]),
    )
    yield (
        f"Convolutive2D, {LAGS} lags, {SHIFTS} shifts",
        model(
            na.structures.Convolutive2D(),
            positive(LAGS, freq, RANK // LAGS),
            positive(SHIFTS, RANK // LAGS, time),
        ),
    )
    yield (
        "Channels, stereo",
        model(
            na.structures.Channels(), positive(2, RANK), positive(freq, RANK), H, V=np.stack([V, V])
        ),
    )
    yield (
        f"Harmonic, {ATOMS} atoms",
        model(na.structures.Harmonic(), positive(freq, ATOMS, RANK), positive(ATOMS, RANK), H),
    )
    yield (
        f"SourceFilter, {PITCHES} pitches, {FILTERS} filters",
        model(
            na.structures.SourceFilter(),
            positive(freq, PITCHES),
            positive(PITCHES, time),
            positive(freq, FILTERS),
            positive(FILTERS, time),
            positive(freq, RANK),
            H,
        ),
    )
    yield (
        "deep, 32 and 8",
        model(na.structures.Product(), positive(freq, RANK), positive(RANK, 8), H[:8]),
    )


def contender(model: Model) -> Contender:
    """Contender that runs multiplicative updates on a model."""
    V, factors, arguments = model

    def run(n: int) -> None:
        na.decompose(V, factors, solver="mu", max_iter=n, tol=0, check_every=n, **arguments)

    return Contender(run)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.variants",
        description="Measure the time per iteration of each variant relative to plain NMF.",
    )
    parser.add_argument(
        "--seconds", type=float, default=30, help="length of the audio in seconds (default: 30)"
    )
    parser.add_argument(
        "--repeats", type=int, default=3, help="number of alternating rounds (default: 3)"
    )
    chosen = parser.parse_args()
    V = spectrogram(chosen.seconds, "float32")
    plain: Contender | None = None
    print("| variant | ms per iteration | × plain |\n|---|---|---|")
    for name, model in [*penalised(V), *structured(V)]:
        # Each variant alternates with plain NMF, so that both see the same load of the machine.
        variant = contender(model)
        plain = plain or variant
        took = per_iteration(
            {"plain": plain, name: variant}, {"plain": 0.3, name: 0.6}, chosen.repeats
        )
        ratio = took[name].to(took["plain"])
        print(f"| {name} | {rounded(1000 * took[name].median)} | {ratio} |", flush=True)
        say(name)


if __name__ == "__main__":
    main()
