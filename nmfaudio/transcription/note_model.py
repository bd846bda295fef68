"""From a spectrogram and a dictionary of notes to how strong each of its components is when."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nmfaudio._common.validation import as_count, as_number
from nmfaudio.dictionaries.dictionary import Dictionary
from nmfaudio.errors import ParameterError, ShapeError
from nmfaudio.factorisation.divergences import Beta
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

# Frames that the colour and the templates of a recording are found from, and iterations for it.
_LOOKED_AT, _ROUNDS, _PER_ROUND = 192, 3, 4
_SETTLING, _ADAPTING = 4, 30
# After so many iterations components are silent where they are below this share of the loudest.
_BEGINNING, _FAINT = 6, 0.01
_SOFT = 0.01  # of the mean frame's level, at which a pitch costs half as much per unit


@dataclass(frozen=True)
class NoteModel:
    """A recording as a sum of notes that a dictionary knows.

    Fitting goes in three steps. The templates get the recording's colour, a smooth gain over
    frequency; then they adapt to it, each drawn back to what it was; then, with the templates
    held, the activations are found. The first two look at frames spread over the recording. On
    pianos that the dictionary does not know, they raised onset F from 0.83 to 0.93; they do no
    harm on one that it does. Templates that are hardly heard there stay as they were, and what is
    below a hundredth of the loudest throughout about a second is taken for silent.

    All settings are relative to the recording's level.

    Parameters
    ----------
    beta : float
        Of the β-divergence.
    equaliser : float or None
        How smooth the gain is, in octaves; None leaves the colour as it is.
    adaptation : float
        How strongly adapted templates are drawn back, as a share of what the recording says of an
        average template: ∞ does not adapt them, 0 lets them become anything.
    free : int
        Unknown components beside the dictionary's, for what is no note of it.
    group_sparsity : float
        How much it costs a pitch to sound, as a share of the misfit that it saves while it is soft;
        loud ones are spared. All templates of a pitch count together.
    max_frequency : float or None
        Hz; only rows up to there are fitted. None fits all.
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
    matrix factorization and beta-divergence", ISMIR 2010.

    Examples
    --------
    Two notes, heard through something that swallows the treble:

    >>> import numpy as np, nmfaudio as na
    >>> from nmfaudio.transcription.note_model import NoteModel
    >>> rng = np.random.default_rng(0)
    >>> W, H = rng.random((257, 2)), rng.random((2, 300)) ** 8
    >>> known = na.Dictionary(W, ["piano"] * 2, na.Stft(8000, 512), [60, 64])
    >>> dull = 1 / (1 + np.arange(257)[:, None] / 30)
    >>> found = NoteModel().activations(dull * (W @ H), known)
    >>> bool(np.corrcoef(found.H[0], H[0])[0, 1] > 0.99)
    True
    """

    _: KW_ONLY
    beta: float = 1.0
    equaliser: float | None = 0.2
    adaptation: float = 1.0
    free: int = 0
    group_sparsity: float = 0.0
    max_frequency: float | None = 5000.0
    max_iter: int = 20

    def __post_init__(self) -> None:
        as_number(self.beta, "beta")
        if self.equaliser is not None:
            as_number(self.equaliser, "equaliser", above=0)
        if self.adaptation != math.inf:
            as_number(self.adaptation, "adaptation", low=0)
        as_count(self.free, "free", low=0)
        as_number(self.group_sparsity, "group_sparsity", low=0)
        if self.max_frequency is not None:
            as_number(self.max_frequency, "max_frequency", above=0)
        as_count(self.max_iter, "max_iter", low=1)

    def pitches(self, dictionary: NoteDictionary) -> tuple[float, ...]:
        """The pitch of each known component that `activations` finds: those of the dictionary.

        Parameters
        ----------
        dictionary : NoteDictionary

        Returns
        -------
        tuple of float
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
        """Find how strong each component is when.

        Parameters
        ----------
        V : np.ndarray [shape=(freq, time)]
            Features of the dictionary's transform, ≥ 0.
        dictionary : Dictionary
            Whose components each have a pitch, such as a `NoteDictionary`.
        rng : int, np.random.Generator or None
            Where the unknown components start; the same seed gives the same bytes.
        callback : callable, optional
            Gets a `Progress` every ten iterations of the last step; True ends it.

        Returns
        -------
        Decomposition
            Of all rows: the dictionary's components in their order, as they sound in the
            recording, then the unknown ones. The dictionary's templates each sum to one over the
            rows that were fitted, whose objective the losses are.

        Raises
        ------
        ShapeError
            V does not have the dictionary's rows.
        ParameterError
            A component has no pitch, V cannot be factored, or no row is as low as
            `max_frequency`.
        ContentError
            V has NaN or infinite values.
        """
        V = np.asarray(V)
        fit = _Fit(self, V, dictionary)
        known = fit.templates()
        W, movable = _with_free(known, self.free, generator(rng))
        low = V[: fit.rows]
        few, left = fit.sparse(low), self.max_iter - _BEGINNING
        found = fit.solve(low, W[..., : fit.rows, :], movable, min(_BEGINNING, self.max_iter), few)
        if left > 0:
            some = _without_faint(found.H)
            rest = fit.solve(low, found.W, movable, left, few, H=some, callback=callback)
            found = _continued(found, rest)
        if fit.rows == len(V):
            return found
        return replace(found, factors=(fit.whole(V, W, found), found.H))


