"""Decomposition of a spectrogram over a dictionary of notes that adapts to the recording."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from nmfaudio._common.pitch import midi_to_hz
from nmfaudio._common.settings import Settings
from nmfaudio._common.validation import as_count, as_number
from nmfaudio.dictionaries.dictionary import Dictionary
from nmfaudio.errors import ParameterError, ShapeError
from nmfaudio.factorisation.divergences import Divergence, divergence_named
from nmfaudio.factorisation.engine import decompose, generator
from nmfaudio.factorisation.factors import Factor
from nmfaudio.factorisation.penalties import LogGroupSparsity, Prior
from nmfaudio.factorisation.structures import Convolutive, Product, Structure
from nmfaudio.kernels.layout import FRAMES
from nmfaudio.transcription.equaliser import channel_gain

if TYPE_CHECKING:
    from nmfaudio.dictionaries.note_dictionary import NoteDictionary
    from nmfaudio.factorisation.decomposition import Decomposition
    from nmfaudio.factorisation.engine import Callback

_LOWEST_HZ = 8.0  # the lowest MIDI number is 8.2 Hz
_EXCERPT = 192  # number of frames that the gain and the templates are estimated from
_GAIN_ROUNDS, _GAIN_ITERATIONS = 3, 4  # estimates of the gain, and iterations before each
_SETTLING_ITERATIONS = 4  # of the activations, before templates adapt
_ADAPTING_ITERATIONS = 30
_PRUNING_ITERATION = 6  # iteration after which faint activations are set to zero
_FAINT = 0.01  # share of the loudest activation below which one is faint
# Level at which the slope of the cost of a pitch is halved, relative to the sum of a mean frame.
_SOFT = 0.01


@dataclass(frozen=True)
class NoteModel(Settings):
    """Model of a recording as a sum of notes of a dictionary.

    It is fitted in three steps: a smooth gain over frequency matches the templates to the timbre of
    the recording; the templates adapt to the recording under a prior; the activations are computed
    with these templates fixed. The first two steps use a subset of the frames, spread over the
    recording. They raised onset F from 0.83 to 0.93 for pianos that are not in the dictionary, and
    did not lower it for one that is. Templates that are hardly active in these frames do not adapt.
    Activations that stay below a hundredth of the largest for about a second are set to zero.

    All settings are relative to the recording's level.

    Parameters
    ----------
    beta_loss : str, float or Divergence
        As in `nmfaudio.nmf`; 1 is Kullback–Leibler. A divergence needs a `degree`, on which the
        weights of penalties depend.
    equaliser : float or None
        Smoothness of the gain in octaves; None skips this step.
    adaptation : float
        Weight of the prior of the templates, relative to the weight of the recording for an
        average template: ∞ does not adapt them, 0 adapts them freely.
    n_free : int
        Number of unknown components beside the dictionary's, for sound that is not of its notes.
    group_sparsity : float
        Cost of a soft pitch, as a share of the divergence that it reduces; loud pitches cost
        little. All templates of a pitch form a group.
    max_frequency : float or None
        Highest frequency that is fitted, in Hz, at least 8; None fits all. It must be above the
        lowest note of the dictionary.
    max_iter : int
        Iterations of the last step.

    Raises
    ------
    ParameterError
        A setting is out of range.

    References
    ----------
    E. Vincent, N. Bertin, R. Badeau, "Adaptive harmonic spectral decomposition for multiple pitch
    estimation", IEEE TASLP 18(3), 2010, doi:10.1109/TASL.2009.2034186.

    A. Dessein, A. Cont, G. Lemaitre, "Real-time polyphonic music transcription with non-negative
    matrix factorization and beta-divergence", ISMIR 2010,
    https://archives.ismir.net/ismir2010/paper/000083.pdf.

    Examples
    --------
    Two notes, recorded through a low-pass filter:

    >>> import numpy as np, nmfaudio as na
    >>> from nmfaudio.transcription.note_model import NoteModel
    >>> rng = np.random.default_rng(0)
    >>> W, H = rng.random((257, 2)), rng.random((2, 300)) ** 8
    >>> known = na.Dictionary(W, ["piano"] * 2, na.Stft(8000, 512), [60, 64])
    >>> dull = 1 / (1 + np.arange(257)[:, None] / 30)
    >>> fitted = NoteModel().activations(dull * (W @ H), known)
    >>> bool(np.corrcoef(fitted.H[0], H[0])[0, 1] > 0.99)
    True
    """

    _: KW_ONLY
    beta_loss: str | float | Divergence = 1.0
    equaliser: float | None = 0.2
    adaptation: float = 1.0
    n_free: int = 0
    group_sparsity: float = 0.0
    max_frequency: float | None = 5000.0
    max_iter: int = 20

    def __post_init__(self) -> None:
        if self.divergence.degree is None:
            raise ParameterError(
                f"beta_loss is {self.beta_loss!r}, whose degree is None; NoteModel needs one "
                "that is homogeneous, e.g. 'kl'"
            )
        if self.equaliser is not None:
            as_number(self.equaliser, "equaliser", above=0)
        if self.adaptation != math.inf:
            as_number(self.adaptation, "adaptation", low=0)
        as_count(self.n_free, "n_free", low=0)
        as_number(self.group_sparsity, "group_sparsity", low=0)
        if self.max_frequency is not None:
            as_number(self.max_frequency, "max_frequency", low=_LOWEST_HZ)
        as_count(self.max_iter, "max_iter", low=1)

    @property
    def divergence(self) -> Divergence:
        """Divergence of the model from the recording."""
        return divergence_named(self.beta_loss)

    @property
    def degree(self) -> float:
        """Degree of homogeneity of the divergence, β of a beta-divergence."""
        return cast(float, self.divergence.degree)

    def pitches(self, dictionary: NoteDictionary) -> tuple[float, ...]:
        """Return the pitch of each known component of `activations`: those of the dictionary.

        Parameters
        ----------
        dictionary : NoteDictionary

        Returns
        -------
        tuple of float
            MIDI numbers.
        """
        return dictionary.pitches

    def activations(
        self,
        V: np.ndarray,
        dictionary: Dictionary,
        *,
        rng: int | np.random.Generator | None = 0,
        callback: Callback | None = None,
    ) -> Decomposition:
        """Decompose a spectrogram over the dictionary.

        Parameters
        ----------
        V : np.ndarray [shape=(freq, time)]
            Features of the dictionary's transform, ≥ 0.
        dictionary : Dictionary
            Templates with a pitch each, such as a `NoteDictionary`.
        rng : int, np.random.Generator or None
            Seed of the unknown components' initial values; the same seed gives the same bytes.
        callback : callable, optional
            Called with a `Progress` every ten iterations of the last step; returning True ends it.

        Returns
        -------
        Decomposition
            Of all rows: the dictionary's components in their order, adapted to the recording, then
            the unknown ones. The dictionary's templates each sum to one over the rows that were
            fitted; the losses are the objective of these rows.

        Raises
        ------
        ShapeError
            V does not have the dictionary's rows.
        ParameterError
            A component has no pitch, V cannot be factored, or all rows or notes are above
            `max_frequency`.
        ContentError
            V has NaN or infinite values.
        """
        V = np.asarray(V)
        fit = _Fit(self, V, dictionary)
        W, update_W = _add_unknown(fit.adapted_templates(), self.n_free, generator(rng))
        V_fitted, W_fitted = V[: fit.rows], W[..., : fit.rows, :]
        penalties = fit.sparsity(V_fitted)
        before = min(_PRUNING_ITERATION, self.max_iter)
        fitted = fit.solve(V_fitted, W_fitted, update_W, before, penalties)
        if self.max_iter > before:
            continued = fit.solve(
                V_fitted,
                fitted.W,
                update_W,
                self.max_iter - before,
                penalties,
                H=_without_faint(fitted.H),
                callback=callback,
            )
            fitted = _joined(fitted, continued)
        if fit.rows == len(V):
            return fitted
        return replace(fitted, factors=(fit.extend_to_all_rows(V, W, fitted), fitted.H))


class _Fit:
    """State that the steps of one fit share."""

    def __init__(self, settings: NoteModel, V: np.ndarray, dictionary: Dictionary) -> None:
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
        self.V, self.pitches, self.templates = V, dictionary.pitches, dictionary.templates
        self.structure: Structure = Convolutive() if self.templates.ndim == 3 else Product()

    def adapted_templates(self) -> np.ndarray:
        """Templates of the dictionary after the equaliser and the adaptation."""
        W = self._normalised(np.asarray(self.templates, self.V.dtype))
        if not self.V.any():
            return W
        V, H = self._excerpt(_EXCERPT), None
        if self.settings.equaliser is not None:
            W, H = self._equalised(V, W, self.settings.equaliser)
        return W if self.settings.adaptation == math.inf else self._adapted(V, W, H)

    def _normalised(self, W: np.ndarray) -> np.ndarray:
        """Templates whose fitted rows sum to one, unless they are all zero."""
        sums = W[..., : self.rows, :].sum(axis=tuple(range(W.ndim - 1)), dtype=np.float64)
        return (W / np.where(sums > 0, sums, 1)).astype(W.dtype)

    def _excerpt(self, count: int) -> np.ndarray:
        """Evenly spaced frames of V, at most `count`; all frames for convolutive templates."""
        stride = -(-self.V.shape[1] // count) if self.templates.ndim == 2 else 1
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

    def solve(
        self,
        V: np.ndarray,
        W: np.ndarray,
        update_W: Any,
        iterations: int,
        penalties: tuple[LogGroupSparsity, ...] = (),
        *,
        H: np.ndarray | None = None,
        callback: Callback | None = None,
    ) -> Decomposition:
        """Find the activations of V, from initial or constant ones, and the free part of W."""
        if H is None:
            # Templates sum to one, so a frame of the initial model sums to that of the mean.
            level = float(V.mean(dtype=np.float64))
            H = np.full((W.shape[-1], V.shape[1]), level * len(V) / W.shape[-1], V.dtype)
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

    def sparsity(self, V: np.ndarray) -> tuple[LogGroupSparsity, ...]:
        """Group sparsity over the pitches; unknown components are groups of one."""
        level = float(V.mean(dtype=np.float64))
        if not self.settings.group_sparsity or not level:
            return ()
        soft = _SOFT * level * len(V)
        # The slope of weight · log(1 + x / soft) at x = 0 is weight / soft; the positive part of
        # the divergence's slope is about level^(β − 1), since templates sum to one. So a silent
        # pitch has to reduce the divergence by the share `group_sparsity` of what it adds.
        weight = self.settings.group_sparsity * soft * level ** (self.settings.degree - 1)
        unknown = [f"unknown {k}" for k in range(self.settings.n_free)]
        return (LogGroupSparsity(weight, (*self.pitches, *unknown), eps=soft),)

    def extend_to_all_rows(self, V: np.ndarray, W: np.ndarray, fitted: Decomposition) -> np.ndarray:
        """Templates of all rows; unknown ones are fitted above `rows`, with H fixed."""
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


def _add_unknown(
    known: np.ndarray, count: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray | bool]:
    """Templates with unknown ones appended, and a mask of the components to update."""
    if not count:
        return known, False
    # Nearly flat spectra, but different from one another, so that they can diverge.
    unknown = rng.random((*known.shape[:-1], count)).astype(known.dtype) + known.dtype.type(0.5)
    unknown /= unknown.sum(axis=tuple(range(unknown.ndim - 1)))
    update = np.arange(known.shape[-1] + count) >= known.shape[-1]
    return np.concatenate([known, unknown], axis=-1), update
