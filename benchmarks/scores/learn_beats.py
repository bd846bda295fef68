"""Train the network of beats: ``python -m benchmarks.scores.learn_beats FOLDER OUT.npz``.

It learns from simulated performances of scores that come with music21: fiddle tunes and airs with
accompaniments that `arrangements` makes up, chorales and madrigals. No work of the benchmark is
among them, nor another movement or chorale of the same work. It requires PyTorch and music21
(``pip install torch music21``).
"""

from __future__ import annotations

import argparse
import pickle
import sys
from collections import Counter
from pathlib import Path

import numpy as np

from benchmarks.scores.material import WORKS, Piece, read_opening
from benchmarks.scores.simulation import Example, simulate
from benchmarks.scores.tunes import FOLDERS, read_tunes
from nmfaudio.symbolic.beat_network import framed, inputs

_SHARES = {  # of the examples, by the folder of music21's corpus
    "ryansMammoth": 1.0,
    "oneills1850": 1.2,
    "airdsAirs": 1.0,
    "miscFolk": 0.4,
    "bach": 0.8,
    "monteverdi": 0.5,
}
_OF_SIGNATURES = {  # of the examples, by time signature: few tunes are in 3/4
    "2/4": 0.18,
    "2/2": 0.14,
    "4/4": 0.22,
    "3/4": 0.24,
    "6/8": 0.15,
    "9/8": 0.04,
    "12/8": 0.03,
}
_QUARTERS = 200  # of each score
_CHORALES = 2  # every second one is used
_UNITS, _TAPS, _LAYERS, _HIDDEN = 24, 5, 8, 16
_BATCH, _RATE = 12, 3e-3  # performances, learning rate
_PERIODS = np.geomspace(0.28, 1.5, 25)  # s, edges of classes of the period
_METERS = (2, 3, 4)  # beats of a bar
_FURTHER = len(_PERIODS) - 1 + len(_METERS) + 1  # outputs for the whole piece


def scores(folder: Path) -> dict[str, list[Piece]]:
    """Read the scores of each folder of the corpus; `folder` keeps them for the next time."""
    file = folder / "training.pkl"
    if not file.exists():
        import music21

        root = Path(music21.__file__).parent / "corpus"
        found = {name: list(read_tunes(root / name)) for name in FOLDERS}
        for name, step in (("bach", _CHORALES), ("monteverdi", 1)):
            names = sorted(f"{name}/{path.name}" for path in (root / name).glob("*.mxl"))
            read = [read_opening(each, _QUARTERS) for each in _without_benchmark(names)[::step]]
            found[name] = [piece for piece in read if piece is not None]
        folder.mkdir(parents=True, exist_ok=True)
        file.write_bytes(pickle.dumps(found))
    return pickle.loads(file.read_bytes())


def _without_benchmark(names: list[str]) -> list[str]:
    """Names of scores that share no work with the benchmark."""

    def work(name: str) -> str:
        return name.rsplit("/", 1)[-1].split(".")[0]

    taken = {work(name) for name in WORKS}
    return [name for name in names if work(name) not in taken]


