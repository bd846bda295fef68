"""Decomposition of a spectrogram over a dictionary of notes that adapts to the recording."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass, replace
from typing import TYPE_CHECKING, cast

import numpy as np

from nmfaudio._common.settings import Settings
from nmfaudio._common.validation import as_count, as_number
from nmfaudio.dictionaries.dictionary import Dictionary
from nmfaudio.errors import ParameterError
from nmfaudio.factorisation.divergences import Divergence, divergence_named
from nmfaudio.factorisation.engine import generator
from nmfaudio.transcription.note_blocks import NoteBlocks
from nmfaudio.transcription.note_fit import NoteFit, mean_level

if TYPE_CHECKING:
    from nmfaudio.dictionaries.note_dictionary import NoteDictionary
    from nmfaudio.factorisation.decomposition import Decomposition
    from nmfaudio.factorisation.engine import Callback

_LOWEST_HZ = 8.0  # the lowest MIDI number is 8.2 Hz


@dataclass(frozen=True)
class NoteModel(Settings):
    """Model of a recording as a sum of notes of a dictionary.

    It is fitted in steps: the templates are transposed to the tuning of the recording, if wanted; a
    smooth gain over frequency matches them to the timbre of the recording; they adapt to the
    recording under a prior; the activations are computed with these templates fixed. All steps but
    the last use a subset of the frames, spread over the recording. Gain and adaptation raised
    onset F from 0.83 to 0.93 for pianos that are not in the dictionary, and did not lower it for
    one that is. Templates that are hardly active in these frames do not adapt. Activations that
    stay below a hundredth of the largest for about a second are set to zero.

    All settings are relative to the recording's level.

    Parameters
    ----------
    beta_loss : str, float or Divergence
        As in `nmfaudio.nmf`; 1 is Kullback–Leibler. A divergence needs a `degree`, on which the
        weights of penalties depend.
    retune : bool
        Whether to transpose the templates first by the interval, at most half a semitone, that the
        recording deviates from their tuning. It is the one with the smallest divergence, in 100
        frames spread over the recording. Of templates of single frames only.
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
    retune: bool = False
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
            fitted; the losses are the objective of these rows. With `retune`, ``metadata`` has the
            ``detuning``, the interval in semitones by which they are transposed.

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
        fit = NoteFit(self, V, dictionary)
        W, update_W = _add_unknown(fit.adapted_templates(), self.n_free, generator(rng))
        level = mean_level(V[: fit.rows])
        fitted = fit.explain(V[: fit.rows], W[..., : fit.rows, :], update_W, level, callback)
        if self.retune:
            fitted = replace(fitted, metadata={**fitted.metadata, "detuning": fit.detuning})
        if fit.rows == len(V):
            return fitted
        return replace(fitted, factors=(fit.extend_to_all_rows(V, W, fitted), fitted.H))

    def blocks(self, dictionary: Dictionary, n_frames: int) -> NoteBlocks:
        """Return the decomposition of a spectrogram in consecutive blocks.

        Parameters
        ----------
        dictionary : Dictionary
            Templates of single frames with a pitch each.
        n_frames : int
            Frames of the spectrogram.

        Returns
        -------
        NoteBlocks

        Raises
        ------
        ParameterError
            The model has unknown components, the divergence is of a degree of 0 or less, or the
            dictionary is convolutive: then activations depend on all frames.
        """
        causes = {
            f"n_free is {self.n_free}; it must be 0": self.n_free > 0,
            f"beta_loss is {self.beta_loss!r}; its degree must be above 0": self.degree <= 0,
            "the dictionary is convolutive; use one of single frames": dictionary.lags > 1,
        }
        for cause, is_met in causes.items():
            if is_met:
                raise ParameterError(f"{cause}, to transcribe a recording block by block")
        return NoteBlocks(self, dictionary, n_frames)


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
