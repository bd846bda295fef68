"""Which components make which source, from the magnitude spectrogram and the factors alone.

Everything rests on one additive quantity: the energy that component k explains in bin f,
``E[f, k] = sum_t V[f, t] · Y_k[f, t]``, where ``Y_k`` is the component's model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.ndimage import median_filter

from ._check import as_integer, as_positive
from .errors import ShapeError

__all__ = ["Group", "group_components", "percussiveness"]

# Widths of the two medians and the dividing line, tuned on five multitracks.
_MEDIAN_SECONDS = 0.4
_MEDIAN_HZ = 330.0
_PERCUSSIVE = 0.5
# A song's evidence is gathered from this many frames, in blocks spread evenly over it.
_FRAMES = 2048
_BLOCK = 128


@dataclass(frozen=True)
class Group:
    """The components of one source, and what was seen in them.

    Attributes
    ----------
    components : tuple of int
        Indices of the components, ascending.
    energy_share : float
        Share of the mixture's energy that these components explain; shares sum to one.
    centre_hz : float
        Energy-weighted mean frequency in Hz; 0 where there is no energy.
    percussiveness : float
        Energy-weighted mean of the components' `percussiveness`, 0 to 1.
    """

    components: tuple[int, ...]
    energy_share: float
    centre_hz: float
    percussiveness: float


def group_components(
    V: np.ndarray,
    W: np.ndarray,
    H: np.ndarray,
    *,
    frequencies: np.ndarray,
    hop_seconds: float,
    sources: int | Literal["auto"] = 2,
) -> dict[str, Group]:
    """Decide which component belongs to which source.

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]
        Magnitude spectrogram of the mixture.
    W : np.ndarray [shape=(freq, component) or (lag, freq, component)]
        Templates.
    H : np.ndarray [shape=(component, time)]
        Activations.
    frequencies : np.ndarray [shape=(freq,)]
        Centre of each bin in Hz, evenly spaced.
    hop_seconds : float
        Time between two frames in seconds.
    sources : int >= 1 or "auto"
        2 gives ``"harmonic"`` and ``"percussive"``, any other number ``"source-1"``,
        ``"source-2"``, ... with the most energy first.

    Returns
    -------
    dict of str to Group
        Every component is in exactly one group. No group is empty as long as there are as many
        components with energy as sources.

    Raises
    ------
    ParameterError
        More sources than components, or `sources` is not a positive integer or ``"auto"``.
    ShapeError
        The shapes of `V`, `W`, `H` and `frequencies` do not fit together.
    """
    _check(V, W, H, frequencies, hop_seconds, sources)
    V, W, H = _unit(V), _unit(W), _unit(H)
    energy = _explained(V, W, H)
    share = percussiveness(V, W, H, frequencies=frequencies, hop_seconds=hop_seconds)
    if sources == 2:
        labels = _nonempty((share >= _PERCUSSIVE).astype(int), share, energy.sum(axis=0))
        names = ["harmonic", "percussive"]
    else:
        labels = _cluster(energy, share, H, frequencies, sources)
        names = [f"source-{i + 1}" for i in range(int(labels.max()) + 1)]
    return {
        name: _describe(np.flatnonzero(labels == i), energy, share, frequencies)
        for i, name in enumerate(names)
    }


def percussiveness(
    V: np.ndarray, W: np.ndarray, H: np.ndarray, *, frequencies: np.ndarray, hop_seconds: float
) -> np.ndarray:
    """Share of each component's energy that lies under the percussive mask of `V`.

    The mask compares the median over neighbouring bins, which keeps what is broad and short, with
    the median over neighbouring frames, which keeps what is narrow and long (Fitzgerald 2010).

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]
        Magnitude spectrogram of the mixture.
    W : np.ndarray [shape=(freq, component) or (lag, freq, component)]
        Templates.
    H : np.ndarray [shape=(component, time)]
        Activations.
    frequencies : np.ndarray [shape=(freq,)]
        Centre of each bin in Hz, evenly spaced.
    hop_seconds : float
        Time between two frames in seconds.

    Returns
    -------
    np.ndarray [shape=(component,)]
        0 (steady tones) to 1 (clicks), float64; 0.5 for a component without energy.

    References
    ----------
    D. Fitzgerald, "Harmonic/percussive separation using median filtering", DAFx 2010.
    """
    frames = _excerpt(V.shape[1])
    V, W, H = _unit(V)[:, frames], _unit(W), _unit(H)[:, frames]
    spacing = float(frequencies[-1] - frequencies[0]) / max(len(frequencies) - 1, 1)
    tonal = _running_median(V, _odd(_MEDIAN_SECONDS, hop_seconds)) ** 2
    broad = _running_median(V.T, _odd(_MEDIAN_HZ, spacing)).T ** 2
    mask = np.full_like(V, 0.5)
    np.divide(broad, broad + tonal, out=mask, where=broad + tonal > 0)
    whole = _explained(V, W, H).sum(axis=0)
    under = _explained(mask * V, W, H).sum(axis=0)
    share = np.full(len(whole), 0.5)
    np.divide(under, whole, out=share, where=whole > 0)
    return np.clip(share, 0.0, 1.0)


def _explained(V: np.ndarray, W: np.ndarray, H: np.ndarray) -> np.ndarray:
    """Energy of each component in each bin, ``(freq, component)`` in float64."""
    lags = W[None] if W.ndim == 2 else W
    energy = np.zeros(lags.shape[1:])
    for lag, template in enumerate(lags[: V.shape[1]]):
        later = V[:, lag:] @ H[:, : H.shape[1] - lag].T
        energy += template.astype(np.float64) * later
    return energy


def _unit(X: np.ndarray) -> np.ndarray:
    """`X` with a maximum of one, so that no product under- or overflows; a copy."""
    top = X.max(initial=0)
    scaled: np.ndarray = X / top if top > 0 else X.copy()
    return scaled


def _excerpt(n_frames: int) -> np.ndarray:
    """Indices of all frames, or of blocks of them spread evenly over a long song."""
    if n_frames <= _FRAMES:
        return np.arange(n_frames)
    starts = np.linspace(0, n_frames - _BLOCK, _FRAMES // _BLOCK).astype(int)
    frames: np.ndarray = (starts[:, None] + np.arange(_BLOCK)).ravel()
    return frames


def _odd(width: float, spacing: float) -> int:
    """The odd number of points nearest to `width`, at least 3."""
    return max(3, 2 * round((width / spacing - 1) / 2) + 1) if spacing > 0 else 3


def _running_median(X: np.ndarray, width: int) -> np.ndarray:
    """Median over `width` neighbours along the last axis, mirrored at the ends.

    All rows go through one 1-d filter, which is several times faster than a 2-d one.
    """
    half = width // 2
    padded = np.pad(X, ((0, 0), (half, half)), mode="symmetric")
    filtered: np.ndarray = median_filter(padded.ravel(), size=width).reshape(padded.shape)
    return filtered[:, half:-half]


def _nonempty(labels: np.ndarray, score: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Where all components with energy are on one side of two, the extreme one changes over."""
    alive = np.flatnonzero(energy > 0)
    if len(alive) < 2 or len(set(labels[alive])) == 2:
        return labels
    side = labels[alive[0]]
    extreme = alive[np.argmin(score[alive])] if side == 1 else alive[np.argmax(score[alive])]
    labels[extreme] = 1 - side
    return labels


