"""Make every sample anew: ``python audio_samples/make [NAME ...]``.

`drum_templates` and `piano_templates` are no samples, but the drum kit and the piano that ship
inside the package: they are made when they are named.

Needs mido, numpy, scipy and soundfile, and the Debian packages fluidsynth, fluid-soundfont-gm
and sonic-pi-samples. The same versions of them give the same bytes.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

NAMES = ("drums", "trio", "band", "piano", "real")
SAMPLES = Path(__file__).resolve().parent.parent
OTHERS = dict.fromkeys(("drum_templates", "piano_templates"), SAMPLES.parent / "nmfaudio" / "data")


def main() -> None:
    names = sys.argv[1:] or NAMES
    unknown = sorted(set(names) - {*NAMES, *OTHERS})
    if unknown:
        sys.exit(f"no such sample: {', '.join(unknown)}; there are {', '.join((*NAMES, *OTHERS))}")
    for name in names:
        importlib.import_module(name).make(OTHERS.get(name, SAMPLES / name))
        print(name)


if __name__ == "__main__":
    main()
