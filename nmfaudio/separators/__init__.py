"""Ways to take a recording apart. Nothing heavy is imported here.

`SEPARATORS` gives each name its class, as ``"module:Class"``, and one line of help. A name here is
a command of ``nmfaudio``, whose flags are the class's fields.
"""

from __future__ import annotations

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)

SEPARATORS: dict[str, tuple[str, str]] = {
    "separate": (
        "nmfaudio.separators.blind:BlindSeparator",
        "take recordings apart into sources, without examples or scores",
    ),
    "guided": (
        "nmfaudio.separators.guided:GuidedSeparator",
        "take recordings apart into sounds that you have examples of",
    ),
    "f0": (
        "nmfaudio.separators.f0:F0Separator",
        "take a voice whose pitch is known, or found, out of a mix",
    ),
    "paint": (
        "nmfaudio.separators.paint:PaintSeparator",
        "take recordings apart by boxes that you draw over time and frequency",
    ),
    "regroup": (
        "nmfaudio.separators.regroup:RegroupSeparator",
        "put the components of a saved separation together to other stems",
    ),
    "hpss": (
        "nmfaudio.separators.hpss:HpssSeparator",
        "split recordings into what sounds on and what is struck",
    ),
    "denoise": (
        "nmfaudio.separators.denoise:DenoiseSeparator",
        "take noise, of which a stretch is known, out of recordings",
    ),
    "score": (
        "nmfaudio.separators.score:ScoreSeparator",
        "take a recording apart by its score: a part per track, hand or instrument",
    ),
    "drums": (
        "nmfaudio.separators.drums:DrumSeparator",
        "take drums apart into kick, snare, hi-hat and other parts of the kit",
    ),
}
