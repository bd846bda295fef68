"""Masks that share a mixture out among its sources; in every bin they sum to one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce

import numpy as np

from nmfaudio._common.validation import as_number
from nmfaudio._public import public
from nmfaudio.errors import ContentError, ParameterError, ShapeError


@public
def soft_masks(
    parts: Sequence[np.ndarray], *, alpha: float = 2.0, power: float = 1.0
) -> Iterator[np.ndarray]:
    """Generalised Wiener masks, one source at a time.

    With Y_s the model of source s for magnitudes to the power p, its mask is
    ``Y_s**(alpha/p) / sum(Y**(alpha/p))``. It is computed relative to the largest Y in each bin,
    so that nothing overflows or underflows; where all models are 0, all sources get equal shares.
    The masks sum to one in every bin within a few units in the last place.

    Parameters
    ----------
    parts : sequence of np.ndarray [shape=(freq, time)]
        What the model says of each source, >= 0. float32 stays float32.
    alpha : float
        Exponent of the magnitudes: 1 shares out amplitudes, 2 power; higher ones tend to binary.
    power : float
        The parts model magnitudes to this power: the transform's `power`.

    Returns
    -------
    Iterator of np.ndarray [shape=(freq, time)]
        As many masks as parts, in their order; each a new array.

    Raises
    ------
    ParameterError
        `alpha` or `power` is not a finite number above 0, or there are no parts.
    ShapeError
        The parts differ in shape.
    ContentError
        A part is negative, NaN or infinite somewhere.

    References
    ----------
    A. Liutkus, R. Badeau, "Generalized Wiener filtering with fractional power spectrograms",
    ICASSP 2015, doi:10.1109/ICASSP.2015.7177973.

    Examples
    --------
    >>> loud, soft = np.array([[2.0, 0.0]]), np.array([[1.0, 0.0]])
    >>> [mask.tolist() for mask in soft_masks([loud, soft])]
    [[[0.8, 0.5]], [[0.2, 0.5]]]
    """
    exponent = as_number(alpha, "alpha", above=0) / as_number(power, "power", above=0)
    largest: np.ndarray = reduce(np.maximum, _checked(parts))
    silent = largest == 0
    divisor = np.where(silent, largest.dtype.type(1), largest) if silent.any() else largest

    def share(part: np.ndarray) -> np.ndarray:
        """(Y_s / max Y) ** exponent, and 1 where all parts are 0."""
        ratio: np.ndarray = np.divide(part, divisor, dtype=largest.dtype)
        if divisor is not largest:
            ratio[silent] = 1
        ratio **= exponent
        return ratio

    shares = [share(part) for part in parts]
    total = sum(shares)

    def mask(one: np.ndarray) -> np.ndarray:
        one /= total
        return one

    return map(mask, shares)


@public
def binary_masks(parts: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
    """Masks of zeros and ones: each bin goes to the source whose part is the largest there.

    The first of several equally large ones wins, also where all are 0, so that the masks sum to
    exactly one.

    Parameters
    ----------
    parts : sequence of np.ndarray [shape=(freq, time)]
        What the model says of each source, >= 0. Read once.

    Returns
    -------
    Iterator of np.ndarray [shape=(freq, time)]
        As many masks as parts, in their order, of the parts' dtype.

    Raises
    ------
    ParameterError
        There are no parts.
    ShapeError
        The parts differ in shape.
    ContentError
        A part is negative, NaN or infinite somewhere.

    Examples
    --------
    >>> loud, soft = np.array([[3.0, 0.0]]), np.array([[1.0, 2.0]])
    >>> [mask.tolist() for mask in binary_masks([loud, soft])]
    [[[1.0, 0.0]], [[0.0, 1.0]]]
    """
    for s, part in enumerate(_checked(parts)):
        if s == 0:
            largest, owner = part, np.zeros(part.shape, np.int32)
        else:
            owner[part > largest] = s
            largest = np.maximum(largest, part)
    return ((owner == s).astype(largest.dtype) for s in range(len(parts)))


def _checked(parts: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
    """Each part as a float array, once it is known to be one that can have a mask."""
    if isinstance(parts, Iterator):
        raise ParameterError("parts can be read only once; pass a list or another sequence")
    if len(parts) == 0:
        raise ParameterError("there are no parts; at least 1 is needed")
    shape: tuple[int, ...] | None = None
    for s, part in enumerate(map(np.asarray, parts)):
        shape = part.shape if shape is None else shape
        if part.shape != shape or part.size == 0:
            raise ShapeError(
                f"parts[{s}] has shape {part.shape} and parts[0] {shape}; "
                "all must have the same shape, and at least 1 bin"
            )
        if part.dtype.kind not in "fiu":
            raise ParameterError(f"parts[{s}] has dtype {part.dtype}; it must hold real numbers")
        low, high = part.min(), part.max()
        if not (low >= 0 and np.isfinite(high)):
            raise ContentError(
                f"parts[{s}] must be finite and >= 0, its values go from {low} to {high}"
            )
        yield part if part.dtype == np.float32 else part.astype(np.float64, copy=False)
