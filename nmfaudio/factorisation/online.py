"""Online NMF of a stream of blocks in bounded memory.

Past blocks are represented by a majoriser of their divergence as a function of W, which serves as a
penalty on W when the next block is decomposed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nmfaudio._common.validation import as_count, as_number
from nmfaudio.errors import ParameterError, ShapeError
from nmfaudio.factorisation.checks import as_spectrogram
from nmfaudio.factorisation.divergences import Divergence, beta_named
from nmfaudio.factorisation.engine import decompose, generator
from nmfaudio.factorisation.factors import Factor
from nmfaudio.factorisation.penalties import Penalty, Terms
from nmfaudio.factorisation.structures import Product, Structure


@dataclass(frozen=True, eq=False)
class PastBlocks:
    """Accumulated majoriser of past blocks, with derivative ``pos·W^p − neg·W^q`` in W.

    At the final templates W̃ of a block, its divergence is majorised by a function of W with the
    derivative ``P·(W/W̃)^p − N·(W/W̃)^q``, where P and N are the positive and negative parts of its
    gradient (see `kernels.majorisation`). In powers of W these functions add up, so pos = Σ P·W̃^−p
    and neg = Σ N·W̃^−q represent any number of blocks. For β from 0 to 2, p = max(β − 1, 0) is
    between 0 and 1, and q = min(β − 2, 0) between −2 and 0.
    """

    pos: np.ndarray
    neg: np.ndarray
    exponents: tuple[float, float]

    def value(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> float:
        """Antiderivative of the accumulated gradient, up to a constant."""
        p, q = self.exponents
        W = np.where(F > 0, F, 1).astype(np.float64)
        falling = np.log(W) if q == -1 else W ** (q + 1) / (q + 1)
        rising = self.pos * F.astype(np.float64) ** (p + 1) / (p + 1)
        return float((rising - np.where(F > 0, self.neg * falling, 0.0)).sum())

    def majorize(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> Terms:
        """Majorise by `Terms`: exact for β = 0, 1 and 2, else by concavity of the powers in W²."""
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
    r"""NMF of a stream of blocks, in memory that does not grow with the stream.

    `partial_fit` adapts the templates to a block and returns its activations. Between blocks the
    object holds W and two arrays of its shape. Within a block the objective, the divergence of the
    block plus a majoriser of that of past blocks, never increases. For data that fit in memory,
    `nmfaudio.nmf` gives better results in less time.

    Parameters
    ----------
    n_components : int
        Number of components.
    beta_loss : str, float or Beta
        β-divergence with β from 0 to 2, as a number, a name as in `nmf`, or a `Beta`.
    memory : float
        Factor from 0 to 1 that multiplies the weight of past blocks at each new block. With 0.9
        about the last ten blocks count, with 0 only the last. Larger values give steadier templates
        that need more blocks to converge. After n blocks it is at most 1 − n^−0.6, since the first
        templates are random.
    max_iter : int
        Iterations per block, first for its activations alone, then jointly with the templates.
    rng : int, np.random.Generator or None
        Random generator or seed of the initial templates.

    Attributes
    ----------
    W : np.ndarray [shape=(freq, component)]
        Templates of Euclidean norm 1; defined after the first block.

    Raises
    ------
    ParameterError
        A parameter is out of range.

    Notes
    -----
    With factor :math:`\rho_n = \min(\text{memory}, 1 - n^{-0.6})` and majorisers
    :math:`G_m(W) \ge D_\beta(V_m \mid W H_m)` of the past blocks, block n minimises

    .. math::
        \min_{W, H_n \ge 0} \; D_\beta(V_n \mid W H_n)
        + \sum_{m < n} \left(\prod_{l=m}^{n-1} \rho_l\right) G_m(W).

    References
    ----------
    A. Lefèvre, F. Bach and C. Févotte, "Online algorithms for nonnegative matrix factorization
    with the Itakura–Saito divergence", WASPAA 2011, doi:10.1109/ASPAA.2011.6082314.

    O. Cappé and E. Moulines, "On-line expectation–maximization algorithm for latent data models",
    JRSS B 71(3), 2009, doi:10.1111/j.1467-9868.2009.00698.x (step sizes).

    Examples
    --------
    An endless stream with two intermittent tones, of which one block is in memory at a time:

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
        beta_loss: str | float | Divergence = "kl",
        memory: float = 0.8,
        max_iter: int = 10,
        rng: int | np.random.Generator | None = None,
    ) -> None:
        self._rank = as_count(n_components, "n_components", low=1)
        self._divergence = beta_named(beta_loss, "OnlineNMF")
        if not 0 <= self._divergence.beta <= 2:
            raise ParameterError(
                f"beta_loss is {beta_loss!r}; OnlineNMF needs a β between 0 and 2, for which the "
                "majoriser of past blocks has a closed form"
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
            Non-negative, any number of frames. Masked bins of a masked array have weight 0.

        Returns
        -------
        np.ndarray [shape=(component, time)]
            Activations of the adapted templates.

        Raises
        ------
        ParameterError, ShapeError, ContentError
            The block is invalid.
        """
        V, weights = as_spectrogram(block)
        if not hasattr(self, "W"):
            if V.ndim != 2:
                raise ShapeError(f"the block has shape {V.shape}; it must be (freq, time)")
            W = np.abs(self._rng.standard_normal((len(V), self._rank)))
            self.W = (W / np.linalg.norm(W, axis=0)).astype(V.dtype)
        self._require_bins(V)
        if not V.any():  # silence does not change the templates
            return np.zeros((self._rank, V.shape[1]), V.dtype)
        H = activations(V, self.W, self._divergence, weights=weights, max_iter=self._max_iter)
        d = decompose(
            V,
            [Factor(self.W, True, self._past, name="W"), Factor(H, name="H")],
            divergence=self._divergence,
            solver="bmme",  # makes no exact zeros, which later updates could not leave
            weights=weights,
            max_iter=self._max_iter,
            tol=0,
        )
        # Euclidean norms, computed at a peak of 1 so that squares neither over- nor underflow.
        peaks = d.W.max(0).astype(np.float64)
        peaks[peaks == 0] = 1
        norms = peaks * np.linalg.norm(d.W / peaks, axis=0)
        norms[norms == 0] = 1
        self.W, H = (d.W / norms).astype(V.dtype), (d.H * norms[:, None]).astype(V.dtype)
        self._remember(V, weights, H, norms)
        return np.asarray(H)

    def forget(self) -> None:
        """Discard past blocks and keep the templates."""
        self._past = ()
        self._blocks = 0

    def fit(self, blocks: Iterable[Any]) -> OnlineNMF:
        """Adapt the templates to several blocks in turn, see `partial_fit`.

        Parameters
        ----------
        blocks : iterable of np.ndarray [shape=(freq, time)]
            Blocks, consumed lazily.

        Returns
        -------
        OnlineNMF
            The object itself.

        Raises
        ------
        ParameterError, ShapeError, ContentError
            A block is invalid.
        """
        for block in blocks:
            self.partial_fit(block)
        return self

    def transform(self, block: Any, *, max_iter: int = 100) -> np.ndarray:
        """Compute the activations of a block for the current templates.

        Parameters
        ----------
        block : np.ndarray [shape=(freq, time)]
            Non-negative, any number of frames.
        max_iter : int
            Number of iterations; frames are independent of one another.

        Returns
        -------
        np.ndarray [shape=(component, time)]

        Raises
        ------
        ParameterError, ShapeError, ContentError
            The block is invalid, or there are no templates yet.
        """
        if not hasattr(self, "W"):
            raise ParameterError("there are no templates yet; call partial_fit or fit first")
        V, weights = as_spectrogram(block)
        self._require_bins(V)
        return activations(V, self.W, self._divergence, weights=weights, max_iter=max_iter)

    def _require_bins(self, V: np.ndarray) -> None:
        """`ShapeError` unless V has the bins of the templates."""
        if V.ndim != 2 or len(V) != len(self.W):
            raise ShapeError(
                f"block has shape {V.shape}; it must be (freq, time) with {len(self.W)} bins like "
                "the blocks before"
            )

    def _remember(
        self, V: np.ndarray, weights: np.ndarray | None, H: np.ndarray, norms: np.ndarray
    ) -> None:
        """Add the majoriser of a block to the past, and multiply it by `memory`.

        `norms` are those that the templates were divided by after the block.
        """
        self._blocks += 1
        fading = min(self._memory, 1 - self._blocks**-0.6)
        p, q = self._divergence.exponents
        # In float64, which holds gradients of blocks of any scale.
        V, W, H = (np.asfortranarray(F, np.float64) for F in (V, self.W, H))
        weights = None if weights is None else np.asfortranarray(weights, np.float64)
        neg, pos = (
            Product().adjoint(0, part, (W, H))
            for part in self._divergence.gradient_parts(
                self._divergence.prepare(V, weights), Product().forward((W, H)), weights
            )
        )
        base = np.where(W > 0, W, 1)
        pos, neg = pos * base**-p * (W > 0), neg * base**-q * (W > 0)
        for past in self._past:  # past derivatives as functions of the normalised templates
            pos, neg = pos + past.pos * norms ** (p + 1), neg + past.neg * norms ** (q + 1)
        self._past = (PastBlocks(fading * pos, fading * neg, (p, q)),) if fading else ()


def activations(
    V: np.ndarray,
    W: np.ndarray,
    divergence: Divergence,
    *,
    structure: Structure | None = None,
    penalties: tuple[Penalty, ...] = (),
    weights: np.ndarray | None = None,
    initial: np.ndarray | None = None,
    solver: str = "mu",
    max_iter: int,
) -> np.ndarray:
    """Compute H for fixed templates, by a fixed number of updates.

    Without a stopping criterion, randomness or a mean over frames, the activations of a frame of
    plain NMF do not depend on other frames.

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]
    W : np.ndarray [shape=(freq, component) or (lag, freq, component)]
    divergence : Divergence
    structure : Structure, optional
        Default: plain NMF.
    penalties : tuple of Penalty
        Penalties of H.
    weights : np.ndarray [shape=(freq, time)], optional
    initial : np.ndarray [shape=(component, time)], optional
        Initial activations; by default those of a model of the mean of each frame.
    solver : "mu" or "bmme"
        Multiplicative updates, without or with extrapolation; see `MU` and `BMME`.
    max_iter : int
        Number of updates.

    Returns
    -------
    np.ndarray [shape=(component, time)]
    """
    if initial is None:
        gain = float(W.sum(dtype=np.float64)) / len(V) or 1.0
        level = V.mean(0, dtype=np.float64)
        level[level == 0] = float(level.mean()) or 1.0
        initial = np.tile(level / gain, (W.shape[-1], 1))
    return decompose(
        V,
        [Factor(W, False, name="W"), Factor(initial, True, penalties, name="H")],
        structure=structure,
        divergence=divergence,
        solver=solver,
        weights=weights,
        max_iter=max_iter,
        tol=0,
        check_every=max_iter,
    ).H
