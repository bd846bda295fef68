"""Fit of a `NoteModel`: equaliser, adaptation of the templates, activations."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np

from nmfaudio._common.pitch import midi_to_hz
from nmfaudio.dictionaries.dictionary import Dictionary
from nmfaudio.dictionaries.template_conversion import transpose
from nmfaudio.errors import ParameterError, ShapeError
from nmfaudio.factorisation.engine import decompose
from nmfaudio.factorisation.factors import Factor
from nmfaudio.factorisation.penalties import LogGroupSparsity, Prior
from nmfaudio.factorisation.structures import Convolutive, Product, Structure
from nmfaudio.kernels.layout import FRAMES
from nmfaudio.transcription.detuning import detuning
from nmfaudio.transcription.equaliser import channel_gain

if TYPE_CHECKING:
    from nmfaudio.factorisation.decomposition import Decomposition
    from nmfaudio.factorisation.divergences import Divergence
    from nmfaudio.factorisation.engine import Callback

BLOCK = 32 * FRAMES
"""Frames of a block of a long recording."""
_EXCERPT = 400  # number of frames that the gain and the templates are estimated from
_TUNED = 100  # number of frames that the tuning is estimated from
_GAIN_ROUNDS, _GAIN_ITERATIONS = 3, 4  # estimates of the gain, and iterations before each
_SETTLING_ITERATIONS = 4  # of the activations, before templates adapt
_ADAPTING_ITERATIONS = 30
_PRUNING_ITERATION = 6  # iteration after which faint activations are set to zero
_FAINT = 0.01  # share of the loudest activation below which one is faint
# Level at which the slope of the cost of a pitch is halved, relative to the sum of a mean frame.
_SOFT = 0.01


class FitSettings(Protocol):
    """Settings of a `NoteModel`, which documents them."""

    @property
    def retune(self) -> bool: ...

    @property
    def equaliser(self) -> float | None: ...

    @property
    def adaptation(self) -> float: ...

    @property
    def n_free(self) -> int: ...

    @property
    def group_sparsity(self) -> float: ...

    @property
    def max_frequency(self) -> float | None: ...

    @property
    def max_iter(self) -> int: ...

    @property
    def divergence(self) -> Divergence: ...

    @property
    def degree(self) -> float: ...


class NoteFit:
    """State that the steps of one fit of a `NoteModel` share.

    Parameters
    ----------
    settings : FitSettings
    V : np.ndarray [shape=(freq, time)]
        Features of the dictionary's transform: all, or evenly spaced frames for the templates.
    dictionary : Dictionary
        Templates with a pitch each.

    Raises
    ------
    ShapeError, ParameterError
        V does not have the dictionary's rows, a component has no pitch, or all rows or notes are
        above the highest frequency.
    """

    def __init__(self, settings: FitSettings, V: np.ndarray, dictionary: Dictionary) -> None:
        self.settings = settings
        self.frequencies = np.asarray(dictionary.transform.frequencies, np.float64)
        if V.ndim != 2 or len(V) != len(self.frequencies):
            raise ShapeError(
                f"V has shape {V.shape}; it must be (freq, time) with the {len(self.frequencies)} "
                "rows of the dictionary's transform"
            )
        if None in dictionary.pitches:
            raise ParameterError(
                f"component {dictionary.pitches.index(None)} of the dictionary has no pitch; use "
                "a NoteDictionary"
            )
        top = math.inf if settings.max_frequency is None else settings.max_frequency
        self.rows = int(np.searchsorted(self.frequencies, top, side="right"))
        pitches = [pitch for pitch in dictionary.pitches if pitch is not None]
        lowest = max(float(self.frequencies[0]), midi_to_hz(min(pitches)))
        if top < lowest:
            raise ParameterError(
                f"max_frequency is {top:g} Hz, but the lowest note or row is {lowest:g} Hz; raise "
                "it"
            )
        self.V, self.pitches, self.templates = V, pitches, dictionary.templates
        self.structure: Structure = Convolutive() if self.templates.ndim == 3 else Product()

    @cached_property
    def detuning(self) -> float:
        """Interval in semitones by which the recording is higher than the dictionary.

        0 if templates are not to be retuned, or span several frames.
        """
        V = self._excerpt()
        if not self.settings.retune or self.templates.ndim == 3 or not V.any():
            return 0.0
        V = np.ascontiguousarray(V[: self.rows, :: -(-V.shape[1] // _TUNED)])
        W = np.asarray(self.templates, V.dtype)

        def cost(semitones: float) -> float:
            transposed = self._transposed(W, semitones)[: self.rows]
            return float(self.solve(V, transposed, False, _SETTLING_ITERATIONS).losses[-1])

        return detuning(cost, self.pitches)

    def adapted_templates(self) -> np.ndarray:
        """Return the templates of the dictionary, retuned, equalised and adapted.

        Returns
        -------
        np.ndarray [shape=(freq, component) or (lag, freq, component)]
        """
        W = self._normalised(np.asarray(self.templates, self.V.dtype))
        V, H = self._excerpt(), None
        if not V.any():
            return W
        if self.detuning:
            W = self._transposed(W, self.detuning)
        if self.settings.equaliser is not None:
            W, H = self._equalised(V, W, self.settings.equaliser)
        return W if self.settings.adaptation == math.inf else self._adapted(V, W, H)

    def _transposed(self, W: np.ndarray, semitones: float) -> np.ndarray:
        return self._normalised(transpose(W, self.frequencies, semitones))

    def _normalised(self, W: np.ndarray) -> np.ndarray:
        """Templates whose fitted rows sum to one, unless they are all zero."""
        sums = W[..., : self.rows, :].sum(axis=tuple(range(W.ndim - 1)), dtype=np.float64)
        return (W / np.where(sums > 0, sums, 1)).astype(W.dtype)

    def _excerpt(self) -> np.ndarray:
        """Evenly spaced frames of V; all frames for convolutive templates."""
        stride = excerpt_stride(self.V.shape[1]) if self.templates.ndim == 2 else 1
        return np.ascontiguousarray(self.V[:, ::stride])

    def _equalised(
        self, V: np.ndarray, W: np.ndarray, octaves: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Templates with the smooth gain between V and its model applied, and activations of V.

        The gain and the activations depend on each other, so they are estimated in turn.
        """
        recorded = V.sum(axis=1, dtype=np.float64)  # (freq,)
        H = None
        for _ in range(_GAIN_ROUNDS):
            fitted = self.solve(
                V[: self.rows], W[..., : self.rows, :], False, _GAIN_ITERATIONS, H=H
            )
            H = fitted.H
            # Sum of the model over time. For convolutive templates it is exact apart from the
            # lags that reach beyond the last frame.
            spectra = W if W.ndim == 2 else W.sum(axis=0)  # (freq, component)
            modelled = (spectra * H.sum(axis=1, dtype=np.float64)).sum(axis=1)
            gain = channel_gain(recorded, modelled, self.frequencies, octaves=octaves)
            W = self._normalised(W * gain[:, None].astype(W.dtype))
        return W, fitted.H

    def _adapted(self, V: np.ndarray, W: np.ndarray, H: np.ndarray | None) -> np.ndarray:
        """Templates fitted to V under a prior with its mode at W, where they are active."""
        V, W_fitted = V[: self.rows], W[..., : self.rows, :]
        settled = self.solve(V, W_fitted, False, _SETTLING_ITERATIONS, H=H)
        # Weight of the recording for one template: the gradient of the divergence in W is of the
        # order of level^(β − 1) · ∑ₜ H, and a component's ∑ₜ H is level · V.size / n on average.
        level = float(V.mean(dtype=np.float64))
        recording_weight = V.size / W.shape[-1] * level**self.settings.degree
        active = settled.H.max(axis=1) >= _FAINT * settled.H.max()
        initial = W_fitted[..., active]
        penalties = (Prior(self.settings.adaptation * recording_weight, initial),)
        fitted = decompose(
            V,
            [Factor(initial, penalties=penalties, name="W"), Factor(settled.H[active], name="H")],
            structure=self.structure,
            divergence=self.settings.divergence,
            max_iter=_ADAPTING_ITERATIONS,
            tol=0,
            check_every=_ADAPTING_ITERATIONS,
        )
        adapted = W.copy()
        adapted[..., : self.rows, active] = fitted.W
        return self._normalised(adapted)

    def explain(
        self,
        V: np.ndarray,
        W: np.ndarray,
        update_W: bool | np.ndarray,
        level: float,
        callback: Callback | None = None,
    ) -> Decomposition:
        """Find the activations of V, and the free part of W.

        Parameters
        ----------
        V : np.ndarray [shape=(freq, time)]
            The fitted rows.
        W : np.ndarray [shape=(freq, component) or (lag, freq, component)]
            Templates in these rows.
        update_W : bool or np.ndarray
            Whether each component of W is free.
        level : float
            Mean of the recording in these rows.
        callback : callable, optional
            Of the iterations after faint activations have been set to zero.

        Returns
        -------
        Decomposition
        """
        H, penalties = self._constant(V, W, level), self._sparsity(level)
        before = min(_PRUNING_ITERATION, self.settings.max_iter)
        after = self.settings.max_iter - before
        fitted = self.solve(V, W, update_W, before, penalties, H=H)
        if not after:
            return fitted
        H = _without_faint(fitted.H)
        second = self.solve(V, fitted.W, update_W, after, penalties, H=H, callback=callback)
        return _joined(fitted, second)

    def solve(
        self,
        V: np.ndarray,
        W: np.ndarray,
        update_W: bool | np.ndarray,
        iterations: int,
        penalties: tuple[LogGroupSparsity, ...] = (),
        *,
        H: np.ndarray | None = None,
        callback: Callback | None = None,
    ) -> Decomposition:
        """Find the activations of V, from initial or constant ones, and the free part of W.

        Parameters
        ----------
        V : np.ndarray [shape=(freq, time)]
        W : np.ndarray [shape=(freq, component) or (lag, freq, component)]
        update_W : bool or np.ndarray
        iterations : int
        penalties : tuple of LogGroupSparsity
            Of the activations.
        H : np.ndarray [shape=(component, time)], optional
            Initial activations.
        callback : callable, optional

        Returns
        -------
        Decomposition
        """
        if H is None:
            H = self._constant(V, W, float(V.mean(dtype=np.float64)))
        return decompose(
            V,
            [
                Factor(W, update_W, name="W"),
                Factor(H, penalties=penalties, name="H"),
            ],
            structure=self.structure,
            divergence=self.settings.divergence,
            max_iter=iterations,
            tol=0,
            check_every=10 if callback else iterations,
            callback=callback,
        )

    @staticmethod
    def _constant(V: np.ndarray, W: np.ndarray, level: float) -> np.ndarray:
        """Constant activations of templates that sum to one, for a model with the mean `level`."""
        return np.full((W.shape[-1], V.shape[1]), level * len(V) / W.shape[-1], V.dtype)

    def _sparsity(self, level: float) -> tuple[LogGroupSparsity, ...]:
        """Group sparsity over the pitches; unknown components are groups of one."""
        if not self.settings.group_sparsity or not level:
            return ()
        soft = _SOFT * level * self.rows
        # The slope of weight · log(1 + x / soft) at x = 0 is weight / soft; the positive part of
        # the divergence's slope is about level^(β − 1), since templates sum to one. So a silent
        # pitch has to reduce the divergence by the share `group_sparsity` of what it adds.
        weight = self.settings.group_sparsity * soft * level ** (self.settings.degree - 1)
        unknown = [f"unknown {k}" for k in range(self.settings.n_free)]
        return (LogGroupSparsity(weight, (*self.pitches, *unknown), eps=soft),)

    def extend_to_all_rows(self, V: np.ndarray, W: np.ndarray, fitted: Decomposition) -> np.ndarray:
        """Fit unknown templates above `rows`, with H fixed, and return those of all rows.

        Parameters
        ----------
        V : np.ndarray [shape=(freq, time)]
            All rows.
        W : np.ndarray [shape=(freq, component) or (lag, freq, component)]
            Initial templates in all rows.
        fitted : Decomposition
            Of the fitted rows.

        Returns
        -------
        np.ndarray [shape=(freq, component) or (lag, freq, component)]
        """
        W = np.concatenate([fitted.W, W[..., self.rows :, :]], axis=-2)
        unknown = np.zeros(W.shape[-1], bool)
        unknown[len(self.pitches) :] = True
        if not unknown.any() or not V.any():
            return W
        return decompose(
            V,
            [
                Factor(W, unknown & (np.arange(len(V))[:, None] >= self.rows), name="W"),
                Factor(fitted.H, False, name="H"),
            ],
            structure=self.structure,
            divergence=self.settings.divergence,
            max_iter=self.settings.max_iter,
            tol=0,
            check_every=self.settings.max_iter,
        ).W


