"""Onsets of a drum recording, and features that tell what was struck."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from nmfaudio.audio.transforms import Transform

EDGES = np.array(
    [0, 43, 86, 129, 172, 215, 301, 388, 474, 560, 646, 775, 904, 1034, 1163, 1292, 1464, 1809,
     2153, 2670, 3273, 4048, 4996, 6202, 7752, 9690, 11499, 13609, 16150, 19165]
)  # fmt: skip
"""Lower edges in Hz of the bands that strokes are judged by."""
SEGMENTS = ((-7, -2), (0, 2), (2, 5), (5, 10), (10, 18), (18, 32), (32, 56))
"""Frames around an onset whose levels are features."""
HOP = 256 / 44100
"""Seconds between the frames that the numbers here count."""
_STROKE = slice(1, 4)  # the segments whose highest level is that of a stroke
_NEIGHBOURHOOD = 4, 16  # frames on either side in which an onset is the highest; of its background
RISE = 0.6
"""Height of the flux of an onset above its background."""
_RANGE = 1e-4  # of the levels that flux is measured in, relative to the highest: 80 dB
_FAINT = 10**-3.5, 1e-3  # lowest level within a stroke, and relative to the whole recording
QUANTILE = 0.97
"""Quantile over frames that levels refer to."""
_SILENT = 10**-4.2  # of the loudest: a band beyond what was recorded
_NOISE = 1e-6  # of the loudest: a level below any noise
_BLOCK = 2**13  # frames that are computed at a time
_BANDWIDTH = [-12, -9, -6, -3, -1]  # bands that show where the recording ends


def stroke_bands(V: np.ndarray, transform: Transform) -> np.ndarray:
    """Return the mean magnitude of bands of about a third of an octave.

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]
    transform : Transform

    Returns
    -------
    np.ndarray [shape=(band, time)]
        0 above the highest frequency.
    """
    spacing = transform.frequencies[1]
    first = np.round(EDGES / spacing).astype(int)
    last = np.maximum(np.append(first[1:], len(V)), first + 1)
    bands = np.zeros((len(EDGES), V.shape[1]), V.dtype)
    for band, (begin, end) in enumerate(zip(first, last, strict=True)):
        if begin < len(V):
            bands[band] = V[begin:end].mean(axis=0)
    return bands


def stroke_onsets(bands: np.ndarray, hop: float) -> np.ndarray:
    """Return the frames in which something was struck: peaks of the spectral flux.

    Levels are compressed; a rise counts from the highest of the neighbouring bands two frames
    earlier, so that partials that drift are no onsets.

    Parameters
    ----------
    bands : np.ndarray [shape=(band, time)]
        As `stroke_bands` returns them.
    hop : float
        Seconds between frames.

    Returns
    -------
    np.ndarray [shape=(onset,)]

    References
    ----------
    S. Böck and G. Widmer, "Maximum filter vibrato suppression for onset detection", DAFx 2013.
    """
    from scipy.ndimage import maximum_filter1d, uniform_filter1d

    if bands.shape[1] < 3 or not bands.any():
        return np.zeros(0, int)
    highest, n_frames = bands.max(), bands.shape[1]
    flux = np.empty(n_frames, bands.dtype)
    for begin in range(0, n_frames, _BLOCK):  # the levels of all frames would take much memory
        end = min(begin + _BLOCK, n_frames)
        # What sounds from the beginning begins there.
        beyond = (int(begin == 0), int(end == n_frames))
        inside = bands[:, max(begin - 1, 0) : end + 1]
        flux[begin:end] = stroke_flux(np.pad(inside, ((0, 0), beyond)), highest)
    near, around = (2 * frames + 1 for frames in neighbourhood(hop))
    is_peak = flux == maximum_filter1d(flux, near)
    return np.flatnonzero(is_peak & (flux > uniform_filter1d(flux, around) + RISE))


def stroke_flux(bands: np.ndarray, highest: float) -> np.ndarray:
    """Return the rise of all levels from the frame before to the frame after each inner frame.

    Parameters
    ----------
    bands : np.ndarray [shape=(band, time)]
    highest : float
        Highest level of the recording.

    Returns
    -------
    np.ndarray [shape=(time - 2,)]
    """
    levels = np.log10(1 + bands / (highest * _RANGE))
    earlier = levels[:, :-2]
    before = earlier.copy()  # the highest of each band and those beside it
    np.maximum(before[1:], earlier[:-1], out=before[1:])
    np.maximum(before[:-1], earlier[1:], out=before[:-1])
    flux: np.ndarray = np.maximum(levels[:, 2:] - before, 0).sum(axis=0)
    return flux


def neighbourhood(hop: float) -> tuple[int, int]:
    """Return the frames on either side in which an onset is the highest, and of its background.

    Parameters
    ----------
    hop : float
        Seconds between frames.

    Returns
    -------
    (int, int)
    """
    near, around = (max(1, round(frames * HOP / hop)) for frames in _NEIGHBOURHOOD)
    return near, around


@dataclass(frozen=True, eq=False)
class ReferenceLevels:
    """Levels of a recording that those of its strokes are compared with.

    Parameters
    ----------
    typical : np.ndarray [shape=(band,)]
        High quantile of each band.
    loud : float
        High quantile of the loudest band.
    """

    typical: np.ndarray
    loud: float

    @classmethod
    def of(cls, bands: np.ndarray) -> Self:
        """Return those of a whole recording [shape=(band, time)]."""
        loud = float(np.quantile(bands.max(axis=0), QUANTILE))
        return cls(np.array([np.quantile(band, QUANTILE) for band in bands]), loud)


def stroke_features(
    bands: np.ndarray,
    onsets: np.ndarray,
    hop: float,
    *,
    reference: ReferenceLevels | None = None,
    segments: Sequence[tuple[int, int]] = SEGMENTS,
) -> np.ndarray:
    """Return features of strokes: levels of bands before, at and after each onset.

    Parameters
    ----------
    bands : np.ndarray [shape=(band, time)]
        As `stroke_bands` returns them.
    onsets : np.ndarray [shape=(onset,)]
        Frames.
    hop : float
        Seconds between frames.
    reference : ReferenceLevels, optional
        By default those of `bands`.
    segments : sequence of (int, int)
        Frames around an onset, of `HOP` seconds.

    Returns
    -------
    np.ndarray [shape=(onset, feature)]
        Logarithms of levels: of the segments relative to the stroke, of the stroke relative to the
        recording by band and in all, and which high bands were recorded.
    """
    reference = ReferenceLevels.of(bands) if reference is None else reference
    tiny = float(np.finfo(np.float32).tiny)
    loud = max(reference.loud, tiny)
    frames = [(round(begin * HOP / hop), round(end * HOP / hop)) for begin, end in segments]
    levels = np.empty((len(onsets), len(segments), len(bands)))
    for first in range(0, bands.shape[1], _BLOCK):  # so that sums of all frames take no memory
        chosen = (onsets >= first) & (onsets < first + _BLOCK)
        if not chosen.any():
            continue
        low = max(first + frames[0][0], 0)
        block = bands[:, low : first + _BLOCK + frames[-1][1]]
        levels[chosen] = _segment_levels(block, onsets[chosen] - low, frames)
    highest = np.maximum(levels[:, _STROKE].max(axis=(1, 2)), tiny)
    shape = np.log10(np.maximum(levels / highest[:, None, None], _FAINT[0]))
    floor = max(_NOISE * loud, tiny)  # bands beyond what was recorded have nothing to compare
    typical = np.maximum(reference.typical, floor)
    relative = np.log10(np.maximum(levels[:, _STROKE].max(axis=1), floor) / typical + _FAINT[1])
    loudness = np.log10(highest / loud + _FAINT[1])
    recorded = np.tile((typical > loud * _SILENT)[_BANDWIDTH], (len(onsets), 1))
    parts = (shape.reshape(len(onsets), -1), relative, loudness[:, None], recorded)
    return np.concatenate(parts, axis=1)


def _segment_levels(
    bands: np.ndarray, onsets: np.ndarray, segments: Sequence[tuple[int, int]]
) -> np.ndarray:
    """Mean levels of segments of frames around onsets [shape=(onset, segment, band)]."""
    n_frames = bands.shape[1]
    sums = np.pad(np.cumsum(bands, axis=1, dtype=np.float64), ((0, 0), (1, 0)))
    levels = np.empty((len(onsets), len(segments), len(bands)))
    for segment, (begin, end) in enumerate(segments):
        low, high = np.clip(onsets + begin, 0, n_frames), np.clip(onsets + end, 0, n_frames)
        # Before its first frame and after its last a recording is silent.
        levels[:, segment] = ((sums[:, high] - sums[:, low]) / max(end - begin, 1)).T
    return levels
