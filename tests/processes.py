"""Programs in processes of their own, and what they leave."""

import os
import resource
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
QUICK = ("-k", "4", "--max-iter", "5", "--n-fft", "512")
"""Options with which a separation takes no time."""


def start(*arguments, limits=()):
    """Start Python in a process of its own, under limits of its resources."""

    def restrict():
        for limit, value in limits:
            resource.setrlimit(limit, (value, value))

    environment = os.environ | {"PYTHONPATH": str(ROOT), "NMFAUDIO_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        preexec_fn=restrict,
    )


def tree(folder):
    """All files of a folder, also unfinished ones."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
