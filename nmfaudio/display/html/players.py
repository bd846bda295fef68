"""Sounds for the players of one piece of HTML, together within a limit of size."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nmfaudio.display.report.sound import choose_sound_coding, common_gain, encode_sound

MOST_SECONDS = 30.0
"""Longest sound of a player, in seconds."""
_OPUS_BYTES = 11_000  # of a channel and second in base64, so that sounds are rarely encoded twice
_MARGIN = 0.95  # of the limit, since compressed files are not exactly proportional to their length


@dataclass(frozen=True)
class Players:
    """Sources of players, and what a listener should know about them.

    Parameters
    ----------
    sources : sequence of str
        Data URL of each sound, empty where there is none.
    remark : str
        Sentence on what was cut or attenuated; empty if nothing was.
    """

    sources: Sequence[str]
    remark: str


def encode_players(
    sounds: Sequence[np.ndarray | None], sr: int | None, *, limit: int, whole: int | None = None
) -> Players:
    """Encode sounds as Ogg Opus, or FLAC where libsndfile lacks it, with one common gain.

    Parameters
    ----------
    sounds : sequence of np.ndarray [shape=(channel, sample)] or None
        More than two channels are mixed to one.
    sr : int or None
        Sample rate of all sounds in Hz; None if there are none.
    limit : int
        Largest number of characters of all sources. All sounds are cut to the same length until
        they fit.
    whole : int, optional
        Length of the recording in samples; by default that of the longest sound.

    Returns
    -------
    Players
    """
    audible = [y for y in sounds if y is not None and y.shape[-1]]
    if sr is None or not audible:
        return Players([""] * len(sounds), "")
    coding = choose_sound_coding()
    gain = common_gain(max(float(np.abs(y).max()) for y in audible))
    longest = max(y.shape[-1] for y in audible)
    channels = sum(len(_playable(y)) for y in audible)
    seconds = min(MOST_SECONDS, limit / (channels * _OPUS_BYTES))
    kept = min(longest, round(seconds * sr))
    while True:
        sources = [
            ""
            if y is None or not y.shape[-1]
            else _data_url(encode_sound(gain * _playable(y[:, :kept]), sr, coding), coding.mime)
            for y in sounds
        ]
        size = sum(map(len, sources))
        if size <= limit:
            return Players(sources, _remark(kept, whole or longest, sr, gain))
        kept = int(_MARGIN * limit / size * kept)


def _playable(y: np.ndarray) -> np.ndarray:
    """Up to two channels, which every browser plays."""
    return y if len(y) <= 2 else y.mean(axis=0, keepdims=True)


def _data_url(content: bytes, mime: str) -> str:
    return f"data:{mime};base64,{base64.b64encode(content).decode('ascii')}"


def _remark(kept: int, longest: int, sr: int, gain: float) -> str:
    """Sentence on how the sound of the players differs from the samples."""
    parts = []
    if kept < longest:
        parts.append(f"Players have the first {kept / sr:.1f} s of {longest / sr:.1f} s.")
    if gain < 1:
        parts.append(f"All are attenuated by {-20 * np.log10(gain):.1f} dB to avoid clipping.")
    return " ".join(parts)
