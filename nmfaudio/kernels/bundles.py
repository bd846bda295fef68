"""Named tuples that kernels take as arguments; Numba passes them as plain structs.

An absent array has size 0, since fields must not change their type. Sizes: *time* and *freq* of the
spectrogram; *depth*, the rows of W (components, or lags × components), padded by
`layout.padded_shape`; *FRAMES* of a block; *columns* of a wide strip. All arrays are C-contiguous.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


class Params(NamedTuple):
    """Scalar parameters of a pass over the spectrogram.

    Parameters
    ----------
    formula : Formula
        Formula of β, see `formulas.formula_for`; a compile-time constant.
    beta : float
        Exponent β of the divergence.
    p, q : float
        Exponents of the majoriser, see `majorisation`.
    model_floor : float
        Smallest value of the model.
    factor_floor : float
        Smallest value of an entry of H other than 0.
    freq : int
        Frequencies, padded by `layout.padded_shape`.
    wide, narrow : int
        Columns of a strip, and of the strips of the remainder, see `layout.strip_widths`.
    lags : int
        Lags of the templates, 1 for plain NMF.
    update : bool
        Whether `sweep` updates H.
    need_loss : bool
        Whether `sweep` computes the divergence.
    """

    formula: Any
    beta: float
    p: float
    q: float
    model_floor: float
    factor_floor: float
    freq: int
    wide: int
    narrow: int
    lags: int
    update: bool
    need_loss: bool


class Data(NamedTuple):
    """Spectrogram and weights of its bins.

    Parameters
    ----------
    V : np.ndarray [shape=(time, freq)]
    weights : np.ndarray [shape=(time, freq)]
        Of size 0: 1 everywhere.
    """

    V: np.ndarray
    weights: np.ndarray


class Block(NamedTuple):
    """Block of frames of the spectrogram and its weights.

    Parameters
    ----------
    V, weights : np.ndarray [shape=(time, freq)]
        Whole spectrogram. Weights of size 0: 1 everywhere.
    active : np.ndarray [shape=(run, 2)]
        Runs of components with non-zero activations, see `blocks.active_runs`.
    first : int
        First frame of the block.
    columns : int
        Strips within the first `columns` frequencies are read in place, the others from the copy
        in `Workspace`.
    """

    V: np.ndarray
    weights: np.ndarray
    active: np.ndarray
    first: int
    columns: int


class Templates(NamedTuple):
    """W, and arrays derived from it for the update of H.

    Parameters
    ----------
    strips : np.ndarray [shape=(strip * depth, columns)]
        W strip by strip, see `layout.strips`.
    wide_panels, narrow_panels : np.ndarray [shape=(panel * freq, component in panel)]
        W transposed panel by panel, see `layout.panels`.
    gram : np.ndarray [shape=(depth, depth)]
        ``W Wᵀ``, which replaces the model for β = 2 without weights; otherwise of size 0.
    totals : np.ndarray [shape=(lag, component)]
        Sums of the templates over frequency and up to each lag. They are the positive part of H's
        gradient where that does not depend on the model (β = 1 without weights); otherwise of
        size 0.
    """

    strips: np.ndarray
    wide_panels: np.ndarray
    narrow_panels: np.ndarray
    gram: np.ndarray
    totals: np.ndarray


class StepTerms(NamedTuple):
    """Penalty terms of one factor, and the mask of its free entries.

    The penalty is bounded by ``linear·x + quadratic/2·x² − log·log x + inverse/x``, entry by entry.

    Parameters
    ----------
    linear, quadratic, log, inverse : np.ndarray, float64, of the factor's shape
        Of size 0: 0 everywhere.
    free : np.ndarray, bool, of the factor's shape
        Of size 0: True everywhere.
    """

    linear: np.ndarray
    quadratic: np.ndarray
    log: np.ndarray
    inverse: np.ndarray
    free: np.ndarray


class Workspace(NamedTuple):
    """Scratch memory of one thread; it stays in the second-level cache.

    Parameters
    ----------
    V : np.ndarray [shape=(FRAMES, freq)]
        Block of the spectrogram, padded, where it cannot be read in place.
    weights : np.ndarray [shape=(FRAMES, freq)]
        Block of the weights; of size 0 where there are none.
    A, B, Y : np.ndarray [shape=(FRAMES, columns)]
        Strip of ``V · Y^(β−2)``, of ``Y^(β−1)`` and of the model Y.
    H : np.ndarray [shape=(FRAMES, depth)]
        Block of the activations, see `blocks.read_activations`.
    tiles : np.ndarray [shape=(FRAMES / ROWS * depth, ROWS)]
        The same in tiles of ROWS frames, each transposed: frames lie next to each other.
    AWt, BWt : np.ndarray [shape=(FRAMES, depth)]
        ``A Wᵀ`` and ``B Wᵀ``, negative and positive part of the gradient for that block.
    """

    V: np.ndarray
    weights: np.ndarray
    A: np.ndarray
    B: np.ndarray
    Y: np.ndarray
    H: np.ndarray
    tiles: np.ndarray
    AWt: np.ndarray
    BWt: np.ndarray


class ChunkSums(NamedTuple):
    """Sums over each chunk of frames, for the update of W and the objective.

    Parameters
    ----------
    W : np.ndarray [shape=(strip * depth, columns)]
        Templates of the model that `HtA`, `HtB` and `divergence` belong to, in strips. They are the
        current ones, or extrapolated.
    HtA, HtB : np.ndarray [shape=(chunk, strip * depth, columns)]
        ``Hᵀ A`` and ``Hᵀ B`` in strips, negative and positive part of the gradient; of size 0 if
        not needed.
    H : np.ndarray [shape=(chunk, component)], float64
        Activations summed over time.
    HtH : np.ndarray [shape=(chunk, depth, depth)]
        ``Hᵀ H``, which replaces `HtB` where `Templates.gram` is used.
    divergence : np.ndarray [shape=(chunk,)], float64
        Divergence of V from the model, or 0.
    """

    W: np.ndarray
    HtA: np.ndarray
    HtB: np.ndarray
    H: np.ndarray
    HtH: np.ndarray
    divergence: np.ndarray


class Chunks(NamedTuple):
    """Chunks of frames that one thread works on: numbers `first`, `first` + `step`, ….

    Parameters
    ----------
    edges : np.ndarray [shape=(chunk + 1,)]
        Frames at which chunks begin and end.
    first, step : int
    """

    edges: np.ndarray
    first: int
    step: int


class Strip(NamedTuple):
    """Frequencies `first` … `first` + `columns` − 1 of a block.

    In arrays in strips (`layout.strips`) component k of the strip is row ``row + k``, from column
    `offset` on.
    """

    first: int
    columns: int
    row: int
    offset: int


class Majoriser(NamedTuple):
    """Coefficients of the majoriser's derivative at one entry x̃, as a function of u = x / x̃.

    ``positive·u^p − negative·u^q + linear + quadratic·u − log/u − inverse/u²``; compared with
    `StepTerms`, the last three are multiplied by x̃, divided by x̃, and divided by x̃².
    """

    negative: float
    positive: float
    linear: float
    quadratic: float
    log: float
    inverse: float
    p: float
    q: float
