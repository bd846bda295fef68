"""Stems that were written to files, as a report page reads them: block by block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from nmfaudio._common.files.staging import staged_path
from nmfaudio._common.lazy_audio import LazyAudio
from nmfaudio.audio.io.track import open_track
from nmfaudio.audio.masking import Masking
from nmfaudio.audio.transforms import transform_from
from nmfaudio.errors import ParameterError
from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.separators.blockwise import BLOCK, Scaled, fit_block
from nmfaudio.separators.inputs import SeparationInput
from nmfaudio.separators.pipeline import input_scale
from nmfaudio.separators.saved_fits import unpack
from nmfaudio.stems.stems import Stems

if TYPE_CHECKING:
    from nmfaudio.stems.grouping import ComponentGroup
    from nmfaudio.symbolic.note import Note

MOST_DECODED = 2**30
"""Bytes of the sounds of a page: a browser holds 32-bit samples of all of them in memory."""

_BLOCK = 2**18  # samples


class WrittenStems(Protocol):
    """Stems in files with their model, such as `nmfaudio.SeparatedFile`."""

    @property
    def paths(self) -> dict[str, Path]: ...
    @property
    def sr(self) -> int: ...
    @property
    def shape(self) -> tuple[int, int]: ...
    @property
    def decomposition(self) -> Decomposition: ...
    @property
    def groups(self) -> dict[str, ComponentGroup]: ...
    @property
    def settings(self) -> dict[str, Any]: ...
    @property
    def gain(self) -> float: ...
    @property
    def notes(self) -> tuple[Note, ...]: ...


class SumOfStems(LazyAudio):
    """Recording as the sum of its stems.

    Parameters
    ----------
    stems : sequence of LazyAudio [shape=(channel, sample)]
    """

    def __init__(self, stems: Sequence[LazyAudio]) -> None:
        self._stems = stems
        self.shape, self.dtype = stems[0].shape, stems[0].dtype

    def __getitem__(self, key: tuple[slice, slice]) -> np.ndarray:
        total: np.ndarray = np.sum([stem[key] for stem in self._stems], axis=0, dtype=self.dtype)
        return total

    def max(self) -> float:
        """Return the largest sample."""
        return max(float(block.max()) for block in self._blocks())

    def min(self) -> float:
        """Return the smallest sample."""
        return min(float(block.min()) for block in self._blocks())

    def _blocks(self) -> Iterator[np.ndarray]:
        starts = range(0, self.shape[1], _BLOCK)
        return (self[:, start : start + _BLOCK] for start in starts)


def playable_seconds(separated: WrittenStems) -> float:
    """Return the duration of stems and recording that a browser holds in memory.

    Parameters
    ----------
    separated : WrittenStems

    Returns
    -------
    float
        In seconds, at most the duration of the recording.
    """
    channels, samples = separated.shape
    frame = 4 * channels * (len(separated.paths) + 1)  # bytes
    return min(samples, MOST_DECODED // frame) / separated.sr


@contextmanager
def opened_stems(separated: WrittenStems, start: float) -> Iterator[Stems]:
    """Open the beginning of stems that were written to files, as long as a browser can play.

    Parameters
    ----------
    separated : WrittenStems
    start : float
        Time of the first sample in the file of the recording, in seconds.

    Yields
    ------
    Stems
        Its samples are read where they are sliced; its activations are fitted again.

    Raises
    ------
    AudioFileError
        A file cannot be read.
    ParameterError
        The fit of the activations could not be saved with the model.
    """
    model = separated.decomposition
    transform = transform_from(model.metadata["transform"])
    stop = playable_seconds(separated)
    with ExitStack() as opened:

        def tracks() -> list[Scaled]:
            files = (
                opened.enter_context(open_track(staged_path(path), stop=stop))
                for path in separated.paths.values()
            )
            return [Scaled(file, separated.gain) for file in files]

        # Sounds are encoded at the same time, so the recording has tracks of its own.
        stems, mixture = tracks(), SumOfStems(tracks())
        fitted = _with_activations(model, mixture, transform, start, separated.shape[1])
        settings = separated.settings
        yield Stems(
            dict(zip(separated.paths, stems, strict=True)),  # type: ignore[arg-type]  # as lazy
            mixture,  # type: ignore[arg-type]  # as lazy as a track
            separated.sr,
            fitted,
            transform,
            separated.groups,
            Masking(settings["mask_power"], transform.power, settings["mask"] == "binary"),
            settings,
            separated.notes,
        )


def _with_activations(
    model: Decomposition, y: SumOfStems, transform: Any, start: float, samples: int
) -> Decomposition:
    """Fit the activations of a model that was saved without them, block by block."""
    packed = model.metadata.get("fit")
    if packed is None:
        raise ParameterError(
            "the model lacks the fit that computes its activations, so it has no page; separate the"
            " recording in memory"
        )
    scale = input_scale(y)
    place = SimpleNamespace(start=start, file_duration=start + samples / transform.sr)
    inputs = SeparationInput(
        Scaled(y, scale) if scale != 1 else y,  # type: ignore[arg-type]  # as lazy as a track
        transform,
        None,
        None,
        place,  # type: ignore[arg-type]  # of a file that need not exist any more
    )
    fit, activations = unpack(packed), []
    for number in range(-(-inputs.n_frames // BLOCK)):
        fitted, offset = fit_block(model, fit, inputs, number)
        count = min(BLOCK, inputs.n_frames - number * BLOCK)
        activations.append(fitted.H[..., offset : offset + count])
    H = np.concatenate(activations, axis=-1)
    return replace(model, factors=(*model.factors[:-1], H), fitted=(), weights=None)