class Examples:
    """Performances of random scores, with shares of folders and of time signatures."""

    def __init__(self, found: dict[str, list[Piece]], without: tuple[str, ...], seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        folders = {name: pieces for name, pieces in found.items() if name not in without}
        self._pieces = [piece for pieces in folders.values() for piece in pieces]
        shares = [_SHARES[name] / len(pieces) for name, pieces in folders.items() for _ in pieces]
        signatures = [f"{piece.numerator}/{piece.denominator}" for piece in self._pieces]
        sums: Counter[str] = Counter()
        for signature, share in zip(signatures, shares, strict=True):
            sums[signature] += share
        weights = [
            share * _OF_SIGNATURES[signature] / sums[signature]
            for signature, share in zip(signatures, shares, strict=True)
        ]
        self._edges = np.cumsum(weights) / np.sum(weights)

    def draw(self) -> Example:
        """Return the next example."""
        while True:
            number = np.searchsorted(self._edges, self._rng.random())
            example = simulate(self._pieces[min(number, len(self._pieces) - 1)], self._rng)
            if example is not None and len(example.strokes.times) >= 12:
                return example


def _network(torch):
    """`BeatNetwork` in PyTorch, with outputs for downbeats and for the whole piece."""
    nn = torch.nn

    class Network(nn.Module):
        def __init__(self, features: int) -> None:
            super().__init__()
            self.input = nn.Conv1d(features, _UNITS, 1)
            self.taps = nn.ModuleList(
                nn.Conv1d(_UNITS, _UNITS, _TAPS, padding=2**n * (_TAPS // 2), dilation=2**n)
                for n in range(_LAYERS)
            )
            self.mixed = nn.ModuleList(nn.Conv1d(_UNITS, _UNITS, 1) for _ in range(_LAYERS))
            self.mean = nn.ModuleList(nn.Linear(_UNITS, _UNITS, bias=False) for _ in range(_LAYERS))
            self.hidden = nn.Linear(_UNITS + features, _HIDDEN)
            self.output = nn.Linear(_HIDDEN, 2)
            self.further = nn.Sequential(
                nn.Linear(2 * _UNITS, 32), nn.ReLU(), nn.Linear(32, _FURTHER)
            )

        def forward(self, frames, inside, piece, left, share, features):
            units, inside = self.input(frames), inside[:, None]
            length = inside.sum(2)
            for taps, mixed, mean in zip(self.taps, self.mixed, self.mean, strict=True):
                active = torch.relu(taps(units * inside))
                average = (active * inside).sum(2) / length
                units = units + mixed(active) + mean(average)[:, :, None]
            units = torch.relu(units)
            at_strokes = units[piece, :, left] * (1 - share) + units[piece, :, left + 1] * share
            hidden = torch.relu(self.hidden(torch.cat([at_strokes, features], 1)))
            number = torch.bincount(piece)[:, None]
            pooled = torch.zeros(len(frames), _UNITS).index_add(0, piece, at_strokes) / number
            whole = torch.cat([pooled, (units * inside).sum(2) / length], 1)
            return self.output(hidden), self.further(whole)

    return Network


def _batch(torch, examples: list[Example]):
    """Inputs of the network for several examples, whose frames are padded."""
    parts = [framed(example.strokes) for example in examples]
    longest = max(len(frames) for frames, _, _ in parts)
    frames = np.zeros((len(parts), parts[0][0].shape[1], longest), np.float32)
    inside = np.zeros((len(parts), longest), np.float32)
    for n, (part, _, _) in enumerate(parts):
        frames[n, :, : len(part)] = part.T
        inside[n, : len(part)] = 1
    piece = np.repeat(np.arange(len(parts)), [len(left) for _, left, _ in parts])
    left = np.concatenate([left for _, left, _ in parts])
    share = np.concatenate([share for _, _, share in parts]).astype(np.float32)
    features = np.concatenate([inputs(e.strokes) for e in examples]).astype(np.float32)
    return [torch.from_numpy(each) for each in (frames, inside, piece, left, share, features)]


def _loss(torch, outputs, piece, examples: list[Example]):
    """Weighted sum of the losses; every performance has the same weight."""
    functional = torch.nn.functional
    on_beats, further = outputs
    target = torch.tensor(np.concatenate([e.on_beats for e in examples]).astype(np.float32))
    weight = (1 / torch.bincount(piece).float())[piece][:, None] / len(examples)
    entropies = functional.binary_cross_entropy_with_logits(on_beats, target, reduction="none")
    beats, downbeats = (entropies * weight).sum(0)
    classes = len(_PERIODS) - 1
    found = np.searchsorted(_PERIODS, [e.period for e in examples]) - 1
    distance = np.arange(classes) - np.clip(found, 0, classes - 1)[:, None]
    near = torch.tensor(np.exp(-0.5 * (distance / 0.6) ** 2).astype(np.float32))
    log_periods = torch.log_softmax(further[:, :classes], 1)
    periods = -(near / near.sum(1, keepdim=True) * log_periods).sum(1).mean()
    bars = [_METERS.index(e.beats_of_bar) if e.beats_of_bar in _METERS else -1 for e in examples]
    meters = functional.cross_entropy(
        further[:, classes:-1], torch.tensor(bars), ignore_index=-1, reduction="sum"
    ) / max(1, sum(bar >= 0 for bar in bars))
    compound = torch.tensor([float(e.compound) for e in examples])
    thirds = functional.binary_cross_entropy_with_logits(further[:, -1], compound)
    return 2 * beats + downbeats + 0.2 * periods + 0.1 * meters + 0.1 * thirds, beats


def train(examples: Examples, steps: int) -> dict[str, np.ndarray]:
    """Train a network and return the weights of a `BeatNetwork`."""
    import torch

    torch.manual_seed(0)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    network = _network(torch)(inputs(examples.draw().strokes).shape[1])
    optimiser = torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=1e-3)
    losses = []
    for step in range(steps):
        done = step / steps
        rate = _RATE * min(1, 20 * done) * ((1 + np.cos(np.pi * done)) / 2 + 0.01)
        for group in optimiser.param_groups:
            group["lr"] = rate
        chosen = [examples.draw() for _ in range(_BATCH)]
        arguments = _batch(torch, chosen)
        loss, beats = _loss(torch, network(*arguments), arguments[2], chosen)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        losses.append(float(beats.detach()))
        if step % 100 == 99:
            print(f"{step + 1}: {np.mean(losses[-100:]):.3f}", file=sys.stderr, flush=True)
    return _weights({name: value.numpy() for name, value in network.state_dict().items()})


def _weights(state: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Weights by the names of `BeatNetwork`, in half precision."""
    weights = {
        "input": state["input.weight"][:, :, 0].T,
        "input_bias": state["input.bias"],
        "hidden": state["hidden.weight"].T,
        "hidden_bias": state["hidden.bias"],
        "output": state["output.weight"].T[:, :1],
        "output_bias": state["output.bias"][:1],
    }
    for n in range(_LAYERS):
        weights |= {
            f"taps{n}": state[f"taps.{n}.weight"].transpose(2, 1, 0),
            f"taps_bias{n}": state[f"taps.{n}.bias"],
            f"mixed{n}": state[f"mixed.{n}.weight"][:, :, 0].T,
            f"mixed_bias{n}": state[f"mixed.{n}.bias"],
            f"mean{n}": state[f"mean.{n}.weight"].T,
        }
    return {name: value.astype(np.float16) for name, value in weights.items()}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scores.learn_beats",
        description="Train the network of beats on simulated performances of music21's scores.",
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="keeps the scores once read")
    parser.add_argument("out", type=Path, metavar="OUT.npz")
    parser.add_argument("--steps", type=int, default=3000, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument(
        "--without", nargs="*", default=[], choices=_SHARES, help="folders of scores to leave out"
    )
    chosen = parser.parse_args()
    found = scores(chosen.folder)
    weights = train(Examples(found, tuple(chosen.without), chosen.seed), chosen.steps)
    np.savez_compressed(chosen.out, **weights)


if __name__ == "__main__":
    main()
