"""Separation by hand: boxes and pictures over the spectrogram say which source is where."""

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
from nmfaudio.separators.pipeline import GroupedDecomposition, NmfSeparator, SeparationInput
from nmfaudio.stems import REST

# Heavy modules are imported where they are used, so that the help of the command stays fast.
if TYPE_CHECKING:
    import numpy as np

    from nmfaudio.factorisation.decomposition import Decomposition
    from nmfaudio.separators.boxes import Stroke

"""The stem of what nobody painted."""

_LEAST = 1e-3  # of a template's mean: what was not heard under the paint may be there elsewhere


@public
@documented
@dataclass(frozen=True, kw_only=True)
class PaintSeparator(NmfSeparator):
    """Take a recording apart by what somebody painted over its spectrogram.

    Each painted source gets components, learned first where it was painted and then everywhere,
    while each source's model is held down where others were painted: a bin painted with weight 1
    goes wholly to its source. Look at the stems, paint over what went wrong, and run it again. The
    parameters are those of the command ``nmfaudio paint``; see `options`.

    Raises
    ------
    ParameterError
        A setting is out of range, or an entry is no box.
    AudioFileError
        The file of boxes cannot be read.

    References
    ----------
    N. J. Bryan, G. J. Mysore and G. Wang, "ISSE: an interactive source separation editor", CHI
    2014, doi:10.1145/2556288.2557253.

    Examples
    --------
    >>> import numpy as np
    >>> y = np.random.default_rng(0).standard_normal(8000)
    >>> boxes = [{"source": "low", "start": 0, "end": 1, "low": 0, "high": 1000},
    ...          {"source": "high", "start": 0, "end": 1, "low": 1000, "high": 4000}]
    >>> stems = PaintSeparator(boxes=boxes, components=2, max_iter=5)(y, 8000)
    >>> list(stems)
    ['low', 'high']
    """

    usage_examples: ClassVar[tuple[str, ...]] = (
        "song.wav boxes.json",
        "song.wav boxes.json --rest --save-model first.npz",
    )

    boxes: str | os.PathLike[str] | Sequence[Mapping[str, Any]] | None = option(
        None,
        'a JSON list: {"source": "voice", "start": 1, "end": 2.5, "low": 200, "high": 900, '
        '"weight": 1} in seconds and Hz, or {"source": "voice", "image": "voice.png"}',
        suffixes=(".json",),
        required=True,
        metavar="BOXES.json",
    )
    rest: bool = option(False, "make a stem of what no painted source is like, too")
    components: int = option(
        20,
        "how many sounds each source is made of; more catch finer detail",
        short="-k",
        metavar="N",
    )
    again: str | os.PathLike[str] | Decomposition | None = option(
        None,
        "go on from what --save-model kept of an earlier run on this recording, with the same "
        "sources; by default from the boxes alone",
        metavar="M.NPZ",
    )
    max_iter: int = option(
        60, "iterations at most; more fit the mix closer and take longer", metavar="N"
    )

    def __post_init__(self) -> None:
        from nmfaudio._common.validation import as_count

        super().__post_init__()
        self._set("components", as_count(self.components, "components", low=1))
        if self.boxes is None:
            raise ParameterError("boxes is missing; give a list of boxes, or the file of one")
        if not isinstance(self.boxes, str | os.PathLike):
            self._set("boxes", tuple(self.boxes))
            _ = self._strokes  # to refuse them before anything is read

    @cached_property
    def _strokes(self) -> list[Stroke]:
        from nmfaudio.separators.boxes import read_strokes

        strokes = read_strokes(self.boxes or ())
        names = dict.fromkeys(stroke.source for stroke in strokes)
        if len(names) + self.rest < 2 or (self.rest and REST in names):
            raise ParameterError(
                f"boxes name {', '.join(names) or 'no source'}; at least two sources are needed, "
                f"or one and --rest, and none called {REST} beside --rest"
            )
        return strokes

    @property
    def _names(self) -> list[str]:
        return [*dict.fromkeys(stroke.source for stroke in self._strokes), *[REST] * self.rest]

    def model(self, inputs: SeparationInput) -> GroupedDecomposition:
        """Learn each source where it was painted, then all of them together."""
        import numpy as np

        from nmfaudio.factorisation.engine import decompose
        from nmfaudio.factorisation.factors import Factor
        from nmfaudio.factorisation.structures import Masked
        from nmfaudio.separators.boxes import rasterise

        V = inputs.V
        times = inputs.transform.times(V.shape[1])
        painted = rasterise(self._strokes, inputs.transform.frequencies, times, V.dtype)
        if self.rest:
            painted[REST] = np.zeros_like(V)
        starts = self._begin(inputs, painted)
        factors = chain.from_iterable(
            (Factor(M, False), Factor(W), Factor(H))
            for M, (W, H) in zip(_held_down(list(painted.values())), starts, strict=True)
        )
        found = decompose(
            V,
            list(factors),
            structure=Masked(),
            max_iter=self.max_iter,
            tol=self.tol,
            callback=inputs.callback,
        )
        begin, groups = 0, {}
        for name, (W, _) in zip(painted, starts, strict=True):
            groups[name] = range(begin, begin + W.shape[1])
            begin += W.shape[1]
        return GroupedDecomposition(found, groups)

    def size(self) -> tuple[int, int]:
        """Components, and stems."""
        return self.components * len(self._names), len(self._names)

    def memory(self, y: np.ndarray, sr: int) -> int:
        """About how many bytes taking `y` apart needs; see `NmfSeparator.memory`."""
        stft = self.transform(sr)
        cells = len(stft.frequencies) * stft.n_frames(y.shape[1])
        return super().memory(y, sr) + (2 * len(self._names) + 4) * cells * y.itemsize

    def _begin(
        self, inputs: SeparationInput, painted: Mapping[str, np.ndarray]
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """Templates and activations of each source to start from."""
        from nmfaudio.factorisation.engine import generator

        if self.again is not None:
            return self._kept(inputs, list(painted))
        rng = generator(inputs.rng)
        return [self._learned(inputs, weights, rng) for weights in painted.values()]

    def _learned(
        self, inputs: SeparationInput, weights: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """What a source is like where it was painted; anything, where it was not."""
        from nmfaudio.factorisation.engine import nmf

        V = inputs.V
        if not weights.any():
            W = rng.random((len(V), self.components)) + 0.1
            H = (rng.random((self.components, V.shape[1])) + 0.1) * V.mean() / self.components
            return W.astype(V.dtype), H.astype(V.dtype)
        found = nmf(
            V,
            self.components,
            weights=weights,
            init="random",
            max_iter=self.max_iter // 2,
            tol=self.tol,
            rng=rng,
        )
        least = V.dtype.type(_LEAST)
        return found.W + least * found.W.mean(), found.H + least * found.H.mean()

    def _kept(
        self, inputs: SeparationInput, names: Sequence[str]
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """Those of an earlier run."""
        from nmfaudio.factorisation.decomposition import Decomposition

        kept = self.again
        if not isinstance(kept, Decomposition):
            kept = Decomposition.load(kept)  # type: ignore[arg-type]
        said = {
            "sources": (sorted(kept.metadata.get("sources", {})), sorted(names)),
            "transform": (kept.metadata.get("transform"), inputs.transform.to_dict()),
            "number of frames": (kept.H.shape[-1], inputs.V.shape[1]),
        }
        for what, (then, now) in said.items():
            if then != now:
                raise ParameterError(
                    f"the {what} of the earlier run: {then}, of this one: {now}; they must be "
                    "the same to go on"
                )
        groups = [kept.metadata["sources"][name]["components"] for name in names]
        return [(kept.W[:, group], kept.H[group]) for group in groups]


def _held_down(painted: Sequence[np.ndarray]) -> list[np.ndarray]:
    """What is left to each source where others were painted; the most that is left is all."""
    import numpy as np

    left = []
    for k in range(len(painted)):
        others = [weights for j, weights in enumerate(painted) if j != k]
        left.append(1 - np.maximum.reduce(others))
    most = np.maximum.reduce(left)
    sure = np.where(most > 0, most, 1)
    return [np.where(most > 0, one / sure, 1).astype(one.dtype) for one in left]
