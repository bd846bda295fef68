"""Contract of the separators, and their lookup by name."""

from __future__ import annotations

import dataclasses
import importlib
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, cast

from nmfaudio.errors import ParameterError
from nmfaudio.separators import SEPARATORS

if TYPE_CHECKING:
    import numpy as np

    from nmfaudio._common.lazy_audio import LazyAudio
    from nmfaudio.factorisation.engine import Progress
    from nmfaudio.separators.blockwise import StemStream
    from nmfaudio.separators.excerpt import Excerpt
    from nmfaudio.separators.inputs import Fit
    from nmfaudio.stems.stems import Stems


class Separator(Protocol):
    """Contract of every separator: a frozen dataclass of settings that can be called on audio.

    These members are all that the command line requires. `NmfSeparator` implements them for
    separators that factorise a spectrogram, which then only define the model.
    """

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]
    usage_examples: ClassVar[tuple[str, ...]]

    def __call__(
        self,
        audio: str | bytes | os.PathLike[str] | np.ndarray,
        sr: int | None = None,
        *,
        rng: int | np.random.Generator | None = 0,
        callback: Callable[[Progress], bool | None] | None = None,
        excerpt: Excerpt | None = None,
    ) -> Stems:
        """Separate a recording.

        Parameters
        ----------
        audio : path, or np.ndarray [shape=(channel, sample) or (sample,)]
            A file that libsndfile reads, or float samples; never written to.
        sr : int, optional
            Sample rate of the samples in Hz; not given for a file.
        rng : int, np.random.Generator or None
            Seed of the random numbers; the same seed gives the same bytes.
        callback : callable, optional
            Called with a `Progress` every ten iterations; returning True stops the iterations.
        excerpt : Excerpt, optional
            Place of the samples in their file, if they are an excerpt of one; all times of the
            settings then count from the beginning of the file.

        Returns
        -------
        Stems
            Named stems that sum to the mixture.
        """
        ...

    def stream(
        self,
        y: np.ndarray | LazyAudio,
        sr: int,
        *,
        rng: int | np.random.Generator | None = 0,
        callback: Callable[[Progress], bool | None] | None = None,
        excerpt: Excerpt | None = None,
        fit: Fit = "frames",
    ) -> StemStream:
        """Separate a recording block by block, in memory that does not grow with its length.

        Parameters
        ----------
        y : np.ndarray or Track [shape=(channel, sample)]
            The recording.
        sr : int
            Sample rate in Hz.
        rng, callback, excerpt
            As for a call.
        fit : "frames" or "all"
            Frames from which templates are learned: spread over the recording, or all.

        Returns
        -------
        StemStream
            The learned model; its method `blocks` renders the stems.
        """
        ...

    def check_fit(self, fit: Fit) -> None:
        """Check, before a recording is read, from which frames templates are to be learned.

        Parameters
        ----------
        fit : "frames" or "all"
            As for `stream`.

        Raises
        ------
        ParameterError
            The separator cannot learn from all frames of a long recording.
        """
        ...

    def memory(self, y: np.ndarray, sr: int) -> int:
        """Estimate the peak memory of a call.

        Parameters
        ----------
        y : np.ndarray [shape=(channel, sample)]
            The recording.
        sr : int
            Sample rate in Hz.

        Returns
        -------
        int
            Bytes, including `y` and the process itself.
        """
        ...


def load_separator(name: str) -> type[Any]:
    """Import the class that `SEPARATORS` lists under a name.

    Parameters
    ----------
    name : str
        A key of `SEPARATORS`.

    Returns
    -------
    type
        Class of the separator.

    Raises
    ------
    ParameterError
        The name is not in `SEPARATORS`.
    """
    if name not in SEPARATORS:
        raise ParameterError(f"unknown separator {name!r}; choose from {', '.join(SEPARATORS)}")
    module, _, attribute = SEPARATORS[name][0].partition(":")
    return cast("type[Any]", getattr(importlib.import_module(module), attribute))
