"""Average of several models of one spectrogram."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.factorisation.engine import Callback, decompose, generator
from nmfaudio.factorisation.factors import Factor
from nmfaudio.factorisation.loop import Progress, numbered
from nmfaudio.kernels.threads import parallel_for_each


def average_models(
    V: np.ndarray,
    fit: Callable[[int, Callback | None, np.random.Generator], Decomposition],
    count: int,
    *,
    callback: Callback | None,
    rng: int | np.random.Generator | None,
) -> Decomposition:
    """Average several models of a spectrogram.

    Models from different initialisations fit about equally well and err in different places, so
    their mean errs less. The components of the mean are those of all models, one model after
    another, with activations divided by `count`. The models are fitted in parallel, as many at a
    time as there are threads.

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]
        The spectrogram, ≥ 0.
    fit : callable
        From the number of the model, a callback and a random generator to a model W and H of V; all
        models have the same structure. Called from several threads.
    count : int
        Number of models.
    callback : callable or None
        Called with a `Progress` of each model; its `start_index` is the number of the model. It is
        called from several threads, though never concurrently, in no fixed order of models.
    rng : int, np.random.Generator or None
        Seed of the random numbers.

    Returns
    -------
    Decomposition
        The mean; its `start_losses` are the final losses of the models.
    """
    generators = generator(rng).spawn(count)
    fitted: dict[int, Decomposition] = {}
    shared = _serialised(callback)

    def run(index: int) -> None:
        fitted[index] = fit(index, numbered(shared, index, count), generators[index])

    parallel_for_each(run, count)
    models = [fitted[index] for index in range(count)]
    W = np.concatenate([model.W for model in models], axis=-1)
    H = np.concatenate([model.H for model in models]) / W.dtype.type(count)
    # No iterations: the call computes the loss of the mean.
    mean = decompose(
        V,
        [Factor(W, free=False), Factor(H, free=False)],
        structure=models[0].structure,
        divergence=models[0].divergence,
        max_iter=0,
    )
    return replace(
        mean,
        checks=np.array([max(model.n_iter for model in models)]),
        converged=all(model.converged for model in models),
        start_losses=np.array([model.losses[-1] for model in models]),
    )


def _serialised(callback: Callback | None) -> Callback | None:
    """Return a callback that several threads may call, of which one at a time calls `callback`."""
    if callback is None:
        return None
    lock = threading.Lock()

    def report(progress: Progress) -> bool | None:
        with lock:
            return callback(progress)

    return report
