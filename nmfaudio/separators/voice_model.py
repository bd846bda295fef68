"""Model of voices of known pitch and their accompaniment."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import ClassVar, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from nmfaudio._common.pitch import erb_rate
from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.factorisation.engine import decompose, nmf
from nmfaudio.factorisation.factors import Factor
from nmfaudio.factorisation.loop import numbered
from nmfaudio.factorisation.online import activations
from nmfaudio.factorisation.structures import Masked, filter_bumps
from nmfaudio.separators.blockwise import Block
from nmfaudio.separators.inputs import SeparationInput
from nmfaudio.separators.masked_fit import frame_levels, with_masks
from nmfaudio.separators.pitch_track import Pitch
from nmfaudio.separators.pulse_trains import FALL, PulseTrains

# The partials of a sung note are about this wide, and pitch tracks about this accurate.
_CENTS = (-20.0, -10.0, 0.0, 10.0, 20.0)

# A partial 30 times weaker than the strongest of its frame halves the weight that its bin has for
# the accompaniment.
_WEIGHT_SLOPE = 30.0

_LOCK = threading.Lock()


class VoiceSizes(NamedTuple):
    """Sizes of the model, and the end of its iterations.

    Parameters
    ----------
    n_components : int
        Number of components of the accompaniment.
    filters : int
        Number of bands of the filter of each voice.
    max_iter : int
        Maximum number of iterations.
    tol : float
        As in `decompose`.
    """

    n_components: int
    filters: int
    max_iter: int
    tol: float

    @property
    def learning(self) -> int:
        """Number of iterations for the accompaniment alone."""
        return round(self.max_iter * 2 / 3)


class Carrier:
    """Spectrogram of a pulse train, level over frequency, of which any frames can be computed.

    Parameters
    ----------
    pitch : Pitch
        Pitch of the pulse train.
    inputs : SeparationInput
        Recording that it is as long as.
    """

    def __init__(self, pitch: Pitch, inputs: SeparationInput) -> None:
        count, dtype = inputs.y.shape[1], inputs.y.dtype
        pulses = PulseTrains(
            pitch.at, count, inputs.sr, start=inputs.start, cents=_CENTS, dtype=dtype
        )
        self._inputs = SeparationInput(pulses, inputs.transform, None, None)  # type: ignore[arg-type]
        # Undoes the spectral slope of the pulse train.
        level = 10 ** (FALL / 20 * inputs.transform.frequencies / (inputs.sr / 2))
        self._level = level[:, None].astype(dtype)

    def frames_at(self, indices: np.ndarray) -> np.ndarray:
        """Compute some frames [shape=(freq, frame)]."""
        frames: np.ndarray = self._inputs.frames_at(indices) * self._level
        return frames


@dataclass(frozen=True)
class VoiceFit:
    """Fit of the filters of voices and of the activations of the accompaniment.

    Parameters
    ----------
    pitches : tuple of str
        Pitch of each voice, as `Pitch.to_text` returns it.
    learning : int
        Number of updates of the accompaniment alone.
    max_iter : int
        Number of updates of all.
    """

    kind: ClassVar[str] = "voices"
    halo: ClassVar[int] = 0

    pitches: tuple[str, ...]
    learning: int
    max_iter: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "pitches", tuple(self.pitches))

    @cached_property
    def _known(self) -> WeakKeyDictionary[SeparationInput, list[Carrier]]:
        """Carriers of the voices in each recording."""
        return WeakKeyDictionary()

    def carriers(self, inputs: SeparationInput) -> list[Carrier]:
        """Return the carrier of each voice in a recording.

        Parameters
        ----------
        inputs : SeparationInput
            The recording.

        Returns
        -------
        list of Carrier
        """
        with _LOCK:  # blocks are fitted by several threads
            if inputs not in self._known:
                pitches = map(Pitch.from_text, self.pitches)
                self._known[inputs] = [Carrier(pitch, inputs) for pitch in pitches]
            return self._known[inputs]

    def __call__(self, learned: Decomposition, block: Block) -> Decomposition:
        """Return the model of all frames of a block."""
        V = block.V
        masks = [carrier.frames_at(block.indices) for carrier in self.carriers(block.inputs)]
        H = activations(
            V,
            learned.factors[-2],
            learned.divergence,
            weights=weights_between_partials(masks),
            max_iter=self.learning,
        )
        filters = learned.factors[1].shape[1]
        gains = np.tile(frame_levels(V).astype(V.dtype), (filters, 1))
        initial = [*([gains] * len(masks)), H]
        masks.append(np.ones((1, 1), V.dtype))
        return with_masks(learned, V, masks, initial, self.max_iter)


def fit_voices(
    V: np.ndarray, carriers: Sequence[np.ndarray], sizes: VoiceSizes, inputs: SeparationInput
) -> Decomposition:
    """Learn the accompaniment between the partials of the voices, then fit all together.

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]
        Spectrogram.
    carriers : sequence of np.ndarray [shape=(freq, time)]
        Carrier of each voice in these frames.
    sizes : VoiceSizes
        Sizes of the model.
    inputs : SeparationInput
        Random numbers, callback and transform.

    Returns
    -------
    Decomposition
        A `Masked` model: ``filters`` components of each voice, then those of the accompaniment.
    """
    rest = nmf(
        V,
        sizes.n_components,
        weights=weights_between_partials(carriers),
        max_iter=sizes.learning,
        tol=sizes.tol,
        rng=inputs.rng,
        callback=numbered(inputs.callback, 0, 2),
    )
    bumps = filter_bumps(erb_rate(inputs.transform.frequencies), sizes.filters).astype(V.dtype)
    gains = np.full((sizes.filters, V.shape[1]), V.mean(), V.dtype)
    # V ≈ ∑ carrier ⊙ (bumps @ gains) + W H: each voice has one smooth filter in each frame.
    factors = [(Factor(C, False), Factor(bumps, False), Factor(gains)) for C in carriers]
    factors += [(Factor(np.ones((1, 1)), False), Factor(rest.W, False), Factor(rest.H))]
    return decompose(
        V,
        list(chain.from_iterable(factors)),
        structure=Masked(),
        max_iter=sizes.max_iter - sizes.learning,
        tol=sizes.tol,
        callback=numbered(inputs.callback, 1, 2),
    )


def weights_between_partials(carriers: Sequence[np.ndarray]) -> np.ndarray:
    """Weight of each bin for the accompaniment: 1 between the partials, near 0 on them.

    Parameters
    ----------
    carriers : sequence of np.ndarray [shape=(freq, time)]

    Returns
    -------
    np.ndarray [shape=(freq, time)]
    """
    weights = np.ones(carriers[0].shape, carriers[0].dtype)
    for carrier in carriers:
        peaks = carrier.max(0)
        weights /= 1 + (_WEIGHT_SLOPE * carrier / np.where(peaks > 0, peaks, 1)) ** 2
    return weights
