"""How well the samples come apart: ``python -m benchmarks.quality [--seeds N] [--json FILE]``.

For every sample with stems, and every source of it, SI-SDR in dB of

- the mixture itself, what one has before any work;
- librosa.effects.hpss, where the question is harmonic against percussive;
- our blind separation into as many sources, each estimate given to the source that makes the mean
  best (mean over seeds, and standard deviation);
- the ideal ratio mask of the true stems (power 2) on the same transform: the ceiling of all masks.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import librosa
import numpy as np

import nmfaudio as na
from nmfaudio.io import read
from nmfaudio.masks import soft_masks
from nmfaudio.metrics import best_assignment
from nmfaudio.separators.stems import analyse, apply_mask

SAMPLES = Path(__file__).parent.parent / "audio_samples"
CASES: dict[str, dict[str, list[str]]] = {
    "band, 2": {"harmonic": ["bass", "keys"], "percussive": ["drums"]},
    "band": {},
    "trio": {},
    "drums": {},
}
"""Sample (and number of sources), and which stems make which source; {} takes them as they are."""


def load(case: str) -> tuple[np.ndarray, int, dict[str, np.ndarray]]:
    """Mixture, sample rate and true sources of a case."""
    folder = SAMPLES / case.split(",")[0]
    mixture = read(next(folder.glob("mixture.*")))
    stems = {p.stem: read(p).samples for p in sorted((folder / "sources").iterdir())}
    merged = CASES[case] or {name: [name] for name in stems}
    sources = {name: np.sum([stems[n] for n in names], axis=0) for name, names in merged.items()}
    return mixture.samples, mixture.sr, sources


def ideal(mixture: np.ndarray, sr: int, references: dict[str, np.ndarray]) -> list[float]:
    """SI-SDR of what the ideal ratio mask gives."""
    stft = na.Stft(sr)
    masks = soft_masks([analyse(y, stft) for y in references.values()])
    return [
        na.si_sdr(y, apply_mask(mask, mixture, stft))
        for y, mask in zip(references.values(), masks, strict=True)
    ]


def blind(mixture: np.ndarray, sr: int, references: list[np.ndarray], seed: int) -> list[float]:
    """SI-SDR of each reference's best estimate."""
    found = list(na.separate(mixture, sr, sources=len(references), rng=seed).values())
    order = best_assignment(references, found)
    return [na.si_sdr(y, found[i]) for y, i in zip(references, order, strict=True)]


def peer(mixture: np.ndarray, references: dict[str, np.ndarray]) -> list[float | None]:
    """SI-SDR of librosa's harmonic and percussive parts, None for other sources."""
    if list(references) != ["harmonic", "percussive"]:
        return [None] * len(references)
    parts = librosa.effects.hpss(mixture)
    return [na.si_sdr(y, part) for y, part in zip(references.values(), parts, strict=True)]


def evaluate(case: str, seeds: int) -> list[dict[str, object]]:
    """One row per source of a case."""
    mixture, sr, named = load(case)
    runs = np.array([blind(mixture, sr, list(named.values()), seed) for seed in range(seeds)])
    ceiling, theirs = ideal(mixture, sr, named), peer(mixture, named)
    return [
        {
            "sample": case,
            "source": name,
            "mixture": na.si_sdr(y, mixture),
            "librosa": theirs[i],
            "blind": float(runs[:, i].mean()),
            "sd": float(runs[:, i].std()),
            "ideal": ceiling[i],
        }
        for i, (name, y) in enumerate(named.items())
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="also write the rows here")
    chosen = parser.parse_args()
    rows = [row for case in CASES for row in evaluate(case, chosen.seeds)]
    print("| sample | source | mixture | librosa HPSS | blind | ideal mask |")
    print("|---|---|---|---|---|---|")
    for row in rows:
        theirs = "" if row["librosa"] is None else f"{row['librosa']:.1f}"
        print(
            f"| {row['sample']} | {row['source']} | {row['mixture']:.1f} | {theirs} | "
            f"{row['blind']:.1f} ± {row['sd']:.1f} | {row['ideal']:.1f} |"
        )
    if chosen.json:
        chosen.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
