"""Separation block by block: templates learned on an excerpt, activations fitted in each block."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from nmfaudio._common.lazy_audio import LazyAudio
from nmfaudio.audio.masking import Masking, join_frames
from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.kernels.threads import get_threads
from nmfaudio.separators.inputs import SeparationInput, describe_members, model_metadata
from nmfaudio.stems.masks import Parts, parts_of_factors, select_groups
from nmfaudio.stems.rendering import Refinement, render_blocks

if TYPE_CHECKING:
    from nmfaudio.audio.transforms import Stft
    from nmfaudio.stems.grouping import ComponentGroup
    from nmfaudio.symbolic.note import Note

LEARNING_FRAMES = 8192
"""Frames of a long recording from which templates are learned."""
EVIDENCE_FRAMES, EVIDENCE_RUN = 2048, 64
"""Frames of a long recording by which components are grouped, and length of their runs."""
BLOCK = 480
"""Frames whose activations are fitted at a time."""


@dataclass(frozen=True, eq=False)
class Block:
    """Frames of a recording, consecutive except for those by which components are grouped.

    Parameters
    ----------
    inputs : SeparationInput
        The recording.
    start, stop : int
        Range of frames.
    V : np.ndarray [shape=(freq, time)]
        Spectrogram of these frames.
    spread : np.ndarray [shape=(time,)], optional
        Index of each frame, where they are not consecutive.
    """

    inputs: SeparationInput
    start: int
    stop: int
    V: np.ndarray
    spread: np.ndarray | None = None

    @property
    def indices(self) -> np.ndarray:
        """Index of each frame in the recording [shape=(time,)]."""
        return np.arange(self.start, self.stop) if self.spread is None else self.spread

    @property
    def times(self) -> np.ndarray:
        """Centres of the frames in seconds from the beginning of the file [shape=(time,)]."""
        inputs = self.inputs
        return inputs.start + self.indices * (inputs.transform.hop / inputs.sr)


class BlockFit(Protocol):
    """Fit of learned templates to a block of frames."""

    @property
    def halo(self) -> int:
        """Number of frames on each side of a block that influence its activations."""
        ...

    def __call__(self, learned: Decomposition, block: Block) -> Decomposition:
        """Return the model of all frames of a block, with the components of `learned`."""
        ...


@dataclass(frozen=True, eq=False)
class Learned:
    """Model that a separator learned from an excerpt of a recording.

    Parameters
    ----------
    decomposition : Decomposition
        Model of the excerpt; its templates are those of the whole recording.
    groups : mapping of str to ComponentGroup
        Components of each stem, in the order of the stems.
    fit : BlockFit
        Fit of the templates to a block.
    metadata : mapping
        JSON-serialisable information that is saved with the decomposition.
    notes : tuple of Note
        Transcribed notes, for separators with a setting that keeps them.
    """

    decomposition: Decomposition
    groups: Mapping[str, ComponentGroup]
    fit: BlockFit
    metadata: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()


class Scaled(LazyAudio):
    """Recording divided by a power of two, which is exact.

    Parameters
    ----------
    y : np.ndarray or Track [shape=(channel, sample)]
    divisor : float
    """

    def __init__(self, y: np.ndarray | LazyAudio, divisor: float) -> None:
        self._y, self._divisor = y, divisor
        self.shape, self.dtype = (len(y), y.shape[1]), y.dtype

    def __getitem__(self, key: tuple[slice, slice]) -> np.ndarray:
        return np.asarray(self._y[key] / self._divisor)


def without_frames(model: Decomposition) -> Decomposition:
    """Return the templates of a model, with activations and masks of no frames.

    Parameters
    ----------
    model : Decomposition

    Returns
    -------
    Decomposition
    """
    factors, _ = model.structure.excerpt(model.factors, slice(0, 0))
    return replace(model, factors=tuple(factors), fitted=(), weights=None)


def fitted_evidence(
    learned: Decomposition, fit: BlockFit, inputs: SeparationInput
) -> tuple[np.ndarray, Decomposition]:
    """Fit learned templates to runs of frames by which components can be grouped.

    Parameters
    ----------
    learned : Decomposition
        Model of an excerpt.
    fit : BlockFit
        Fit of its templates to a block.
    inputs : SeparationInput
        The recording.

    Returns
    -------
    V : np.ndarray [shape=(freq, time)]
        Runs of frames that are spread over the recording, one after another.
    fitted : Decomposition
        Model of V.
    """
    V, indices = inputs.spread_frames(EVIDENCE_FRAMES, EVIDENCE_RUN)
    return V, fit(learned, Block(inputs, 0, len(indices), V, indices))


def described_groups(
    learned: Decomposition,
    fit: BlockFit,
    members: Mapping[str, Sequence[int]],
    inputs: SeparationInput,
) -> dict[str, ComponentGroup]:
    """Compute the features of groups of learned components.

    Parameters
    ----------
    learned : Decomposition
        Model of an excerpt.
    fit : BlockFit
        Fit of its templates to a block.
    members : mapping of str to sequence of int
        Components of each group.
    inputs : SeparationInput
        The recording.

    Returns
    -------
    dict of str to ComponentGroup
        The groups in the order of `members`.
    """
    V, fitted = fitted_evidence(learned, fit, inputs)
    return describe_members(V, fitted, members, inputs.transform)


def fit_block(
    learned: Decomposition, fit: BlockFit, inputs: SeparationInput, number: int
) -> tuple[Decomposition, int]:
    """Fit learned templates to a block of `BLOCK` frames and to the frames that influence it.

    Parameters
    ----------
    learned : Decomposition
        Model of an excerpt.
    fit : BlockFit
        Fit of its templates to a block.
    inputs : SeparationInput
        The recording.
    number : int
        Number of the block, from 0.

    Returns
    -------
    fitted : Decomposition
        Model of the frames of the block and of up to `fit.halo` frames on each side.
    offset : int
        Index in `fitted` of the first frame of the block.
    """
    first, last = number * BLOCK, min((number + 1) * BLOCK, inputs.n_frames)
    start, stop = max(first - fit.halo, 0), min(last + fit.halo, inputs.n_frames)
    block = Block(inputs, start, stop, inputs.frames(start, stop))
    return fit(learned, block), first - start


@dataclass(frozen=True, eq=False)
class StemStream:
    """Stems of a recording, rendered block by block.

    Parameters
    ----------
    finish : callable
        Last step: maps a block of stems and `learned` to stems with the same sum.
    learned : Learned
        Templates and groups.
    y : np.ndarray or Track [shape=(channel, sample)]
        The recording.
    inputs : SeparationInput
        The recording as it is analysed: divided by `scale`.
    masking : Masking
        Kind of the masks.
    refinement : Refinement
        Steps of rendering beyond masking.
    scale : float
        Power of two.
    settings : dict
        Settings of the separator, JSON-serialisable.
    """

    finish: Callable[[np.ndarray, Learned], np.ndarray]
    learned: Learned
    y: np.ndarray | LazyAudio
    inputs: SeparationInput
    masking: Masking
    refinement: Refinement
    scale: float
    settings: dict[str, Any]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the stems."""
        return tuple(self.learned.groups)

    @property
    def transform(self) -> Stft:
        """Transform of the recording."""
        return self.inputs.transform

    def model(self) -> Decomposition:
        """Return the model without its activations.

        Returns
        -------
        Decomposition
            Templates, and activations of no frames. Its `metadata` holds transform, settings and
            sources, and the fit that computes the activations where it can be saved.
        """
        learned = self.learned
        metadata = model_metadata(learned.metadata, self.transform, self.settings, learned.groups)
        return replace(without_frames(learned.decomposition), metadata=metadata)

    def blocks(self) -> Iterator[np.ndarray]:
        """Render the stems.

        Yields
        ------
        np.ndarray [shape=(stem, channel, sample)]
            Next samples of all stems, which sum to the recording.
        """
        parts = self.parts()
        for block in render_blocks(
            parts,
            len(self.names),
            self.masking,
            self.refinement,
            self.inputs.y,
            self.transform,
            prepare=parts.prepare,
        ):
            yield self.finish(self.rescaled(block), self.learned)

    def parts(self) -> BlockwiseParts:
        """Return the models of the stems, of which the activations have yet to be fitted."""
        members = [group.components for group in self.learned.groups.values()]
        return BlockwiseParts(self.learned, members, self.inputs)

    def rescaled(self, block: np.ndarray) -> np.ndarray:
        """Return rendered stems at the level of the recording."""
        return block * self.scale if self.scale != 1 else block


