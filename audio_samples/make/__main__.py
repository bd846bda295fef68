"""Build the samples: ``python audio_samples/make [NAME ...]``.

`drum_templates`, `drum_sounds`, `piano_templates`, `instrument_templates`, `stroke_classifier` and
`open_hihats` are not samples, but the drum kit, the instruments and the classifiers of strokes
bundled with the package: they are built only if named, the last after the one before it.

Requires mido, numpy, scipy and soundfile, and the Debian packages fluidsynth, fluid-soundfont-gm
and sonic-pi-samples. The same versions produce the same bytes.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

NAMES = ("drums", "trio", "band", "piano", "real")
SAMPLES = Path(__file__).resolve().parent.parent
DATA = SAMPLES.parent / "nmfaudio" / "data"
TEMPLATES = dict.fromkeys(
    (
        "drum_templates",
        "drum_sounds",
        "piano_templates",
        "instrument_templates",
        "stroke_classifier",
        "open_hihats",
    ),
    DATA,
)


def main() -> None:
    names = sys.argv[1:] or NAMES
    unknown = sorted(set(names) - {*NAMES, *TEMPLATES})
    if unknown:
        choices = ", ".join((*NAMES, *TEMPLATES))
        sys.exit(f"unknown sample: {', '.join(unknown)}; choose from {choices}")
    for name in names:
        importlib.import_module(name).make(TEMPLATES.get(name, SAMPLES / name))
        print(name)


if __name__ == "__main__":
    main()
