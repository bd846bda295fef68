"""Initial factors of a fit by all iterations: those of `nmf`, with H in a file for each part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from nmfaudio._common.files.staging import staged
from nmfaudio.errors import ParameterError
from nmfaudio.factorisation.corpus.driver import Driver
from nmfaudio.factorisation.corpus.shard_sums import SweepSettings
from nmfaudio.factorisation.corpus.store import Stored, create_array, load, save
from nmfaudio.factorisation.divergences import Beta
from nmfaudio.factorisation.engine import generator
from nmfaudio.factorisation.factors import Factor
from nmfaudio.factorisation.initialisation import Random, mean_of, random_factors
from nmfaudio.factorisation.loop import divided, scale_for
from nmfaudio.factorisation.solvers.template_updates import squares_in_range

SURVEYING = "computing spectrograms", 0.0, 1.0
"""Label of the first step of a fit."""


class Start(NamedTuple):
    """Initial templates, and the settings of all sweeps.

    Parameters
    ----------
    W : np.ndarray [shape=(freq, component)]
    settings : SweepSettings
    top : float
        Maximum of the data, scaled.
    """

    W: np.ndarray
    settings: SweepSettings
    top: float


def initial(
    driver: Driver,
    rank: int,
    divergence: Beta,
    W: np.ndarray | None,
    H: np.ndarray | None,
    seed: int,
    *,
    keep: bool,
) -> Start:
    """Return the initial templates, after the initial activations have been written.

    Random values are those that `nmf` draws from the same seed.

    Parameters
    ----------
    driver : Driver
    rank : int
        Number of components.
    divergence : Beta
    W : np.ndarray [shape=(freq, component)] or None
    H : np.ndarray [shape=(component, time)] or None
        Of all frames of the corpus.
    seed : int
    keep : bool
        Whether the spectrograms are kept on disk.

    Returns
    -------
    Start
    """
    path = driver.work.folder / "start.npz"
    stored = load(path)
    if stored is None:
        stored = _make(driver, rank, divergence, W, H, seed, keep)
        save(path, stored)
    settings = SweepSettings(**stored.facts["settings"])
    return Start(stored.arrays["W"], settings, stored.facts["top"])


def _make(
    driver: Driver,
    rank: int,
    divergence: Beta,
    W: np.ndarray | None,
    H: np.ndarray | None,
    seed: int,
    keep: bool,
) -> Stored:
    """Survey the data, write H, and return W with the settings."""
    plan = driver.work.plan
    freq, dtype = plan.settings["n_bins"], np.dtype(plan.settings["dtype"])
    order = Stored({"kind": "statistics", "keep": keep}, {})
    statistics = [result.facts for result in driver.results("statistics", order, SURVEYING)]
    sums = [value for each in statistics for value in each["sums"]]
    top, mean = max(each["max"] for each in statistics), mean_of(sums, freq * plan.n_frames)
    if not np.isfinite(mean):
        raise ParameterError(
            f"V has values up to {top:g}, too large for their mean; divide it by a constant"
        )
    scale = scale_for(mean, divergence.degree)
    rng = generator(seed).spawn(1)[0]
    of_W, of_H = random_factors((freq, rank), (rank, plan.n_frames), W, H)
    drawn = of_W.draw(mean, (freq, rank), rng) if isinstance(of_W, Random) else of_W
    templates = _as_factor(drawn, dtype, "W")
    rows = _rows(driver, of_H, mean, rank, rng)
    highest = _write_activations(driver, rows, rank, dtype, scale)
    gram = divergence.beta == 2 and squares_in_range(dtype, (float(templates.max()), highest))
    exponents = list(divergence.exponents)
    settings = SweepSettings(divergence.beta, divergence.floor, scale, exponents, gram)
    scaled = float(dtype.type(top) / dtype.type(scale))
    return Stored({"settings": settings._asdict(), "top": scaled}, {"W": templates})


def _rows(
    driver: Driver, H: np.ndarray | Random, mean: float, rank: int, rng: np.random.Generator
) -> Iterator[tuple[int, int, np.ndarray]]:
    """Component, part and activations of each piece of a row of H, in the order of `nmf`."""
    for k in range(rank):
        first = 0
        for number, part in enumerate(driver.work.plan.parts):
            frames = sum(shard.frames for shard in part)
            if isinstance(H, Random):
                yield k, number, H.draw(mean, (frames,), rng)
            else:
                yield k, number, H[k, first : first + frames]
            first += frames


def _write_activations(
    driver: Driver,
    rows: Iterator[tuple[int, int, np.ndarray]],
    rank: int,
    dtype: np.dtype,
    scale: float,
) -> float:
    """Write the initial activations of each part, and return their maximum, scaled."""
    parts = driver.work.plan.parts
    targets = [driver.work.start_path(number) for number in range(len(parts))]
    highest = 0.0
    with staged(targets, overwrite=True) as names:
        for part, target in zip(parts, targets, strict=True):
            shape = rank, sum(shard.frames for shard in part)
            create_array(names[target], target, shape, dtype)
        for k, number, values in rows:
            row = divided(_as_factor(values, dtype, "H"), scale, "H")
            array = np.lib.format.open_memmap(names[targets[number]], "r+")
            array[k] = row
            highest = max(highest, float(row.max()))
    return highest


def _as_factor(values: np.ndarray, dtype: np.dtype, name: str) -> np.ndarray:
    """Return initial values in a dtype; `ParameterError` unless they are finite and ≥ 0."""
    rng = np.random.default_rng(0)  # not used by values that are an array
    return Factor(values, name=name).begin(np.empty((1, 1), dtype), None, rng)
