"""Soft and binary masks of sources; in every bin they sum to one."""

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
) -> list[np.ndarray]:
    """Generalised Wiener masks of several sources.

    Parameters
    ----------
    parts : sequence of np.ndarray [shape=(freq, time)]
        Non-negative model of each source, of magnitudes to the power `power`.
    alpha : float
        Exponent of the magnitudes: 1 divides amplitudes, 2 divides power (the Wiener filter);
        higher values approach binary masks.
    power : float
        Exponent of the magnitudes that the parts model: the `power` of the transform.

    Returns
    -------
    list of np.ndarray [shape=(freq, time)]
        One new array per part, in their order: float32 for float32 parts, otherwise float64. They
        sum to one in every bin up to rounding.

    Raises
    ------
    ParameterError
        `alpha` or `power` is not a finite number above 0, or there are no parts.
    ShapeError
        The parts differ in shape.
    ContentError
        A part has negative, NaN or infinite values.

    Notes
    -----
    With Y_s the model of source s and p the `power`, its mask is

    .. math:: M_s = Y_s^{\\alpha / p} \\Big/ \\sum_r Y_r^{\\alpha / p}.

    All Y are taken relative to the largest one in each bin, so that nothing overflows or
    underflows. Where all models are 0, all sources get equal shares.

    References
    ----------
    A. Liutkus, R. Badeau, "Generalized Wiener filtering with fractional power spectrograms",
    ICASSP 2015, doi:10.1109/ICASSP.2015.7177973.

    Examples
    --------
    >>> import numpy as np
    >>> import nmfaudio as na
    >>> strong, weak = np.array([[2.0, 0.0]]), np.array([[1.0, 0.0]])
    >>> of_strong, of_weak = na.soft_masks([strong, weak])
    >>> of_strong.tolist(), of_weak.tolist()
    ([[0.8, 0.5]], [[0.2, 0.5]])
    """
    exponent = as_number(alpha, "alpha", above=0) / as_number(power, "power", above=0)
    largest: np.ndarray = reduce(np.maximum, _checked(parts))
    exponent = min(exponent, float(np.finfo(largest.dtype).max))
    silent = largest == 0
    divisor = np.where(silent, largest.dtype.type(1), largest) if silent.any() else largest

    def relative(part: np.ndarray) -> np.ndarray:
        """Return ``(Y_s / max Y) ** exponent``, and 1 where all parts are 0."""
        ratio: np.ndarray = np.divide(part, divisor, dtype=largest.dtype)
        if divisor is not largest:
            ratio[silent] = 1
        ratio **= exponent
        return ratio

    masks = [relative(part) for part in parts]
    total = sum(masks)  # between 1 and the number of parts
    for mask in masks:
        mask /= total
    return masks


@public
def binary_masks(parts: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Binary masks: each bin belongs to the source whose part is the largest.

    Parameters
    ----------
    parts : sequence of np.ndarray [shape=(freq, time)]
        Non-negative model of each source.

    Returns
    -------
    list of np.ndarray [shape=(freq, time)]
        One mask of zeros and ones per part, in their order, in the dtype of the parts. They sum to
        exactly one: of equally large parts the first one gets the bin.

    Raises
    ------
    ParameterError
        There are no parts.
    ShapeError
        The parts differ in shape.
    ContentError
        A part has negative, NaN or infinite values.

    Examples
    --------
    >>> import numpy as np
    >>> import nmfaudio as na
    >>> low, high = np.array([[3.0, 0.0]]), np.array([[1.0, 2.0]])
    >>> [mask.tolist() for mask in na.binary_masks([low, high])]
    [[[1.0, 0.0]], [[0.0, 1.0]]]
    """
    for s, part in enumerate(_checked(parts)):
        if s == 0:
            largest, owner = part, np.zeros(part.shape, np.int32)
        else:
            owner[part > largest] = s
            largest = np.maximum(largest, part)
    return [(owner == s).astype(largest.dtype) for s in range(len(parts))]


def _checked(parts: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
    """Yield each part as a float array, after checking its shape and values."""
    if isinstance(parts, Iterator):
        raise ParameterError("parts is an iterator; pass a list or another sequence")
    if len(parts) == 0:
        raise ParameterError("parts is empty; at least 1 part is needed")
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