class BlockwiseParts:
    """Models of the stems, from activations that are fitted when they are needed.

    The activations of a frame are always fitted in the same block, however the models are
    requested, and the latest blocks are kept.

    Parameters
    ----------
    learned : Learned
        Templates, and their fit to a block.
    members : sequence of sequence of int
        Components of each stem.
    inputs : SeparationInput
        The recording.
    """

    def __init__(
        self, learned: Learned, members: Sequence[Sequence[int]], inputs: SeparationInput
    ) -> None:
        self._learned, self._members, self._inputs = learned, members, inputs
        self._selected = select_groups(learned.decomposition, members)
        self._templates = list(map(id, learned.decomposition.factors[:-1]))
        self._blocks: dict[int, _Entry] = {}
        self._lock = threading.Lock()

    def __call__(self, frames: slice) -> list[np.ndarray]:
        """Compute the model of each stem in some frames [shape=(freq, time)]."""
        pieces = []
        for number in range(frames.start // BLOCK, -(-frames.stop // BLOCK)):
            first = number * BLOCK
            inside = slice(max(frames.start - first, 0), min(frames.stop - first, BLOCK))
            pieces.append(self._parts(number)(inside))
        return [join_frames(models) for models in zip(*pieces, strict=True)]

    def prepare(self, frames: slice) -> None:
        """Fit the activations of some frames, on all threads."""
        for number in range(frames.start // BLOCK, -(-frames.stop // BLOCK)):
            self._parts(number)

    def _parts(self, number: int) -> Parts:
        """Return the models of the stems in a block, which is fitted by one thread."""
        with self._lock:
            entry = self._blocks.setdefault(number, _Entry())
            self._blocks[number] = self._blocks.pop(number)  # the latest
            while len(self._blocks) > 2 * get_threads() + 2:
                del self._blocks[next(iter(self._blocks))]
        with entry.lock:
            if entry.parts is None:
                entry.parts = self._fitted(number)
            return entry.parts

    def _fitted(self, number: int) -> Parts:
        """Fit the activations of a block."""
        learned = self._learned
        fitted, offset = fit_block(learned.decomposition, learned.fit, self._inputs, number)
        # Blocks in the cache share templates that their fit leaves as they are.
        kept = list(map(id, fitted.factors[:-1])) == self._templates
        selected = select_groups(fitted, self._members, self._selected if kept else None)
        parts = parts_of_factors(fitted.structure, selected)
        return lambda frames: parts(slice(frames.start + offset, frames.stop + offset))


class _Entry:
    """Block in the cache, and the lock of the thread that fits it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.parts: Parts | None = None
