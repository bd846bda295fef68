"""Semitone bands of a recording and the onset strength of each pitch, in frames of 5 ms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nmfaudio._common.lazy_audio import LazyAudio
from nmfaudio._common.pitch import hz_to_midi
from nmfaudio.audio.feature_blocks import analysed, analysed_blocks
from nmfaudio.audio.transforms import Stft

LOW, HIGH = 21, 115
"""MIDI numbers of the lowest and the highest band."""
PARTIALS = ((0, 1.0), (12, 0.6), (19, 0.4), (24, 0.25), (28, 0.15))
"""Semitones above a pitch and amplitudes that model its partials."""
_FRAMES = 512  # analysed at a time
_HOP = 0.005  # s between frames
_COMPRESSION = 100.0  # factor of magnitudes, relative to the largest, before the logarithm
_COUNTED = 4  # partials whose increase is counted
_SPAN = 1.0  # s in which the strongest onset is 1
_FAINT = 0.1  # of the strongest onset of the block, below which onsets are not raised to 1


class PitchBands:
    """Bands of a recording, one per semitone, read where they are needed.

    Parameters
    ----------
    y : np.ndarray or LazyAudio [shape=(channel, sample)]
    sr : int
        Sample rate in Hz.
    window : float
        Length of a frame in seconds, about.

    Examples
    --------
    >>> tone = np.sin(440 * 2 * np.pi * np.arange(8000) / 8000)[None]
    >>> bands = PitchBands(tone, 8000, 0.1)
    >>> int(bands.magnitudes(50, 60)[:, 0].argmax()) + LOW
    69
    """

    def __init__(self, y: np.ndarray | LazyAudio, sr: int, window: float) -> None:
        self._y = y
        n_fft = 16 * max(round(window * sr / 16), 1)  # 2048 at 44.1 kHz for 46.4 ms
        self.stft = Stft(sr, n_fft, max(1, round(_HOP * sr)))
        self.n_frames = self.stft.n_frames(y.shape[1])
        midi = hz_to_midi(np.maximum(self.stft.frequencies, 1.0))
        # Bands narrower than a bin take the nearest one.
        self._bins = [
            np.flatnonzero(np.round(midi) == pitch)
            if (np.round(midi) == pitch).any()
            else np.array([np.abs(midi - pitch).argmin()])
            for pitch in range(LOW, HIGH + 1)
        ]

    @property
    def hop(self) -> float:
        """Seconds between frames."""
        return self.stft.hop / self.stft.sr

    def loudest(self) -> float:
        """Largest magnitude of half-overlapping frames of the recording.

        Returns
        -------
        float
        """
        stft = Stft(self.stft.sr, self.stft.n_fft, self.stft.n_fft // 2)
        return max(float(V.max()) for _, V in analysed_blocks(self._y, stft, _FRAMES))

    def magnitudes(self, first: int, last: int) -> np.ndarray:
        """Compute the largest magnitude of each band in some frames.

        Parameters
        ----------
        first, last : int
            First frame, and the one after the last; zero outside the recording.

        Returns
        -------
        np.ndarray [shape=(band, time)]
        """
        begin, end = max(first, 0), min(last, self.n_frames)
        bands = np.zeros((len(self._bins), last - first), np.float32)
        if begin < end:
            V = analysed(self._y, self.stft, begin, end)
            for row, bins in enumerate(self._bins):
                bands[row, begin - first : end - first] = V[bins].max(axis=0)
        return bands


def pitch_onsets(bands: np.ndarray, hop: float, loudest: float, rise: float) -> np.ndarray:
    """Compute the onset strength of each pitch: the increase of the level of its partials.

    Parameters
    ----------
    bands : np.ndarray [shape=(band, time)]
        Magnitudes of semitone bands.
    hop : float
        Seconds between frames.
    loudest : float
        Largest magnitude of the recording.
    rise : float
        Seconds over which the increase is measured.

    Returns
    -------
    np.ndarray [shape=(128, time)]
        By MIDI number.

    References
    ----------
    S. Ewert, M. Müller, P. Grosche, "High resolution audio synchronization using chroma onset
    features", ICASSP 2009, doi:10.1109/ICASSP.2009.4959972.
    """
    level = np.log1p(bands * np.float32(_COMPRESSION / max(loudest, 1e-12)))
    half = max(1, round(rise / hop / 2))
    increase = np.zeros_like(level)
    increase[:, half:-half] = np.maximum(level[:, 2 * half :] - level[:, : -2 * half], 0)
    strength = np.zeros((128, bands.shape[1]), np.float32)
    for pitch in range(128):
        rows = [(pitch + above - LOW, weight) for above, weight in PARTIALS[:_COUNTED]]
        inside = [(row, weight) for row, weight in rows if 0 <= row < len(increase)]
        total = sum(weight for _, weight in inside)
        for row, weight in inside:
            strength[pitch] += np.float32(weight / total) * increase[row]
    return strength


def locally_normalised(strength: np.ndarray, hop: float) -> np.ndarray:
    """Divide onset strength by its largest value within half a second.

    Parameters
    ----------
    strength : np.ndarray [shape=(pitch, time)]
    hop : float
        Seconds between frames.

    Returns
    -------
    np.ndarray [shape=(pitch, time)]
        From 0 to 1.
    """
    from scipy.ndimage import maximum_filter1d

    largest = maximum_filter1d(strength.max(axis=0), round(_SPAN / hop) | 1)
    return np.asarray(strength / np.maximum(largest, max(_FAINT * largest.max(), 1e-12)))


def chord_template(pitches: Sequence[float]) -> np.ndarray:
    """Model the bands of pitches that sound together.

    Parameters
    ----------
    pitches : sequence of float
        MIDI numbers.

    Returns
    -------
    np.ndarray [shape=(band,)]
        Of norm 1, or 0 without pitches.

    Examples
    --------
    >>> int(chord_template([60]).argmax()) + LOW
    60
    """
    template = np.zeros(HIGH - LOW + 1, np.float32)
    for pitch in pitches:
        for above, amplitude in PARTIALS:
            row = round(pitch) + above - LOW
            if 0 <= row < len(template):
                template[row] = max(template[row], amplitude)
    norm = float(np.linalg.norm(template))
    return template / np.float32(norm) if norm else template
