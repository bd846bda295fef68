"""Audio source separation by non-negative matrix factorisation.

Importing the package loads nothing heavy; each public name loads what it needs when first used.
"""

from importlib import import_module
from typing import Any

from nmfaudio._version import __version__

_HOME = {
    # a file in, stems out
    "separate": "separators.blind",
    "BlindSeparator": "separators.blind",
    "Stems": "separators.stems",
    "Stft": "transforms",
    "Mel": "transforms",
    "Erb": "transforms",
    "Cqt": "transforms",
    "si_sdr": "metrics",
    "Note": "notes",
    "read_notes": "notes",
    "write_notes": "notes",
