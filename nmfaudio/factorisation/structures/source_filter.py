"""Source/filter model of a voice, with an accompaniment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nmfaudio.errors import ShapeError
from nmfaudio.factorisation.structures.base import Factors
from nmfaudio.factorisation.structures.sum_of_products import SumOfProducts, Term


@dataclass(frozen=True)
class SourceFilter(SumOfProducts):
    r"""Source/filter model: pitched sources through smooth filters, plus an accompaniment.

    It is a model of power spectrograms. The components are the pitches first, then those of the
    accompaniment; `Decomposition.W` has W0 and WM side by side, without the filters. The scale of
    the voice is shared by H0 and HF, so `unit` is not supported.

    Notes
    -----
    With the six factors, in this order,

    - W0 (freq, pitch): sources, normally fixed and made by `glottal_sources`
    - H0 (pitch, time): activations of the pitches
    - WF (freq, filter): elementary filters, normally fixed and made by `filter_bumps`
    - HF (filter, time): filter of each frame, common to all pitches
    - WM (freq, component) and HM (component, time): accompaniment, as in plain NMF

    the model is, with :math:`\odot` the entrywise product,

    .. math::

        Y = (W_0 H_0) \odot (W_F H_F) + W_M H_M

    References
    ----------
    J.-L. Durrieu, G. Richard, B. David and C. Févotte, "Source/filter model for unsupervised main
    melody extraction from polyphonic audio signals", IEEE Trans. Audio, Speech, and Language
    Processing 18(3), 2010, doi:10.1109/TASL.2010.2041114.

    Examples
    --------
    The pitches of a glissando over a sustained chord, with unknown timbres:

    >>> import numpy as np, nmfaudio as na
    >>> rng, frequencies = np.random.default_rng(0), np.arange(129) * (8000 / 256)
    >>> W0 = na.structures.glottal_sources(frequencies, np.arange(60, 72))
    >>> WF = na.structures.filter_bumps(frequencies, 8)
    >>> X = [W0, np.eye(12), WF, rng.random((8, 12)), rng.random((129, 1)), np.ones((1, 12))]
    >>> V = na.structures.SourceFilter().forward(X)
    >>> factors = [na.Factor(F, free=False) if i in (0, 2) else na.Factor(rng.random(F.shape) + 0.1)
    ...            for i, F in enumerate(X)]
    >>> d = na.decompose(V, factors, structure=na.structures.SourceFilter(), divergence=na.Beta(0))
    >>> bool((d.H[:12].argmax(axis=0) == np.arange(12)).mean() > 0.8)
    True
    """

    name: ClassVar[str] = "source-filter"

    def shape(self, factors: Factors) -> tuple[int, ...]:
        shapes = [F.shape for F in factors]
        if [len(s) for s in shapes] != [2] * 6 or any(
            left[1] != right[0] or left[0] != shapes[0][0] or right[1] != shapes[1][1]
            for left, right in zip(shapes[::2], shapes[1::2], strict=True)
        ):
            raise ShapeError(
                f"factors have shapes {shapes}; SourceFilter needs W0 (freq, pitch), "
                "H0 (pitch, time), WF (freq, filter), HF (filter, time), WM (freq, component) and "
                "HM (component, time) that agree"
            )
        return shapes[0][0], shapes[1][1]

    def component_axes(self, count: int) -> tuple[int | None, ...]:
        return (None,) * count  # components are split between two pairs of factors

    def scale_carriers(self, count: int) -> tuple[int, ...]:
        return 1, 5

    def n_components(self, factors: Factors) -> int:
        return len(factors[1]) + len(factors[5])

    def templates(self, factors: Factors) -> np.ndarray:
        return np.concatenate([factors[0], factors[4]], axis=1)

    def activations(self, factors: Factors) -> np.ndarray:
        return np.concatenate([factors[1], factors[5]])

    def excerpt(self, factors: Factors, frames: slice) -> tuple[Factors, int]:
        return [F[:, frames] if i % 2 else F for i, F in enumerate(factors)], 0

    def select(self, factors: Factors, components: Sequence[int]) -> Factors:
        W0, H0, WF, HF, WM, HM = factors
        pitches = [k for k in components if k < len(H0)]
        accompaniment = [k - len(H0) for k in components if k >= len(H0)]
        return W0[:, pitches], H0[pitches], WF, HF, WM[:, accompaniment], HM[accompaniment]

    def terms(self, count: int) -> Sequence[Term]:
        return [[(0, 1), (2, 3)], [(4, 5)]]