class _Fit:
    """What the steps of one fit share."""

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
                "one of notes"
            )
        top = math.inf if settings.max_frequency is None else settings.max_frequency
        self.rows = int(np.searchsorted(self.frequencies, top, side="right"))
        if not self.rows:
            raise ParameterError(
                f"max_frequency is {top:g} Hz, but the lowest row is {self.frequencies[0]:g} Hz; "
                "raise it"
            )
        self.V, self.pitches, self.given = V, dictionary.pitches, dictionary.templates
        self.structure: Structure = Convolutive() if self.given.ndim == 3 else Product()

    def templates(self) -> np.ndarray:
        """The dictionary's, as they sound in this recording."""
        W = self.unit(np.asarray(self.given, self.V.dtype))
        if not self.V.any():
            return W
        V, H = self._spread(_LOOKED_AT), None
        if self.settings.equaliser is not None:
            W, H = self._equalised(V, W, self.settings.equaliser)
        return W if self.settings.adaptation == math.inf else self._adapted(V, W, H)

    def unit(self, W: np.ndarray) -> np.ndarray:
        """Templates whose fitted rows sum to one, unless they are silent there."""
        sums = W[..., : self.rows, :].sum(axis=tuple(range(W.ndim - 1)), dtype=np.float64)
        return (W / np.where(sums > 0, sums, 1)).astype(W.dtype)

    def _equalised(
        self, V: np.ndarray, W: np.ndarray, octaves: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """W in the colour of V, by the smooth gains between V and model; and activations of V."""
        recorded = V.sum(axis=1, dtype=np.float64)
        H = None
        for _ in range(_ROUNDS):
            found = self.solve(V[: self.rows], W[..., : self.rows, :], False, _PER_ROUND, H=H)
            H = found.H
            # Of convolutive templates too, but for what reaches beyond the last frame.
            spectra = W if W.ndim == 2 else W.sum(axis=0)
            modelled = (spectra * H.sum(axis=1, dtype=np.float64)).sum(axis=1)
            gain = channel_gain(recorded, modelled, self.frequencies, octaves=octaves)
            W = self.unit(W * gain[:, None].astype(W.dtype))
        return W, found.H

    def _adapted(self, V: np.ndarray, W: np.ndarray, H: np.ndarray | None) -> np.ndarray:
        """Templates between what they were and what V says of those that sound in it."""
        V = V[: self.rows]
        low = W[..., : self.rows, :]
        settled = self.solve(V, low, False, _SETTLING, H=H)
        # As much as an average component's activations have to say, which goes with the level.
        level = float(V.mean(dtype=np.float64))
        said = V.size / W.shape[-1] * level**self.settings.beta
        heard = settled.H.max(axis=1) >= _FAINT * settled.H.max()
        some = low[..., heard]
        penalties = (Prior(some, self.settings.adaptation * said),)
        found = decompose(
            V,
            [Factor(some, penalties=penalties, name="W"), Factor(settled.H[heard], name="H")],
            structure=self.structure,
            divergence=Beta(self.settings.beta),
            max_iter=_ADAPTING,
            tol=0,
            check_every=_ADAPTING,
        )
        adapted = W.copy()
        adapted[..., : self.rows, heard] = found.W
        return self.unit(adapted)

    def _spread(self, count: int) -> np.ndarray:
        """At most so many frames of V, evenly spread; all of them where frames belong together."""
        stride = -(-self.V.shape[1] // count) if self.given.ndim == 2 else 1
        return np.ascontiguousarray(self.V[:, ::stride])

    def solve(
        self,
        V: np.ndarray,
        W: np.ndarray,
        movable: Any,
        iterations: int,
        penalties: tuple[LogGroupSparsity, ...] = (),
        *,
        H: np.ndarray | None = None,
        callback: Callback | None = None,
    ) -> Decomposition:
        """The activations of V, starting from H or from equal ones, and of W what is movable."""
        if H is None:
            level = float(V.mean(dtype=np.float64))
            H = np.full((W.shape[-1], V.shape[1]), level * len(V) / W.shape[-1], V.dtype)
        return decompose(
            V,
            [
                Factor(W, movable, name="W"),
                Factor(H, penalties=penalties, name="H"),
            ],
            structure=self.structure,
            divergence=Beta(self.settings.beta),
            max_iter=iterations,
            tol=0,
            check_every=10 if callback else iterations,
            callback=callback,
        )

    def sparse(self, V: np.ndarray) -> tuple[LogGroupSparsity, ...]:
        """What it costs pitches to sound in V; unknown components are groups of one."""
        level = float(V.mean(dtype=np.float64))
        if not self.settings.group_sparsity or not level:
            return ()
        soft = _SOFT * level * len(V)
        # So that a silent pitch has to save this share of what it adds.
        weight = self.settings.group_sparsity * soft * level ** (self.settings.beta - 1)
        unknown = [f"unknown {k}" for k in range(self.settings.free)]
        return (LogGroupSparsity(weight, (*self.pitches, *unknown), eps=soft),)

    def whole(self, V: np.ndarray, W: np.ndarray, found: Decomposition) -> np.ndarray:
        """Templates of all rows: above the fitted ones unknown components have their own fit."""
        W = np.concatenate([found.W, W[..., self.rows :, :]], axis=-2)
        movable = np.zeros(W.shape[-1], bool)
        movable[len(self.pitches) :] = True
        if not movable.any() or not V.any():
            return W
        return decompose(
            V,
            [
                Factor(W, movable & (np.arange(len(V))[:, None] >= self.rows), name="W"),
                Factor(found.H, False, name="H"),
            ],
            structure=self.structure,
            divergence=Beta(self.settings.beta),
            max_iter=self.settings.max_iter,
            tol=0,
            check_every=self.settings.max_iter,
        ).W


def _without_faint(H: np.ndarray) -> np.ndarray:
    """H without what is faint throughout a block of frames, which then costs no time."""
    H = H.copy()
    for first in range(0, H.shape[1], FRAMES):
        block = H[:, first : first + FRAMES]
        peaks = block.max(axis=1)
        block[peaks < _FAINT * peaks.max()] = 0
    return H


def _continued(first: Decomposition, rest: Decomposition) -> Decomposition:
    """The rest, with what went before it among its losses."""
    return replace(
        rest,
        losses=np.concatenate([first.losses, rest.losses[1:]]),
        checks=np.concatenate([first.checks, first.n_iter + rest.checks[1:]]),
    )


def _with_free(known: np.ndarray, count: int, rng: np.random.Generator) -> tuple[np.ndarray, Any]:
    """Templates with unknown ones behind them, and which of all may move."""
    if not count:
        return known, False
    start = rng.random((*known.shape[:-1], count)).astype(known.dtype) + known.dtype.type(0.5)
    start /= start.sum(axis=tuple(range(start.ndim - 1)))
    movable = np.arange(known.shape[-1] + count) >= known.shape[-1]
    return np.concatenate([known, start], axis=-1), movable
