"""Audio source separation by non-negative matrix factorisation.

Importing the package loads nothing heavy; each public name loads what it needs when first used.
"""

from importlib import import_module
from typing import Any

from nmfaudio._version import __version__

_HOME = {
    "decompose": "engine",
    "nmf": "engine",
    "Progress": "engine",
    "Decomposition": "decomposition",
    "Factor": "factors",
    "Product": "structures",
    "Convolutive": "structures",
    "Structure": "structures",
    "Beta": "divergences",
    "L1": "penalties",
    "L2": "penalties",
    "Smooth": "penalties",
    "MU": "solvers",
    "Stepwise": "solvers",
    "Stft": "transforms",
    "BlindSeparator": "separators.blind",
    "separate": "separators.blind",
    "Stems": "separators.stems",
    "si_sdr": "metrics",
}

__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
