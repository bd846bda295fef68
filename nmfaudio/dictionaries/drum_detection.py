"""Hits of the parts of a drum kit in a recording."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from nmfaudio.audio.masking import analyse
from nmfaudio.audio.preparation import Prepared, prepared
from nmfaudio.audio.transforms import Stft, default_n_fft
from nmfaudio.dictionaries.bundled import bundled_drum_sounds, bundled_kit
from nmfaudio.dictionaries.drum_blocks import KitBlocks
from nmfaudio.dictionaries.drum_model import PRIOR_WEIGHT, fit_kit
from nmfaudio.dictionaries.stroke_decisions import decided_levels
from nmfaudio.dictionaries.stroke_features import stroke_bands
from nmfaudio.errors import AudioWarning
from nmfaudio.factorisation.engine import Callback
from nmfaudio.symbolic.drum_peaks import pick_hits
from nmfaudio.symbolic.names import DRUM_PARTS

if TYPE_CHECKING:
    from nmfaudio._common.lazy_audio import LazyAudio
    from nmfaudio.symbolic.note import Note


_LOWEST_EXPLAINED = 0.84  # share of recordings of drums that the kit explains
_SHORTEST = 5.0  # seconds from which on a recording is judged


def part_levels(W: np.ndarray, H: np.ndarray, groups: Iterable[Sequence[int]]) -> np.ndarray:
    """Return the magnitude that begins in each frame, for each part of a kit.

    Parameters
    ----------
    W : np.ndarray [shape=(lag, freq, component)]
    H : np.ndarray [shape=(component, time)]
    groups : iterable of sequence of int
        Components of each part.

    Returns
    -------
    np.ndarray [shape=(part, time)]
        Activations times the sums of their templates, summed over the components of a part.
    """
    levels = W.sum(axis=(0, 1), dtype=np.float64)[:, None].astype(H.dtype) * H
    return np.array([levels[list(members)].sum(axis=0) for members in groups])


def hit_transform(sr: int) -> Stft:
    """Return the transform in which hits are located: frames of 23 ms every 6 ms.

    Windows four times shorter than usual, since the onset of a hit is short.
    """
    return Stft(sr, default_n_fft(sr) // 4)


def detect_hits(
    y: np.ndarray,
    sr: int,
    parts: Iterable[str],
    *,
    max_iter: int,
    callback: Callback | None = None,
) -> tuple[Note, ...]:
    """Find the hits of parts of a drum kit with the templates that ship with the package.

    All parts of the shipped kit are modelled, so that a crash is not mistaken for a hi-hat, and the
    hits of `parts` are returned.

    Parameters
    ----------
    y : np.ndarray [shape=(channel, sample)]
    sr : int
        Sample rate in Hz.
    parts : iterable of str
    max_iter : int
        Iterations of each of the two stages.
    callback : callable, optional
        Gets a `Progress` every ten iterations of each stage; True ends the stage.

    Returns
    -------
    tuple of Note
        As `pick_hits` returns them.

    Warns
    -----
    AudioWarning
        The recording does not sound like drums.
    """
    transform = hit_transform(sr)
    V = analyse(prepared(y, sr, sr), transform)
    fit = fit_kit(V, bundled_drum_sounds(), transform, max_iter=max_iter, callback=callback)
    _warn_if_unsuitable(V, transform, y.shape[1] / sr, max_iter)
    return _picked(fit.W, fit.H, stroke_bands(V, transform), parts, transform)


def detect_hits_in_blocks(
    y: np.ndarray | LazyAudio,
    sr: int,
    parts: Iterable[str],
    *,
    max_iter: int,
    callback: Callback | None = None,
) -> tuple[Note, ...]:
    """Find the hits of `detect_hits` in a recording that is read block by block.

    Parameters
    ----------
    y, sr, parts, max_iter, callback
        As for `detect_hits`.

    Returns
    -------
    tuple of Note
        Those of `detect_hits`, to rounding, up to 12 minutes, and nearly those in longer
        recordings; see `KitBlocks`.

    Warns
    -----
    AudioWarning
        The recording does not sound like drums.
    """
    transform = hit_transform(sr)
    blocks = KitBlocks(
        Prepared(y, sr, sr),
        bundled_drum_sounds(),
        transform,
        prior_weight=PRIOR_WEIGHT,
        max_iter=max_iter,
        callback=callback,
    )
    fit, V, H, bands = blocks.fit()
    _warn_if_unsuitable(V, transform, y.shape[1] / sr, max_iter)
    return _picked(fit.W, H, bands, parts, transform)


def _warn_if_unsuitable(V: np.ndarray, transform: Stft, duration: float, max_iter: int) -> None:
    """Warn of a recording of which the kit explains less than of drums."""
    total = float(V.sum(dtype=np.float64))
    if duration < _SHORTEST or total == 0:
        return
    # Kinds of sounds explain other music nearly as well as drums; one for each part do not.
    fit = fit_kit(V, bundled_kit(), transform, max_iter=max_iter)
    explained = 1 - float(fit.losses[-1]) / total
    if explained < _LOWEST_EXPLAINED:
        warnings.warn(
            f"the recording does not sound like drums: the kit explains {explained:.2f} of it, and "
            f"at least {_LOWEST_EXPLAINED} of drums, so hits may be wrong; for drums among other "
            "instruments separate them first (nmfaudio hpss)",
            AudioWarning,
            stacklevel=4,
        )


def _picked(
    W: np.ndarray, H: np.ndarray, bands: np.ndarray, parts: Iterable[str], transform: Stft
) -> tuple[Note, ...]:
    """Hits of parts of the shipped kit, from its templates and activations."""
    chosen = set(parts)
    ordered = [part for part in DRUM_PARTS if part in chosen]
    times = transform.times(H.shape[1])
    return pick_hits(kit_levels(W, H, bands, times, ordered), ordered, times)


def kit_levels(
    W: np.ndarray, H: np.ndarray, bands: np.ndarray, times: np.ndarray, parts: Sequence[str]
) -> np.ndarray:
    """Return the levels of parts of the shipped kit, where they were struck.

    Parameters
    ----------
    W : np.ndarray [shape=(lag, freq, component)]
    H : np.ndarray [shape=(component, time)]
        Fit of `bundled_drum_sounds`.
    bands : np.ndarray [shape=(band, time)]
        `stroke_bands` of the recording.
    times : np.ndarray [shape=(time,)]
        Times of the frames in seconds.
    parts : sequence of str

    Returns
    -------
    np.ndarray [shape=(part, time)]
    """
    kit = bundled_drum_sounds()
    levels = part_levels(W, H, [kit.components(part) for part in kit.names])
    return decided_levels(dict(zip(kit.names, levels, strict=True)), bands, times, parts)
