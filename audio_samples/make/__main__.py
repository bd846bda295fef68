"""Make every sample anew: ``python audio_samples/make [NAME ...]``.

Needs mido, numpy, scipy and soundfile, and the Debian packages fluidsynth, fluid-soundfont-gm
and sonic-pi-samples. The same versions of them give the same bytes.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

NAMES = ("drums", "trio", "band", "piano", "real")


def main() -> None:
    names = sys.argv[1:] or NAMES
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        sys.exit(f"no such sample: {', '.join(unknown)}; there are {', '.join(NAMES)}")
    for name in names:
        importlib.import_module(name).make(Path(__file__).resolve().parent.parent / name)
        print(name)


if __name__ == "__main__":
    main()
