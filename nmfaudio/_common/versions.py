"""Versions of the packages that nmfaudio uses."""

from __future__ import annotations

import platform

from nmfaudio._common.extras import EXTRAS, installed_version, missing_packages
from nmfaudio._public import public
from nmfaudio._version import __version__

PACKAGES = ("numpy", "scipy", "librosa", "soundfile", "numba", "llvmlite", "mido", "mir_eval")


def libsndfile_version() -> str | None:
    """Version of the libsndfile library, None if soundfile cannot load it."""
    try:
        import soundfile
    except (ImportError, OSError):  # no soundfile, or no libsndfile
        return None
    return str(soundfile.__libsndfile_version__)


@public
def show_versions() -> None:
    """Print the versions of nmfaudio, Python and the packages in use, for bug reports.

    Notes
    -----
    The command ``nmfaudio doctor`` prints the same and runs a self-test.

    Examples
    --------
    >>> import nmfaudio as na
    >>> na.show_versions()  # doctest: +ELLIPSIS
    nmfaudio    ...
    python      ...
    """
    rows = {
        "nmfaudio": __version__,
        "python": f"{platform.python_version()} on {platform.platform()}",
        **{name: installed_version(name) or "not installed" for name in PACKAGES},
        "libsndfile": libsndfile_version() or "not found",
    }
    for extra in EXTRAS:
        missing = missing_packages(extra)
        rows[f"[{extra}]"] = f"without {', '.join(missing)}" if missing else "installed"
    for name, text in rows.items():
        print(f"{name:<12}{text}")
