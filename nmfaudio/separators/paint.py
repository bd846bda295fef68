"""Separation by annotations: boxes and pictures over the spectrogram."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar

from nmfaudio._common.options import documented, option
from nmfaudio._public import public
from nmfaudio.errors import ParameterError
from nmfaudio.separators.inputs import GroupedDecomposition, SeparationInput
from nmfaudio.separators.pipeline import NmfSeparator
from nmfaudio.stems import REST

# Slow imports are inside the functions that need them, so that --help is fast.
if TYPE_CHECKING:
    import numpy as np

    from nmfaudio.factorisation.decomposition import Decomposition
    from nmfaudio.separators.blockwise import Learned
    from nmfaudio.separators.boxes import Stroke
    from nmfaudio.separators.painted_fit import PaintedFit

_LEARNING_SHARE = 4  # of the learning frames, since masks and weights take their memory too
_SMALLEST = 1e-3  # added relative to the mean, since multiplicative updates keep zeros


@public
@documented
@dataclass(frozen=True, kw_only=True)
class PaintSeparator(NmfSeparator):
    """Separate a recording by boxes and pictures drawn over its spectrogram.

    The components of each source are learned first where it was drawn, then on the complete
    spectrogram, while each source's model is attenuated where others were drawn: a bin of weight 1
    belongs to its source alone. Listen to the stems, draw over the errors, and run it again.

    Raises
    ------
    ParameterError
        A setting is out of range, or an entry is neither a box nor a picture.
    AudioFileError
        The file of boxes cannot be read.

    References
    ----------
    N. J. Bryan, G. J. Mysore and G. Wang, "ISSE: an interactive source separation editor", CHI
    2014, doi:10.1145/2556288.2557253.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> y = np.random.default_rng(0).standard_normal(8000)
    >>> boxes = [{"source": "low", "start": 0, "end": 1, "low": 0, "high": 1000},
    ...          {"source": "high", "start": 0, "end": 1, "low": 1000, "high": 4000}]
    >>> stems = na.PaintSeparator(boxes=boxes, n_components=2, max_iter=5)(y, 8000)
    >>> list(stems)
    ['low', 'high']
    """

    usage_examples: ClassVar[tuple[str, ...]] = (
        "song.wav boxes.json",
        "song.wav boxes.json --rest --save-model first.npz",
    )

    boxes: str | os.PathLike[str] | Sequence[Mapping[str, Any]] | None = option(
        None,
        'JSON list of boxes in seconds and Hz, {"source": "voice", "start": 1, "end": 2.5, "low": '
        '200, "high": 900, "weight": 1}, or of pictures, {"source": "voice", "image": "voice.png"}',
        suffixes=(".json",),
        required=True,
        metavar="BOXES.json",
    )
    rest: bool = option(False, "add a stem of everything unlike the drawn sources")
    n_components: int = option(
        20,
        "number of components of each source; more capture finer detail",
        short="-k",
        metavar="N",
        flag="--components",
    )
    resume: str | os.PathLike[str] | Decomposition | None = option(
        None,
        "model of an earlier run on this recording with the same sources, as --save-model saves "
        "it, to continue from; by default the model is learned from the boxes alone",
        metavar="M.NPZ",
    )
    max_iter: int = option(
        60,
        "maximum number of iterations; more fit the mixture better and take longer",
        metavar="N",
    )

    def __post_init__(self) -> None:
        from nmfaudio._common.validation import as_count

        super().__post_init__()
        self._set("n_components", as_count(self.n_components, "n_components", low=1))
        if self.boxes is None:
            raise ParameterError("boxes is missing; give a list of boxes, or the file of one")
        if not isinstance(self.boxes, str | os.PathLike):
            self._set("boxes", tuple(self.boxes))
            _ = self._strokes  # validates them before any audio is read

    @cached_property
    def _strokes(self) -> list[Stroke]:
        """Boxes and pictures."""
        from nmfaudio.separators.boxes import read_strokes

        strokes = read_strokes(self.boxes or ())
        names = dict.fromkeys(stroke.source for stroke in strokes)
        if len(names) + self.rest < 2 or (self.rest and REST in names):
            raise ParameterError(
                f"boxes have the sources {', '.join(names) or 'none'}; at least two are needed, or "
                f"one and --rest, and no source may be called {REST} together with --rest"
            )
        return strokes

    @property
    def stem_names(self) -> tuple[str, ...]:
        """Names of the stems."""
        return tuple(self._names)

    @property
    def _names(self) -> list[str]:
        """Names of the stems."""
        return [*dict.fromkeys(stroke.source for stroke in self._strokes), *[REST] * self.rest]

    def model(self, inputs: SeparationInput) -> GroupedDecomposition:
        """Learn each source where it was drawn, then fit all of them together.

        Parameters
        ----------
        inputs : SeparationInput
            The recording.

        Returns
        -------
        GroupedDecomposition
            The model, and the components of each stem.
        """
        return GroupedDecomposition(*self._fitted(inputs, inputs.V, None))

    def learn(self, inputs: SeparationInput) -> Learned:
        """Learn the sources from frames of every box and frames of all of the recording.

        Parameters
        ----------
        inputs : SeparationInput
            The recording.

        Returns
        -------
        Learned
            The templates, and the components of each stem.
        """
        from nmfaudio.separators.blockwise import (
            LEARNING_FRAMES,
            Learned,
            described_groups,
            without_frames,
        )
        from nmfaudio.separators.boxes import painted_frames
        from nmfaudio.separators.frame_choice import covering_frames

        count = LEARNING_FRAMES // _LEARNING_SHARE
        frames = None
        if inputs.n_frames > count:
            boxes = painted_frames(self._strokes, inputs.times)
            frames = covering_frames(boxes, inputs.n_frames, count)
        V = inputs.V if frames is None else inputs.frames_at(frames)
        fitted, members = self._fitted(inputs, V, frames)
        del V  # frees memory
        learned = without_frames(fitted)
        groups = described_groups(learned, self._fit, members, inputs)
        return Learned(learned, groups, self._fit)

    @cached_property
    def _fit(self) -> PaintedFit:
        """Fit of the templates to a block."""
        from nmfaudio.separators.boxes import as_boxes
        from nmfaudio.separators.painted_fit import PaintedFit

        return PaintedFit(as_boxes(self._strokes), self.rest, self.max_iter)

    def _fitted(
        self, inputs: SeparationInput, V: np.ndarray, frames: np.ndarray | None
    ) -> tuple[Decomposition, dict[str, range]]:
        """Fit all sources to some frames of the recording; return the components of each, too."""
        from nmfaudio.factorisation.engine import decompose
        from nmfaudio.factorisation.factors import Factor
        from nmfaudio.factorisation.structures import Masked
        from nmfaudio.separators.painted_fit import remaining_shares

        weights = self._fit.weights(inputs, frames)
        initial = self._initial_factors(inputs, V, weights, frames)
        # Each source has the model mask ⊙ (W H), with a fixed mask.
        factors = chain.from_iterable(
            (Factor(M, False), Factor(W), Factor(H))
            for M, (W, H) in zip(remaining_shares(list(weights.values())), initial, strict=True)
        )
        fitted = decompose(
            V,
            list(factors),
            structure=Masked(),
            max_iter=self.max_iter,
            tol=self.tol,
            callback=inputs.callback,
        )
        first, groups = 0, {}
        for name, (W, _) in zip(weights, initial, strict=True):
            groups[name] = range(first, first + W.shape[1])
            first += W.shape[1]
        return fitted, groups

    def size(self) -> tuple[int, int]:
        """Return upper bounds of the numbers of components and stems.

        Returns
        -------
        tuple of (int, int)
            Number of components, number of stems.
        """
        return self.n_components * len(self._names), len(self._names)

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
        stft = self.transform(sr)
        cells = len(stft.frequencies) * stft.n_frames(y.shape[1])
        return super().memory(y, sr) + (2 * len(self._names) + 4) * cells * y.itemsize

    def _initial_factors(
        self,
        inputs: SeparationInput,
        V: np.ndarray,
        weights: Mapping[str, np.ndarray],
        frames: np.ndarray | None,
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """Initial templates and activations of each source."""
        from nmfaudio.factorisation.engine import generator

        if self.resume is not None:
            return self._saved_factors(inputs, V, list(weights), frames)
        rng = generator(inputs.rng)
        return [self._learned_factors(V, weight, rng) for weight in weights.values()]

    def _learned_factors(
        self, V: np.ndarray, weights: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Factors of a source where it was drawn; random ones if it was not drawn anywhere."""
        from nmfaudio.factorisation.engine import nmf

        if not weights.any():  # the stem rest: random, at the level of the recording
            W = rng.random((len(V), self.n_components)) + 0.1
            H = (rng.random((self.n_components, V.shape[1])) + 0.1) * V.mean() / self.n_components
            return W.astype(V.dtype), H.astype(V.dtype)
        fitted = nmf(
            V,
            self.n_components,
            weights=weights,
            init="random",
            max_iter=self.max_iter // 2,
            tol=self.tol,
            rng=rng,
        )
        smallest = V.dtype.type(_SMALLEST)
        return fitted.W + smallest * fitted.W.mean(), fitted.H + smallest * fitted.H.mean()

    def _saved_factors(
        self,
        inputs: SeparationInput,
        V: np.ndarray,
        names: Sequence[str],
        frames: np.ndarray | None,
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """Factors of each source from an earlier run, after a check that it is comparable."""
        from nmfaudio.factorisation.decomposition import Decomposition
        from nmfaudio.separators.painted_fit import initial_activations
        from nmfaudio.separators.saved_models import load_model

        saved = self.resume
        if not isinstance(saved, Decomposition):
            saved = load_model(saved)  # type: ignore[arg-type]
        facts = {
            "sources": (sorted(saved.metadata.get("sources") or {}), sorted(names)),
            "transform": (saved.metadata.get("transform"), inputs.transform.to_dict()),
        }
        inputs.require_frames(saved.H.shape[-1], "the earlier run")
        for name, (before, now) in facts.items():
            if before != now:
                raise ParameterError(
                    f"the {name} of the earlier run: {before}, of this one: {now}; they must be "
                    "the same to resume"
                )
        groups = [list(saved.metadata["sources"][name]["components"]) for name in names]
        templates = [saved.W[:, group] for group in groups]
        if (
            saved.H.shape[-1] == 0
        ):  # a model of separation block by block is saved without activations
            return list(zip(templates, initial_activations(V, templates), strict=True))
        H = saved.H if frames is None else saved.H[:, frames]
        return [(W, H[group]) for W, group in zip(templates, groups, strict=True)]
