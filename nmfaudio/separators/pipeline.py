"""Base class of all separators: spectrogram, factorisation, masks, stems."""

from __future__ import annotations

import math
import operator
import os
import warnings
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, SupportsIndex

from nmfaudio._common.options import documented
from nmfaudio.errors import AudioWarning, LimitError, ParameterError
from nmfaudio.separators.inputs import (
    Fit,
    GroupedDecomposition,
    SeparationInput,
    describe_members,
    model_metadata,
)
from nmfaudio.separators.shared_settings import SharedSettings

# Slow imports are inside the functions that need them, so that `nmfaudio COMMAND --help` is fast.
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np

    from nmfaudio._common.lazy_audio import LazyAudio
    from nmfaudio.factorisation.engine import Callback
    from nmfaudio.separators.blockwise import Learned, StemStream
    from nmfaudio.separators.excerpt import Excerpt
    from nmfaudio.stems.grouping import ComponentGroup
    from nmfaudio.stems.stems import Stems

# A recording whose peak is outside this range is scaled first, since powers of its float32 samples
# could underflow or overflow. Scaling by a power of two is exact.
QUIETEST, LOUDEST = 2.0**-20, 2.0**20


@documented
@dataclass(frozen=True, kw_only=True)
class NmfSeparator(SharedSettings, ABC):
    """Base class of separators that factorise a spectrogram.

    It computes the spectrogram, calls `model` to factorise it and to assign the components to
    stems, computes the masks, and renders the stems. A subclass is a frozen dataclass with `option`
    fields that implements `model` and `size`. It may override the default of a shared field.

    Raises
    ------
    ParameterError
        A setting is out of range.

    Notes
    -----
    The soft mask of the stem with the set of components g is, in bin f and frame t,

    .. math:: M_{g,ft} = \\Bigl(\\sum_{k \\in g} W_{fk} H_{kt}\\Bigr)^{\\alpha / p} \\Big/
              \\sum_{j} \\Bigl(\\sum_{k \\in j} W_{fk} H_{kt}\\Bigr)^{\\alpha / p}

    where α is `mask_power`, j runs over the sets of components of all stems, and p is 1 for a
    magnitude spectrogram and 2 for a power spectrogram. The masks sum to one in every bin, so the
    stems sum to the mixture. For α = 2 the masks are Wiener filters: they estimate the power
    spectrogram of each source by its model (p = 2) or by the square of its model (p = 1).

    Examples
    --------
    A separator with one stem for each component:

    >>> from dataclasses import dataclass
    >>> import numpy as np, nmfaudio as na
    >>> @dataclass(frozen=True, kw_only=True)
    ... class ComponentSeparator(na.separators.NmfSeparator):
    ...     def model(self, inputs):
    ...         d = na.nmf(inputs.V, 2, max_iter=self.max_iter, rng=inputs.rng)
    ...         return na.separators.GroupedDecomposition(d, {"first": [0], "second": [1]})
    ...
    ...     def size(self):
    ...         return 2, 2
    >>> y = np.random.default_rng(0).standard_normal((1, 8000))
    >>> list(ComponentSeparator(max_iter=5)(y, 8000))
    ['first', 'second']
    """

    usage_examples: ClassVar[tuple[str, ...]] = ()
    """Example arguments that the help of the command shows."""

    @abstractmethod
    def model(self, inputs: SeparationInput) -> GroupedDecomposition:
        """Factorise the spectrogram, and assign the components to stems.

        Parameters
        ----------
        inputs : SeparationInput
            The recording and its spectrogram.

        Returns
        -------
        GroupedDecomposition
            The decomposition, and the components of each stem.
        """

    def learn(self, inputs: SeparationInput) -> Learned:
        """Learn the templates from an excerpt of a long recording, for `stream`.

        Parameters
        ----------
        inputs : SeparationInput
            The recording, whose attribute `V` may be too large for the memory.

        Returns
        -------
        Learned
            The templates, the components of each stem, and the fit to a block of frames.

        Raises
        ------
        LimitError
            The separator needs the whole recording in memory.
        """
        raise LimitError(
            f"{type(self).__name__} needs the whole recording in memory; separate a shorter part"
        )

    @property
    def learns_from_all(self) -> bool:
        """True if `learn` takes `SeparationInput.training_frames`."""
        return False

    @abstractmethod
    def size(self) -> tuple[int, int]:
        """Return upper bounds of the numbers of components and stems, for the memory estimate.

        Returns
        -------
        tuple of (int, int)
            Number of components, number of stems.
        """

    def __call__(
        self,
        audio: str | bytes | os.PathLike[str] | np.ndarray,
        sr: int | None = None,
        *,
        rng: int | np.random.Generator | None = 0,
        callback: Callback | None = None,
        excerpt: Excerpt | None = None,
    ) -> Stems:
        """Separate a recording.

        Parameters
        ----------
        audio : path, or np.ndarray [shape=(channel, sample) or (sample,)]
            A file in a format that libsndfile supports, or samples in float32 or float64. The
            stems have the same precision.
        sr : int, optional
            Sample rate of the samples in Hz; omitted for a file.
        rng : int, np.random.Generator or None
            Seed of the random numbers; the same seed gives bitwise the same stems.
        callback : callable, optional
            Called with a `Progress` every ten iterations; returning True stops the iterations.
        excerpt : Excerpt, optional
            Place of the samples in their file, if they are an excerpt of one; all times of the
            settings then count from the beginning of the file.

        Returns
        -------
        Stems
            Named stems that sum to the mixture.

        Raises
        ------
        AudioFileError
            The file cannot be read.
        ParameterError, ShapeError, ContentError
            A setting or the audio is invalid.

        Warns
        -----
        AudioWarning
            There is only one stem.
        """
        from nmfaudio._common.log import LOGGER
        from nmfaudio.audio.io.samples import as_samples
        from nmfaudio.stems.masks import group_parts
        from nmfaudio.stems.rendering import render_stems
        from nmfaudio.stems.stems import Stems

        mixture, sr = as_samples(audio, sr)
        self.check_channels(mixture.shape)
        transform = self.transform(sr)
        LOGGER.info("%r: %s samples at %d Hz, %r", self, mixture.shape, sr, transform)
        scale = input_scale(mixture)
        scaled = mixture / scale if scale != 1 else mixture
        inputs = SeparationInput(scaled, transform, rng, callback, excerpt)
        model = self.model(inputs)
        groups = _component_groups(model, inputs)
        _warn_of_single(groups)
        del inputs  # frees the spectrogram, which rendering does not need
        members = [group.components for group in groups.values()]
        masking, refinement = self.rendering(transform)
        LOGGER.info("rendering %d stems: %s", len(groups), ", ".join(groups))
        parts = group_parts(model.decomposition, members)
        stems = render_stems(parts, len(members), masking, refinement, scaled, transform)
        if scale != 1:
            stems *= scale
        settings = self.settings() | {"seed": _seed(rng)}
        metadata = model_metadata(model.metadata, transform, settings, groups)
        separated = Stems(
            dict(zip(groups, stems, strict=True)),
            mixture,
            sr,
            replace(model.decomposition, metadata=metadata, fitted=(), weights=None),
            transform,
            groups,
            masking,
            settings,
            model.notes,
        )
        return self.finish(separated)

    def stream(
        self,
        y: np.ndarray | LazyAudio,
        sr: int,
        *,
        rng: int | np.random.Generator | None = 0,
        callback: Callback | None = None,
        excerpt: Excerpt | None = None,
        fit: Fit = "frames",
    ) -> StemStream:
        """Separate a recording block by block, in memory that does not grow with its length.

        Templates are learned from frames that are spread over the recording, then activations are
        fitted and stems are rendered in one block of frames after another. A short recording has
        nearly the stems of a call.

        Templates may also be learned from all frames, which takes longer. Their spectrogram is then
        a temporary file, in the folder that the environment variable ``TMPDIR`` chooses, and memory
        grows with the length by the activations alone; by a `DrumSeparator` or `GuidedSeparator`
        also by the spectrogram in frequency bands.

        Parameters
        ----------
        y : np.ndarray or Track [shape=(channel, sample)]
            The recording.
        sr : int
            Sample rate in Hz.
        rng : int, np.random.Generator or None
            Seed of the random numbers; the same seed gives bitwise the same stems.
        callback : callable, optional
            Called with a `Progress` every ten iterations; returning True stops the iterations.
        excerpt : Excerpt, optional
            Place of the samples in their file, as for a call.
        fit : "frames" or "all"
            Frames from which templates are learned: spread over the recording, or all.

        Returns
        -------
        StemStream
            The learned model; its method `blocks` renders the stems.

        Raises
        ------
        ParameterError, ShapeError, ContentError
            A setting or the audio is invalid.
        LimitError
            The separator needs the whole recording in memory.
        OutputError
            The disk has no space for the spectrogram of all frames.

        Examples
        --------
        >>> import numpy as np, nmfaudio as na
        >>> y = np.random.default_rng(0).standard_normal((1, 30000))
        >>> stream = na.BlindSeparator(n_components=4, max_iter=5).stream(y, 8000)
        >>> stems = np.concatenate(list(stream.blocks()), axis=-1)
        >>> stream.names, bool(np.allclose(stems.sum(axis=0), y))
        (('harmonic', 'percussive'), True)
        """
        from nmfaudio.separators.blockwise import Scaled, StemStream
        from nmfaudio.separators.saved_fits import pack

        self.check_fit(fit)
        self.check_channels(y.shape)
        transform = self.transform(sr)
        scale = input_scale(y)
        inputs = SeparationInput(
            Scaled(y, scale) if scale != 1 else y,  # type: ignore[arg-type]
            transform,
            rng,
            callback,
            excerpt,
            fit,
        )
        learned = self.learn(inputs)
        # With its fit, a model that is saved without activations can be rendered again.
        metadata = {**learned.metadata, "fit": pack(learned.fit)}
        learned = replace(learned, metadata=metadata)
        _warn_of_single(learned.groups)
        masking, refinement = self.rendering(transform)
        settings = self.settings() | {"seed": _seed(rng)}
        finish = self.finisher(y.shape[1])
        return StemStream(finish, learned, y, inputs, masking, refinement, scale, settings)

    def finisher(self, samples: int) -> Callable[[np.ndarray, Learned], np.ndarray]:
        """Return the last step of `stream`, which is called with one block after another.

        Parameters
        ----------
        samples : int
            Length of the recording.

        Returns
        -------
        callable
            By default `finish_block`.
        """
        return self.finish_block

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
        from nmfaudio._common.validation import as_choice

        if as_choice(fit, "fit", ("frames", "all")) == "all" and not self.learns_from_all:
            raise ParameterError(
                f"fit is 'all', but {type(self).__name__} with these settings learns from a part "
                "of the frames of a long recording; use fit='frames'"
            )

    def finish_block(self, block: np.ndarray, learned: Learned) -> np.ndarray:
        """Change a block of the rendered stems, as `finish` does; by default it is kept.

        Parameters
        ----------
        block : np.ndarray [shape=(stem, channel, sample)]
            Stems that sum to the recording.
        learned : Learned
            Their model.

        Returns
        -------
        np.ndarray [shape=(stem, channel, sample)]
            Stems with the same sum.
        """
        return block

    def finish(self, stems: Stems) -> Stems:
        """Judge or change the rendered stems; by default they are returned as they are.

        Parameters
        ----------
        stems : Stems
            Stems that sum to the mixture.

        Returns
        -------
        Stems
            Stems that sum to the mixture.
        """
        return stems

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
        from nmfaudio.stems.memory import peak_memory

        return peak_memory(y, self.transform(sr), *self.size(), refine=self.refine != "none")