def _without_faint(H: np.ndarray) -> np.ndarray:
    """H with zeros for components that are faint throughout a block of frames.

    Multiplicative updates keep zeros, and the kernels skip blocks of them.
    """
    H = H.copy()
    for first in range(0, H.shape[1], FRAMES):
        block = H[:, first : first + FRAMES]
        peaks = block.max(axis=1)
        block[peaks < _FAINT * peaks.max()] = 0
    return H


def _joined(first: Decomposition, second: Decomposition) -> Decomposition:
    """Second of two successive decompositions, with the losses and checks of both."""
    return replace(
        second,
        losses=np.concatenate([first.losses, second.losses[1:]]),
        checks=np.concatenate([first.checks, first.n_iter + second.checks[1:]]),
    )


def excerpt_stride(frames: int) -> int:
    """Return the step between the frames that templates are fitted to.

    Parameters
    ----------
    frames : int
        Frames of the recording.

    Returns
    -------
    int
    """
    return -(-frames // _EXCERPT)


def mean_level(V: np.ndarray) -> float:
    """Return the mean of V, summed by blocks of `BLOCK` frames as `NoteBlocks` does.

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]

    Returns
    -------
    float
    """
    blocks = (V[:, first : first + BLOCK] for first in range(0, V.shape[1], BLOCK))
    return math.fsum(float(block.sum(dtype=np.float64)) for block in blocks) / V.size
