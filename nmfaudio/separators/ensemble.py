"""Several models of one spectrogram as one: their errors differ and cancel, what they share stays.

Factorisations from different starts end in models about equally good, wrong in different places.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.factorisation.engine import Callback, Progress, decompose, generator
from nmfaudio.factorisation.factors import Factor


def averaged(
    V: np.ndarray,
    fit: Callable[[Callback, np.random.Generator], Decomposition],
    count: int,
    *,
    callback: Callback | None,
    rng: int | np.random.Generator | None,
) -> Decomposition:
    """The mean of several models of V, with the components of one model after another's.

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]
    fit : callable
        Makes a model W and H of V, all with the same structure; gets what to report to, and where
        its chance comes from.
    count : int
        How many models.
    callback : callable or None
        Hears of all of them; the number of the model is the `start`.
    rng : int, np.random.Generator or None

    Returns
    -------
    Decomposition
        Its `start_losses` say where each model ended.
    """

    def numbered(number: int) -> Callback:
        def report(progress: Progress) -> bool | None:
            return callback(replace(progress, start_index=number)) if callback else None

        return report

    chances = generator(rng).spawn(count)
    found = [fit(numbered(number), chance) for number, chance in enumerate(chances)]
    W = np.concatenate([one.W for one in found], axis=-1)
    H = np.concatenate([one.H for one in found]) / W.dtype.type(count)
    mean = decompose(
        V,
        [Factor(W), Factor(H)],
        structure=found[0].structure,
        divergence=found[0].divergence,
        max_iter=0,
    )
    return replace(
        mean,
        checks=np.array([max(one.n_iter for one in found)]),
        converged=all(one.converged for one in found),
        start_losses=np.array([one.losses[-1] for one in found]),
    )
