"""Attack/decay model of notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nmfaudio._common.validation import as_count
from nmfaudio.errors import ParameterError, ShapeError
from nmfaudio.factorisation.structures.base import Factors
from nmfaudio.factorisation.structures.bilinear import Bilinear
from nmfaudio.kernels.envelopes import convolve, correlate_activations, correlate_envelopes


@dataclass(frozen=True)
class AttackDecay(Bilinear):
    r"""Attack/decay model: one activation per note, at its onset.

    Each component has several stages, such as an attack and a decay, with a spectrum and an
    envelope each; its activation drives all of them. H is therefore large at onsets only, and need
    not stay active while a note lasts.

    Envelopes are a factor, of a fixed number of lags, so they can be learned or fixed like any
    other. A free E is not identifiable beside H: an envelope that is learned needs a `Prior`, or
    ``unit="l1"``.

    Notes
    -----
    With the three factors, in this order,

    - W (stage, freq, component): spectra
    - E (stage, lag, component): envelopes, normally fixed and made by `attack_decay_envelopes`
    - H (component, time): activations

    the model is

    .. math::

        Y_{ft} = \sum_k \sum_s W_{sfk} \sum_d E_{sdk} H_{k,t-d}

    Cheng et al. have two stages, a short transient pattern and an exponential decay.

    References
    ----------
    T. Cheng, M. Mauch, E. Benetos, S. Dixon, "An attack/decay model for piano transcription",
    ISMIR 2016.

    Examples
    --------
    Two strokes on a ringing string are two spikes:

    >>> import numpy as np, nmfaudio as na
    >>> W = np.array([[[1.0], [1.0], [1.0]], [[3.0], [1.0], [0.0]]])
    >>> E, H = na.structures.attack_decay_envelopes([0.05], lags=60, attack=1), np.zeros((1, 60))
    >>> H[0, [5, 30]] = 1.0, 2.0
    >>> V = na.structures.AttackDecay().forward([W, E, H])
    >>> known = [na.Factor(W, free=False), na.Factor(E, free=False), na.Factor(np.ones((1, 60)))]
    >>> d = na.decompose(V, known, structure=na.structures.AttackDecay(), max_iter=1000, tol=0)
    >>> np.flatnonzero(d.H[0] > 0.5).tolist()
    [5, 30]
    """

    name: ClassVar[str] = "attack-decay"

    def shape(self, factors: Factors) -> tuple[int, ...]:
        shapes = [F.shape for F in factors]
        if (
            [len(s) for s in shapes] != [3, 3, 2]
            or shapes[0][0] != shapes[1][0]
            or not shapes[0][2] == shapes[1][2] == shapes[2][0]
        ):
            raise ShapeError(
                f"factors have shapes {shapes}; AttackDecay needs W (stage, freq, component), "
                "E (stage, lag, component) and H (component, time) that agree"
            )
        return shapes[0][1], shapes[2][1]

    def component_axes(self, count: int) -> tuple[int | None, ...]:
        return 2, 2, 0

    def templates(self, factors: Factors) -> np.ndarray:
        return factors[0]

    def n_left(self, count: int) -> int:
        return 1

    def left(self, factors: Factors) -> np.ndarray:
        W = factors[0]
        return W.transpose(1, 0, 2).reshape(W.shape[1], -1)  # (freq, stage · component)

    def left_adjoint(self, i: int, G: np.ndarray, factors: Factors) -> np.ndarray:
        W = factors[0]
        return G.reshape(W.shape[1], len(W), -1).transpose(1, 0, 2)

    def right(self, factors: Factors) -> np.ndarray:
        levels = _levels(*factors[1:])  # (stage, time, component)
        return levels.transpose(0, 2, 1).reshape(-1, levels.shape[1])

    def right_adjoint(self, i: int, G: np.ndarray, factors: Factors) -> np.ndarray:
        _, E, H = factors
        back = G.reshape(len(E), len(H), -1).transpose(0, 2, 1)  # (stage, time, component)
        back = np.ascontiguousarray(back)
        if i == 1:
            return correlate_activations(back, np.ascontiguousarray(H.T), E.shape[1])
        return correlate_envelopes(np.ascontiguousarray(E), back).T

    def levels(self, factors: Factors) -> np.ndarray:
        total: np.ndarray = _levels(factors[1], factors[2]).sum(axis=0)
        return total.T

    def delays(self, factors: Factors) -> np.ndarray:
        return np.asarray(factors[1][0].argmax(axis=0))

    def excerpt(self, factors: Factors, frames: slice) -> tuple[Factors, int]:
        W, E, H = factors
        extra = min(frames.start, E.shape[1] - 1)  # earlier notes extend into the excerpt
        return (W, E, H[:, frames.start - extra : frames.stop]), extra


def _levels(E: np.ndarray, H: np.ndarray) -> np.ndarray:
    """Return the level of each stage, E * H [shape=(stage, time, component)]."""
    return convolve(np.ascontiguousarray(E), np.ascontiguousarray(H.T))


def attack_decay_envelopes(
    rates: Sequence[float] | np.ndarray, *, lags: int, attack: int = 3
) -> np.ndarray:
    """Return envelopes of an attack and an exponential decay, for `AttackDecay`.

    The attack is a Hann window around lag `attack`. The decay is an exponential from there on,
    smoothed by that window, since a frame of a spectrogram overlaps those before and after it.

    Parameters
    ----------
    rates : sequence of float [shape=(component,)]
        Decay rate of each component, per frame, ≥ 0.
    lags : int
        Length of the longest note, in frames, more than twice `attack`.
    attack : int
        Frames from an activation to the peak of its attack, and from there to its end: about half
        a window of the spectrogram.

    Returns
    -------
    np.ndarray [shape=(2, lag, component)]
        Envelopes of the attack and of the decay, float64.

    Raises
    ------
    ParameterError
        A rate is negative or not finite, or `lags` or `attack` is out of range.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> E = na.structures.attack_decay_envelopes([np.log(2)], lags=5, attack=1)
    >>> E[..., 0].round(3).tolist()
    [[0.5, 1.0, 0.5, 0.0, 0.0], [0.25, 0.625, 0.562, 0.281, 0.141]]
    """
    slopes = np.asarray(rates, np.float64)
    if slopes.ndim != 1 or not (np.isfinite(slopes).all() and (slopes >= 0).all()):
        raise ParameterError(f"rates are {rates!r}; give one number ≥ 0 per component")
    as_count(attack, "attack", low=0)
    as_count(lags, "lags", low=2 * attack + 1)
    # A Hann window with 2 · attack + 1 entries above 0.
    hann = 0.5 + 0.5 * np.cos(np.pi * np.arange(-attack, attack + 1) / (attack + 1))
    E = np.zeros((2, lags, len(slopes)))
    E[0, : len(hann)] = hann[:, None]
    decay = np.exp(-slopes * np.arange(lags)[:, None])
    for lag, share in enumerate(hann / hann.sum()):
        E[1, lag:] += share * decay[: lags - lag]
    return E
