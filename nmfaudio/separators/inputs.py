"""Input and output of the model of a separator."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from nmfaudio._common.figures import draw
from nmfaudio.errors import ParameterError

# Slow imports are inside the functions that need them, so that `nmfaudio COMMAND --help` is fast.
if TYPE_CHECKING:
    import numpy as np

    from nmfaudio.audio.transforms import Stft
    from nmfaudio.factorisation.decomposition import Decomposition
    from nmfaudio.factorisation.engine import Callback
    from nmfaudio.separators.excerpt import Excerpt
    from nmfaudio.stems.grouping import ComponentGroup
    from nmfaudio.symbolic.note import Note

_RUN = 64  # consecutive frames that are computed at a time
_SCRATCH_BLOCK = 1024  # frames that are computed and written to disk at a time

Fit = Literal["frames", "all"]
"""Frames from which templates are learned: spread over the recording, or all."""


@dataclass(frozen=True, eq=False)
class SeparationInput:
    """Input of `NmfSeparator.model`: the recording and its transform.

    Parameters
    ----------
    y : np.ndarray [shape=(channel, sample)]
        Recording, with an extremely small or large peak scaled to about 1. Must not be modified.
    transform : Stft
        Transform that computes the spectrogram.
    rng : int, np.random.Generator or None
        Seed of the random numbers.
    callback : callable or None
        Called with a `Progress` every ten iterations; to be passed on to `decompose`.
    excerpt : Excerpt or None
        Place of `y` in its file, if it is an excerpt of one.
    fit : "frames" or "all"
        Frames from which `NmfSeparator.learn` learns templates: spread over the recording, or all.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> inputs = na.separators.SeparationInput(np.ones((2, 4000)), na.Stft(8000, 256), 0, None)
    >>> inputs.sr, inputs.V.shape
    (8000, (129, 64))
    """

    y: np.ndarray
    transform: Stft
    rng: int | np.random.Generator | None
    callback: Callback | None
    excerpt: Excerpt | None = None
    fit: Fit = "frames"

    @property
    def sr(self) -> int:
        """Sample rate in Hz."""
        return self.transform.sr

    @property
    def duration(self) -> float:
        """Duration of `y` in seconds."""
        return float(self.y.shape[1] / self.sr)

    @property
    def start(self) -> float:
        """Time of the first sample in the file in seconds."""
        return 0.0 if self.excerpt is None else self.excerpt.start

    @property
    def file_duration(self) -> float:
        """Duration in seconds of the file of which `y` may be an excerpt."""
        return self.duration if self.excerpt is None else self.excerpt.file_duration

    @property
    def times(self) -> np.ndarray:
        """Centres of the frames in seconds from the beginning of the file [shape=(time,)]."""
        return self.start + self.transform.times(self.n_frames)

    @cached_property
    def V(self) -> np.ndarray:
        """Spectrogram that all channels share, see `analyse` [shape=(freq, time)]."""
        from nmfaudio.audio.masking import analyse

        return analyse(self.y, self.transform)

    @property
    def n_frames(self) -> int:
        """Number of frames of `V`."""
        return self.transform.n_frames(self.y.shape[1])

    def require_frames(self, frames: int, run: str) -> None:
        """Refuse saved activations of a recording of another length.

        Parameters
        ----------
        frames : int
            Number of their frames; 0 if there are none, which is not refused.
        run : str
            What the message calls the run that saved them.

        Raises
        ------
        ParameterError
            The number is not that of the recording.
        """
        if frames in (0, self.n_frames):
            return
        # A Stft has a frame more than whole hops in the recording, and the last may be cut.
        before = max(frames - 1.5, 0) * self.transform.hop_seconds
        raise ParameterError(
            f"the recording is {self.duration:.2f} s long, that of {run} was {before:.1f} s; use "
            "the same recording, with the same --preview if there was one"
        )

    def frames(self, start: int, stop: int) -> np.ndarray:
        """Compute some frames of `V`, bit for bit.

        Parameters
        ----------
        start, stop : int
            Range of frames.

        Returns
        -------
        np.ndarray [shape=(freq, time)]
        """
        return self.transform.features(self.transform.frames(self.y, start, stop))

    def training_frames(self, count: int, run: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Compute the frames from which templates are learned, as `fit` chooses them.

        Parameters
        ----------
        count, run : int
            As for `spread_frames`.

        Returns
        -------
        V : np.ndarray [shape=(freq, frame)]
            Spectrogram of the frames; all frames of a long recording are a temporary file that is
            mapped into memory, see `all_frames`.
        indices : np.ndarray [shape=(frame,)]
            Index of each frame in the recording, ascending.

        Raises
        ------
        OutputError
            The disk has no space for all frames.
        """
        import numpy as np

        if self.learns_from_disk(count):
            return self.all_frames(), np.arange(self.n_frames)
        return self.spread_frames(count, run)

    def learns_from_disk(self, count: int) -> bool:
        """Return whether templates are learned from all frames, which are more than `count`.

        Parameters
        ----------
        count : int
            Largest number of frames in memory.

        Returns
        -------
        bool
        """
        return self.fit == "all" and self.n_frames > count

    def all_frames(self, prepare: Callable[[np.ndarray], np.ndarray] | None = None) -> np.ndarray:
        """Compute all frames of `V`, bit for bit, in a temporary file that is mapped into memory.

        Parameters
        ----------
        prepare : callable, optional
            Maps frames [shape=(frame, freq)] to what is stored of them, in the same precision.

        Returns
        -------
        np.ndarray [shape=(freq, time)]
            In Fortran order. The file is deleted with it.

        Raises
        ------
        OutputError
            The disk has no space for it.
        """
        from nmfaudio._common.files.scratch import scratch_array
        from nmfaudio.audio.feature_blocks import analysed_blocks

        shape = self.n_frames, len(self.transform.frequencies)
        blocks = (V.T for _, V in analysed_blocks(self.y, self.transform, _SCRATCH_BLOCK))
        return scratch_array(map(prepare, blocks) if prepare else blocks, shape, self.y.dtype).T

    def spread_frames(self, count: int, run: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Compute frames that are spread evenly over the recording.

        Parameters
        ----------
        count : int
            Largest number of frames; a shorter recording has all of its frames.
        run : int
            Number of consecutive frames, for models of several frames.

        Returns
        -------
        V : np.ndarray [shape=(freq, frame)]
            Spectrogram of the frames.
        indices : np.ndarray [shape=(frame,)]
            Index of each frame in the recording, ascending.
        """
        import numpy as np

        total = self.n_frames
        if total <= count:
            return self.V, np.arange(total)
        starts = np.linspace(0, total - run, count // run).astype(int)
        indices = (starts[:, None] + np.arange(run)).reshape(-1)
        return self.frames_at(indices), indices

    def frames_at(self, indices: np.ndarray) -> np.ndarray:
        """Compute frames of `V` by their indices, bit for bit.

        Parameters
        ----------
        indices : np.ndarray [shape=(frame,)]
            Indices of frames; those of consecutive frames are computed together.

        Returns
        -------
        np.ndarray [shape=(freq, frame)]
        """
        import numpy as np

        from nmfaudio.kernels.threads import parallel_for

        rows = np.empty((len(indices), len(self.transform.frequencies)), self.y.dtype)
        runs = np.flatnonzero(np.diff(indices, prepend=-2, append=-2) != 1).tolist()

        def work(numbers: range) -> None:
            for n in numbers:
                for first in range(runs[n], runs[n + 1], _RUN):
                    last = min(first + _RUN, runs[n + 1])
                    rows[first:last] = self.frames(indices[first], indices[last - 1] + 1).T

        parallel_for(work, len(runs) - 1)
        return rows.T

    @property
    def levels(self) -> np.ndarray:
        """Sum of each frame of `V`, float64 [shape=(time,)]."""
        return self._totals[0]

    @property
    def peak(self) -> float:
        """Largest value of `V`."""
        return self._totals[1]

    @cached_property
    def _totals(self) -> tuple[np.ndarray, float]:
        """Sum of each frame of `V`, and its largest value, without `V` in memory."""
        import numpy as np

        from nmfaudio.audio.masking import block_frames

        levels, peaks = np.empty(self.n_frames), []
        for start in range(0, self.n_frames, block_frames()):
            stop = min(start + block_frames(), self.n_frames)
            V = self.frames(start, stop)
            levels[start:stop] = V.sum(axis=0, dtype=np.float64)
            peaks.append(float(V.max()))
        return levels, max(peaks)


@dataclass(frozen=True, eq=False)
class GroupedDecomposition:
    """Decomposition of a spectrogram, with its components assigned to stems.

    Parameters
    ----------
    decomposition : Decomposition
        Decomposition of the spectrogram.
    groups : mapping of str to sequence of int, or to ComponentGroup
        Components of each stem, in the order of the stems. Each component is in exactly one group.
    metadata : mapping
        JSON-serialisable information that is saved with the decomposition.
    notes : tuple of Note
        Transcribed notes, for separators with a setting that keeps them.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> d = na.nmf(np.ones((4, 6)), 3, max_iter=2)
    >>> list(na.separators.GroupedDecomposition(d, {"low": [0, 2], "high": [1]}).groups)
    ['low', 'high']
    """

    decomposition: Decomposition
    groups: Mapping[str, Sequence[int]] | Mapping[str, ComponentGroup]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()

    def plot(self, **options: Any) -> Any:
        """Draw the factors, coloured by stem.

        Parameters
        ----------
        **options
            Further arguments of `nmfaudio.plot_factors`.

        Returns
        -------
        nmfaudio.display.Panels

        Raises
        ------
        MissingExtraError
            matplotlib is not installed.
        """
        return draw("plot_factors", self.decomposition, **{"groups": self.groups} | options)


def describe_members(
    V: np.ndarray,
    fitted: Decomposition,
    members: Mapping[str, Sequence[int]],
    transform: Stft,
) -> dict[str, ComponentGroup]:
    """Compute the features of groups of components of a model; see `describe_groups`.

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]
        Spectrogram of the mixture.
    fitted : Decomposition
        Its model.
    members : mapping of str to sequence of int
        Components of each group.
    transform : Stft
        Transform of the spectrogram.

    Returns
    -------
    dict of str to ComponentGroup
        The groups in the order of `members`.
    """
    from nmfaudio.stems.grouping import describe_groups

    return describe_groups(
        V,
        fitted.W,
        fitted.H,
        members,
        frequencies=transform.frequencies,
        hop_seconds=transform.hop_seconds,
    )


def model_metadata(
    metadata: Mapping[str, Any],
    transform: Stft,
    settings: Mapping[str, Any],
    groups: Mapping[str, ComponentGroup],
) -> dict[str, Any]:
    """Return the metadata that are saved with a model, JSON-serialisable.

    Parameters
    ----------
    metadata : mapping
        Information of the separator.
    transform : Stft
    settings : mapping
        Settings of the separator.
    groups : mapping of str to ComponentGroup
        Components of each stem.

    Returns
    -------
    dict
    """
    return {
        **metadata,
        "transform": transform.to_dict(),
        "settings": dict(settings),
        "sources": {name: asdict(group) for name, group in groups.items()},
    }