def _cluster(
    energy: np.ndarray,
    share: np.ndarray,
    H: np.ndarray,
    frequencies: np.ndarray,
    sources: int | Literal["auto"],
) -> np.ndarray:
    """Labels of the components, 0 for the group with the most energy."""
    total = energy.sum(axis=0)
    if len(total) == 1 or sources == 1:
        return np.zeros(len(total), int)
    centre = np.divide(frequencies @ energy, total, out=np.ones_like(total), where=total > 0)
    points = np.stack([4 * share, np.log2(np.maximum(centre, 1.0))], axis=1)
    tree = linkage(points, "average")
    n = 4 if sources == "auto" else sources
    labels = fcluster(tree, min(n, len(total)), "maxclust") - 1
    order = np.argsort([-total[labels == i].sum() for i in range(labels.max() + 1)], kind="stable")
    return np.argsort(order)[labels]


def _describe(
    members: np.ndarray, energy: np.ndarray, share: np.ndarray, frequencies: np.ndarray
) -> Group:
    """The group of these components."""
    own = energy[:, members].sum(axis=0)
    mine, whole = float(own.sum()), float(energy.sum())
    return Group(
        components=tuple(int(k) for k in members),
        energy_share=mine / whole if whole > 0 else 0.0,
        centre_hz=float(frequencies @ energy[:, members].sum(axis=1)) / mine if mine > 0 else 0.0,
        percussiveness=float(own @ share[members]) / mine if mine > 0 else 0.5,
    )


def _check(
    V: np.ndarray,
    W: np.ndarray,
    H: np.ndarray,
    frequencies: np.ndarray,
    hop_seconds: float,
    sources: int | Literal["auto"],
) -> None:
    """Refuse what does not fit together."""
    fits = W.ndim in (2, 3) and (*W.shape[-2:], H.shape[-1]) == (len(V), len(H), V.shape[-1])
    if V.ndim != 2 or H.ndim != 2 or not fits or np.shape(frequencies) != V.shape[:1]:
        raise ShapeError(
            f"V {V.shape}, W {W.shape}, H {H.shape} and frequencies {np.shape(frequencies)} do not "
            "fit; needed are (freq, time), ([lag,] freq, component), (component, time) and (freq,)"
        )
    as_positive(hop_seconds, "hop_seconds")
    if sources != "auto":
        as_integer(sources, "sources", low=1, high=len(H))
