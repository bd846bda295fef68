"""Estimation of the predominant pitch of a recording by pYIN."""

from __future__ import annotations

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

from nmfaudio.kernels.pyin import Periods, Prior, most_likely_path, observe
from nmfaudio.kernels.threads import parallel_for

_BINS_PER_OCTAVE = 120  # ten per semitone
_THRESHOLDS = 100
_DECAY = 2.0  # of the Boltzmann distribution over dips
_NO_DIP = 0.01
_SEMITONES_PER_SECOND = 35.92 * 12  # fastest change of pitch
_SWITCH = 0.01  # probability of a change between voiced and unvoiced
_FRAMES = 64  # in one part of the work


def pyin(
    y: np.ndarray, sr: int, *, lowest: float, highest: float, frame_length: int
) -> tuple[np.ndarray, np.ndarray]:
    """Estimate the predominant pitch as `librosa.pyin` does, some fifty times as fast.

    Parameters
    ----------
    y : np.ndarray [shape=(sample,)]
        Samples.
    sr : int
        Sample rate in Hz.
    lowest, highest : float
        Range of the pitch in Hz.
    frame_length : int
        Length of a frame in samples, more than the longest period; a quarter is the hop.

    Returns
    -------
    times : np.ndarray [shape=(frame,)]
        Centre of each frame in seconds.
    hertz : np.ndarray [shape=(frame,)]
        Pitch in Hz, 0 where the recording is unvoiced.

    Notes
    -----
    The parameters are the defaults of librosa. Pitches change by a limited interval from frame to
    frame, so the search for the most likely sequence skips all others.

    References
    ----------
    M. Mauch and S. Dixon, "pYIN: a fundamental frequency estimator using probabilistic threshold
    distributions", ICASSP 2014, doi:10.1109/ICASSP.2014.6853678.

    Examples
    --------
    >>> t = np.arange(8000) / 8000
    >>> times, hertz = pyin(np.sin(440 * 2 * np.pi * t), 8000, lowest=65, highest=1000,
    ...                     frame_length=1024)
    >>> float(np.median(hertz).round())
    440.0
    """
    hop = frame_length // 4
    n_bins = int(_BINS_PER_OCTAVE * np.log2(highest / lowest)) + 1
    longest = min(int(np.ceil(sr / lowest)), frame_length - 1)
    periods = Periods(int(sr / highest), longest, sr / lowest, _BINS_PER_OCTAVE)
    observed = _observations(y, hop, frame_length, periods, n_bins)
    reach = round(_SEMITONES_PER_SECOND * hop / sr) * (_BINS_PER_OCTAVE // 12) // 2
    path = most_likely_path(observed, *_transitions(n_bins, reach), reach)
    hertz = lowest * 2 ** ((path % n_bins) / _BINS_PER_OCTAVE)
    return np.arange(len(path)) * hop / sr, np.where(path < n_bins, hertz, 0.0)


def _observations(
    y: np.ndarray, hop: int, frame_length: int, periods: Periods, n_bins: int
) -> np.ndarray:
    """Probability of each pitch in each frame [shape=(frame, bin)]."""
    padded = np.pad(y, frame_length // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, frame_length)[::hop]
    observed = np.zeros((len(frames), n_bins))
    size = next_fast_len(frame_length + periods.longest, real=True)
    prior = _prior()

    def work(parts: range) -> None:
        for part in parts:
            block = slice(part * _FRAMES, (part + 1) * _FRAMES)
            spectra = rfft(frames[block], size)
            powers = spectra.real**2 + spectra.imag**2
            acf = np.ascontiguousarray(irfft(powers, size)[:, : periods.longest + 1])
            observe(padded, hop, acf, periods, prior, observed[block], block.start)

    parallel_for(work, -(-len(frames) // _FRAMES))
    return observed


def _prior() -> Prior:
    """Thresholds with a beta distribution of parameters 2 and 18."""
    edges = np.linspace(0, 1, _THRESHOLDS + 1)
    # Its distribution function, that of at least 2 successes in 19 trials.
    below = 1 - (1 - edges) ** 19 - 19 * edges * (1 - edges) ** 18
    return Prior(edges[1:], np.diff(below), _DECAY, _NO_DIP)


def _transitions(n_bins: int, reach: int) -> tuple[np.ndarray, np.ndarray]:
    """Log probabilities of changes with the same voicing and with the other, by interval and bin.

    Those from a bin are a triangle of `reach` bins on each side, cut where bins end.
    """
    distance = np.arange(-reach, reach + 1)[:, None]  # (interval, 1)
    source = np.arange(n_bins) + distance  # (interval, bin)
    triangle = 1 - np.abs(distance) / (reach + 1)
    # Sum of the triangle around each bin over the bins in range.
    around = (source >= 0) & (source < n_bins)
    sums = (triangle * around).sum(axis=0)
    shares = triangle / sums[np.clip(source, 0, n_bins - 1)]
    return np.log((1 - _SWITCH) * shares), np.log(_SWITCH * shares)
