"""`python -m nmfaudio` is the command line."""

from __future__ import annotations

import sys

try:
    from nmfaudio.cli import run
except KeyboardInterrupt:  # nothing has begun
    sys.exit(130)

if __name__ == "__main__":
    sys.exit(run())
