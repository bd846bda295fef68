"""`python -m nmfaudio` is the command line."""

from __future__ import annotations

import sys

from nmfaudio.cli import run

if __name__ == "__main__":
    sys.exit(run())
