"""Ways to take a recording apart. Nothing heavy is imported here.

`SEPARATORS` gives each name its class, as ``"module:Class"``, and one line of help. A name here is
a command of ``nmfaudio``, whose flags are the class's fields.
"""

from __future__ import annotations

SEPARATORS: dict[str, tuple[str, str]] = {
    "separate": (
        "nmfaudio.separators.blind:BlindSeparator",
        "take recordings apart into sources, without examples or scores",
    ),
    "drums": (
        "nmfaudio.separators.drums:DrumSeparator",
        "take drums apart into kick, snare, hi-hat and other parts of the kit",
    ),
}
