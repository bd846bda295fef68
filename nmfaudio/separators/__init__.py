"""Separators, each a dataclass of settings, a function and a command of the same name.

`SEPARATORS` maps the name of each command to its class, as ``"module:Class"``, and to one line of
help. Nothing heavy is imported here.
"""

from __future__ import annotations

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)

SEPARATORS: dict[str, tuple[str, str]] = {
    "separate": (
        "nmfaudio.separators.blind:BlindSeparator",
        "separate recordings into sources without examples or scores",
    ),
    "guided": (
        "nmfaudio.separators.guided:GuidedSeparator",
        "separate recordings into sounds of which there are examples",
    ),
    "f0": (
        "nmfaudio.separators.f0:F0Separator",
        "separate a voice from its accompaniment by the pitch of the voice",
    ),
    "paint": (
        "nmfaudio.separators.paint:PaintSeparator",
        "separate recordings by boxes drawn over their spectrograms",
    ),
    "regroup": (
        "nmfaudio.separators.regroup:RegroupSeparator",
        "regroup the components of a saved separation into other stems",
    ),
    "hpss": (
        "nmfaudio.separators.hpss:HpssSeparator",
        "separate harmonic from percussive sounds: what has a pitch from drums",
    ),
    "denoise": (
        "nmfaudio.separators.denoise:DenoiseSeparator",
        "reduce the noise of recordings, learned from an example of the noise",
    ),
    "score": (
        "nmfaudio.separators.score:ScoreSeparator",
        "separate a recording by its score: one stem per track, hand or instrument",
    ),
    "drums": (
        "nmfaudio.separators.drums:DrumSeparator",
        "separate drums into kick, snare, hi-hat and other parts of the kit",
    ),
}
