"""Multichannel model: components with a gain in each channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nmfaudio.errors import ShapeError
from nmfaudio.factorisation.structures.base import Factors
from nmfaudio.factorisation.structures.bilinear import Bilinear


@dataclass(frozen=True)
class Channels(Bilinear):
    r"""Multichannel NMF: each component has a template and a gain in each channel.

    Sounds with the same spectrum are distinguished by their panning. The data are (channel, freq,
    time), e.g. ``abs(stft.forward(y))``, and so are `part` and masks made of it. ``unit="l1"`` on Q
    and W leaves the level to H.

    Notes
    -----
    With Q (channel, component), W (freq, component) and H (component, time),

    .. math::

        Y_{cft} = \sum_k Q_{ck} W_{fk} H_{kt}

    References
    ----------
    D. FitzGerald, M. Cranitch and E. Coyle, "Extended nonnegative tensor factorisation models for
    musical sound source separation", Computational Intelligence and Neuroscience, 2008,
    doi:10.1155/2008/872425.

    A. Ozerov and C. Févotte, "Multichannel nonnegative matrix factorization in convolutive mixtures
    for audio source separation", IEEE Trans. Audio, Speech, and Language Processing 18(3), 2010,
    doi:10.1109/TASL.2009.2031510.

    Examples
    --------
    The panning of two sources with similar spectra, estimated from their mixture:

    >>> import numpy as np, nmfaudio as na
    >>> rng = np.random.default_rng(0)
    >>> Q, W = np.array([[1.0, 0.4], [0.3, 1.0]]), rng.random((9, 2)) + 0.5
    >>> H = rng.random((2, 60))
    >>> V = na.structures.Channels().forward([Q, W, H])
    >>> factors = [na.Factor(rng.random(F.shape) + 0.1, unit=u)
    ...            for F, u in ((Q, "l1"), (W, "l1"), (H, None))]
    >>> d = na.decompose(V, factors, structure=na.structures.Channels(), max_iter=2000, tol=0)
    >>> np.sort(d.factors[0][0]).round(2).tolist()  # shares of the left channel
    [0.29, 0.77]
    """

    name: ClassVar[str] = "channels"

    def shape(self, factors: Factors) -> tuple[int, ...]:
        shapes = [F.shape for F in factors]
        if [len(s) for s in shapes] != [2, 2, 2] or not (
            shapes[0][1] == shapes[1][1] == shapes[2][0]
        ):
            raise ShapeError(
                f"factors have shapes {shapes}; Channels needs Q (channel, component), "
                "W (freq, component) and H (component, time) of one number of components"
            )
        return shapes[0][0], shapes[1][0], shapes[2][1]

    def component_axes(self, count: int) -> tuple[int | None, ...]:
        return 1, 1, 0

    def left(self, factors: Factors) -> np.ndarray:
        Q, W, _ = factors
        spectra = W[:, None, :] * Q  # (freq, channel, component)
        return spectra.reshape(len(W) * len(Q), -1)

    def left_adjoint(self, i: int, G: np.ndarray, factors: Factors) -> np.ndarray:
        Q, W, _ = factors
        spectra = G.reshape(len(W), len(Q), -1)
        # Contracted with W over frequency for Q, with Q over channels for W.
        gains, axis = (W[:, None, :], 0) if i == 0 else (Q, 1)
        back: np.ndarray = (spectra * gains).sum(axis, dtype=np.float64).astype(G.dtype)
        return back
