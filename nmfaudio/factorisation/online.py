"""NMF of a stream that never lies in memory as a whole.

It is no solver for `decompose`, which owns one V and its whole H. Here the blocks come one by one,
and all that is kept of those gone by is how they would like the templates to be: a penalty on W.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nmfaudio._common.validation import as_count, as_number
from nmfaudio.errors import ParameterError, ShapeError
from nmfaudio.factorisation.checks import as_spectrogram
from nmfaudio.factorisation.divergences import Divergence, divergence_named
from nmfaudio.factorisation.engine import decompose, generator
from nmfaudio.factorisation.factors import Factor
from nmfaudio.factorisation.penalties import Penalty, Terms
from nmfaudio.factorisation.structures import Product, Structure


@dataclass(frozen=True, eq=False)
class PastBlocks:
    """What blocks gone by ask of W: the sum of their majorisers, ``Σ (pos·W^p − neg·W^q)`` derived.

    At the templates W̃ that a block was left with, its divergence is majorised by a function of W
    with the derivative ``P·(W/W̃)^p − N·(W/W̃)^q``, where P and N are the halves of its gradient (see
    `kernels.majorisation`). In powers of W itself such functions add up: pos = Σ P·W̃^−p and neg =
    Σ N·W̃^−q are all there is to keep, whatever number of blocks. For β from 0 to 2, p = max(β − 1,
    0) and q = min(β − 2, 0) lie between 0 and 1 and between −2 and 0.
    """

    pos: np.ndarray
    neg: np.ndarray
    exponents: tuple[float, float]

    def value(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> float:
        p, q = self.exponents
        W = np.where(F > 0, F, 1).astype(np.float64)
        pulled = np.log(W) if q == -1 else W ** (q + 1) / (q + 1)
        rising = self.pos * F.astype(np.float64) ** (p + 1) / (p + 1)
        return float((rising - np.where(F > 0, self.neg * pulled, 0.0)).sum())

    def majorize(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> Terms:
        """Exact for β = 0, 1 and 2; else W^(p+1) is concave in W², and W^(q+1) in between too."""
        p, q = self.exponents
        W = np.where(F > 0, F, 1).astype(np.float64)
        linear = self.pos if p == 0 else 0.0
        quadratic = 0.0 if p == 0 else self.pos * W ** (p - 1)
        if q == 0:
            return Terms(linear - self.neg, quadratic)
        if q >= -1:
            return Terms(linear, quadratic, log=self.neg * W ** (q + 1))
        return Terms(linear, quadratic, inverse=self.neg * W ** (q + 2))


class OnlineNMF:
    """NMF of blocks that come one after another: an endless stream, or a V that does not fit.

    `partial_fit` takes a block, returns its activations and adapts the templates; what is kept is
    W and two arrays like it, however long the stream. Within a block the objective, that of the
    block plus a bound of what the templates cost the blocks before, does not rise. It is for memory
    and not for speed: a V that fits is better left to `nmfaudio.nmf`, which sees it all at once.

    Parameters
    ----------
    n_components : int
    beta_loss : "kl", "is", "frobenius" or float
        The β of the beta-divergence, from 0 to 2.
    memory : float
        From 0 to 1: the share of its weight that each block keeps when the next one comes, in the
        long run; with 0.9 the last ten or so count, with 0 only the last. The more is kept, the
        steadier are the templates and the more blocks it takes until they are good. After n blocks
        it is at most 1 − n^−0.6, since the first templates are random and not worth remembering.
    max_iter : int
        Iterations per block, for its activations alone and then together with the templates.
    rng : int, np.random.Generator or None
        Where the templates start.

    Attributes
    ----------
    W : np.ndarray [shape=(freq, component)]
        Templates of Euclidean norm 1; there once a block has come.

    References
    ----------
    A. Lefèvre, F. Bach and C. Févotte, "Online algorithms for nonnegative matrix factorization
    with the Itakura–Saito divergence", WASPAA 2011, doi:10.1109/ASPAA.2011.6082314.

    O. Cappé and E. Moulines, "On-line expectation–maximization algorithm for latent data models",
    JRSS B 71(3), 2009, doi:10.1111/j.1467-9868.2009.00698.x (how memory grows).

    Examples
    --------
    A microphone that is never switched off hears two tones, each now and then; only one block of
    its spectrogram is ever there:

    >>> import itertools
    >>> import numpy as np, nmfaudio as na
    >>> rng, stft = np.random.default_rng(0), na.Stft(8000, n_fft=256, hop=64)
    >>> def second():
    ...     gains = np.repeat(rng.random((2, 8)) < 0.5, 1000, axis=1)
    ...     tones = np.sin(2 * np.pi * np.outer([500, 2000], np.arange(8000)) / 8000)
    ...     return (gains * tones).sum(0, keepdims=True) + 1e-3 * rng.standard_normal((1, 8000))
    >>> blocks = (abs(stft.forward(second())[0]) for _ in itertools.count())
    >>> online = na.factorisation.OnlineNMF(2, rng=0).fit(itertools.islice(blocks, 20))
    >>> sorted(int(stft.frequencies[bin]) for bin in online.W.argmax(0))
    [500, 2000]
    >>> online.partial_fit(next(blocks)).shape
    (2, 126)
    """

    W: np.ndarray

    def __init__(
        self,
        n_components: int,
        *,
        beta_loss: str | float = "kl",
        memory: float = 0.8,
        max_iter: int = 10,
        rng: int | np.random.Generator | None = None,
    ) -> None:
        self._rank = as_count(n_components, "n_components", low=1)
        self._divergence = divergence_named(beta_loss)
        if not 0 <= self._divergence.beta <= 2:
            raise ParameterError(
                f"beta_loss is {beta_loss!r}; online it must lie between 0 and 2, where what is "
                "past has a closed form"
            )
        if as_number(memory, "memory", low=0) > 1:
            raise ParameterError(f"memory is {memory!r}; it must lie between 0 and 1")
        self._memory = memory
        self._max_iter = as_count(max_iter, "max_iter", low=1)
        self._rng = generator(rng)
        self._past: tuple[PastBlocks, ...] = ()
        self._blocks = 0

    def partial_fit(self, block: Any) -> np.ndarray:
        """Adapt the templates to a block.

        Parameters
        ----------
        block : np.ndarray [shape=(freq, time)]
            Non-negative; any number of frames. In a masked array the masked bins have weight 0.

        Returns
        -------
        np.ndarray [shape=(component, time)]
            The block's activations of the templates as they are now.

        Raises
        ------
        ParameterError, ShapeError, ContentError
            The block cannot be used; the message says why.
        """
        V, weights = as_spectrogram(block)
        if not hasattr(self, "W"):
            if V.ndim != 2:
                raise ShapeError(f"the block has shape {V.shape}; it must be (freq, time)")
            W = np.abs(self._rng.standard_normal((len(V), self._rank)))
            self.W = (W / np.linalg.norm(W, axis=0)).astype(V.dtype)
        self._require_bins(V)
        if not V.any():  # silence has no templates
            return np.zeros((self._rank, V.shape[1]), V.dtype)
        H = activations(V, self.W, self._divergence, weights=weights, max_iter=self._max_iter)
        d = decompose(
            V,
            [Factor(self.W, True, self._past, name="W"), Factor(H, name="H")],
            divergence=self._divergence,
            solver="bmme",  # makes no zeros, which later blocks could not leave
            weights=weights,
            max_iter=self._max_iter,
            tol=0,
        )
        peaks = d.W.max(0).astype(np.float64)
        peaks[peaks == 0] = 1
        norms = peaks * np.linalg.norm(d.W / peaks, axis=0)
        norms[norms == 0] = 1
        self.W, H = (d.W / norms).astype(V.dtype), (d.H * norms[:, None]).astype(V.dtype)
        self._remember(V, weights, H, norms)
        return np.asarray(H)

    def forget(self) -> None:
        """Let blocks gone by have no say any more; the templates stay."""
        self._past = ()
        self._blocks = 0

    def fit(self, blocks: Iterable[Any]) -> OnlineNMF:
        """Adapt the templates to each block in turn, as `partial_fit` does; returns itself."""
        for block in blocks:
            self.partial_fit(block)
        return self

    def transform(self, block: Any, *, max_iter: int = 100) -> np.ndarray:
        """Activations of a block; the templates stay as they are.

        Parameters
        ----------
        block : np.ndarray [shape=(freq, time)]
        max_iter : int
            Iterations; each frame is worked out for itself.

        Returns
        -------
        np.ndarray [shape=(component, time)]

        Raises
        ------
        ParameterError, ShapeError, ContentError
            The block cannot be used, or there are no templates yet.
        """
        if not hasattr(self, "W"):
            raise ParameterError("there are no templates yet; call partial_fit or fit first")
        V, weights = as_spectrogram(block)
        self._require_bins(V)
        return activations(V, self.W, self._divergence, weights=weights, max_iter=max_iter)

    def _require_bins(self, V: np.ndarray) -> None:
        if V.ndim != 2 or len(V) != len(self.W):
            raise ShapeError(
                f"block has shape {V.shape}; it must be (freq, time) with {len(self.W)} bins like "
                "the blocks before"
            )

    def _remember(
        self, V: np.ndarray, weights: np.ndarray | None, H: np.ndarray, norms: np.ndarray
    ) -> None:
        """Add the block's majoriser to the past, whose templates had these norms; let it fade."""
        self._blocks += 1
        kept = min(self._memory, 1 - self._blocks**-0.6)
        p, q = self._divergence.exponents
        # Doubles hold the halves of a block of any loudness.
        V, W, H = (np.asfortranarray(F, np.float64) for F in (V, self.W, H))
        said = None if weights is None else np.asfortranarray(weights, np.float64)
        neg, pos = (
            Product().adjoint(0, half, (W, H))
            for half in self._divergence.gradient_parts(
                self._divergence.prepare(V, said), Product().forward((W, H)), said
            )
        )
        base = np.where(W > 0, W, 1)
        pos, neg = pos * base**-p * (W > 0), neg * base**-q * (W > 0)
        for past in self._past:
            pos, neg = pos + past.pos * norms ** (p + 1), neg + past.neg * norms ** (q + 1)
        self._past = (PastBlocks(kept * pos, kept * neg, (p, q)),) if kept else ()


def activations(
    V: np.ndarray,
    W: np.ndarray,
    divergence: Divergence,
    *,
    structure: Structure | None = None,
    penalties: tuple[Penalty, ...] = (),
    weights: np.ndarray | None = None,
    max_iter: int,
) -> np.ndarray:
    """H under given templates, from a fixed start in a fixed number of multiplicative updates.

    So each frame of plain NMF is worked out for itself: no tolerance, no mean and no chance shared
    with other frames has a say, and frames may come in any number and order.

    Returns
    -------
    np.ndarray [shape=(component, time)]
    """
    gain = float(W.sum(dtype=np.float64)) / len(V) or 1.0
    level = V.mean(0, dtype=np.float64)
    level[level == 0] = float(level.mean()) or 1.0
    start = np.tile(level / gain, (W.shape[-1], 1))
    return decompose(
        V,
        [Factor(W, False, name="W"), Factor(start, True, penalties, name="H")],
        structure=structure,
        divergence=divergence,
        solver="mu",
        weights=weights,
        max_iter=max_iter,
        tol=0,
        check_every=max_iter,
    ).H
