"""How well the samples come apart: ``python -m benchmarks.quality [--json FILE]``.

For every sample with stems, and every source of it, SI-SDR in dB of

- the mixture itself, what one has before any work;
- our blind separation into as many sources, each estimate given to the source that makes the mean
  best (mean over seeds, and standard deviation);
- the ideal ratio mask of the true stems (power 2) on the same transform: the ceiling of all masks.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

import nmfaudio as na
from nmfaudio.io import read
from nmfaudio.masks import soft_masks
from nmfaudio.metrics import best_assignment
from nmfaudio.separators.stems import analyse, apply_mask

SAMPLES = Path(__file__).parent.parent / "audio_samples"
CASES = ["drums", "trio", "band"]


def load(case: str) -> tuple[np.ndarray, int, dict[str, np.ndarray]]:
    """Mixture, sample rate and true stems of a sample."""
    folder = SAMPLES / case
    mixture = read(next(folder.glob("mixture.*")))
    stems = {p.stem: read(p).samples for p in sorted((folder / "sources").iterdir())}
    return mixture.samples, mixture.sr, stems


def ideal(mixture: np.ndarray, sr: int, references: dict[str, np.ndarray]) -> list[np.ndarray]:
    """The stems that the ideal ratio mask gives."""
    stft = na.Stft(sr)
    masks = soft_masks([analyse(y, stft) for y in references.values()])
    return [apply_mask(mask, mixture, stft) for mask in masks]


def blind(mixture: np.ndarray, sr: int, references: list[np.ndarray], seed: int) -> list[float]:
    """SI-SDR of each reference's best estimate."""
    found = list(na.separate(mixture, sr, sources=len(references), rng=seed).values())
    order = best_assignment(references, found)
    return [na.si_sdr(y, found[i]) for y, i in zip(references, order, strict=True)]


def evaluate(case: str, seeds: int) -> list[dict[str, object]]:
    """One row per source of a sample."""
    mixture, sr, named = load(case)
    references = list(named.values())
    runs = np.array([blind(mixture, sr, references, seed) for seed in range(seeds)])
    ceiling = ideal(mixture, sr, named)
    return [
        {
            "sample": case,
            "source": name,
            "mixture": na.si_sdr(y, mixture),
            "blind": float(runs[:, i].mean()),
            "sd": float(runs[:, i].std()),
            "ideal": na.si_sdr(y, ceiling[i]),
        }
        for i, (name, y) in enumerate(named.items())
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="also write the rows here")
    chosen = parser.parse_args()
    rows = [row for case in CASES for row in evaluate(case, chosen.seeds)]
    print("| sample | source | mixture | blind | ideal mask |\n|---|---|---|---|---|")
    for row in rows:
        print(
            f"| {row['sample']} | {row['source']} | {row['mixture']:.1f} | "
            f"{row['blind']:.1f} ± {row['sd']:.1f} | {row['ideal']:.1f} |"
        )
    if chosen.json:
        chosen.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