def _component_groups(
    model: GroupedDecomposition, inputs: SeparationInput
) -> dict[str, ComponentGroup]:
    """Return the groups of a model as `ComponentGroup`, with missing features computed."""
    from nmfaudio.stems.grouping import ComponentGroup

    known = {k: g for k, g in model.groups.items() if isinstance(g, ComponentGroup)}
    indices = {k: g for k, g in model.groups.items() if not isinstance(g, ComponentGroup)}
    if indices:
        known |= describe_members(inputs.V, model.decomposition, indices, inputs.transform)
    return {name: known[name] for name in model.groups}


def _seed(rng: int | np.random.Generator | None) -> int | None:
    """Return the seed as a Python int, or None for a generator."""
    return operator.index(rng) if isinstance(rng, SupportsIndex) else None


def _warn_of_single(groups: Mapping[str, ComponentGroup]) -> None:
    """Warn if there is only one stem."""
    if len(groups) == 1:
        warnings.warn(
            f"{next(iter(groups))} is the only stem, so it is the whole recording; name "
            "further sources",
            AudioWarning,
            stacklevel=3,
        )


def input_scale(y: Any) -> float:
    """Return the factor by which a recording is divided before it is analysed.

    Parameters
    ----------
    y : np.ndarray or Track [shape=(channel, sample)]

    Returns
    -------
    float
        The power of two at or just below the peak if the peak is extreme, else 1.
    """
    peak = float(max(y.max(), -y.min()))
    return 1.0 if peak == 0 or QUIETEST <= peak <= LOUDEST else 2.0 ** math.floor(math.log2(peak))
