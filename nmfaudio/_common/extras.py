"""Optional dependencies: which of them are missing, and the command that installs them here."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import shlex
import sys

from nmfaudio.errors import MissingExtraError

EXTRAS = {
    "plot": ("matplotlib",),
    "midi": ("pretty_midi",),
    "score": ("partitura",),
    "sklearn": ("scikit-learn",),
    "pandas": ("pandas",),
    "dask": ("distributed",),
    "widget": ("anywidget",),
    "m4a": ("av",),
    "notebook": ("ipykernel", "jupyterlab"),
}
"""Packages of each extra, by the names that installers know them by."""


def missing_extra(extra: str, purpose: str, alternative: str = "") -> MissingExtraError:
    """Error that names a missing package and the command that installs it.

    Parameters
    ----------
    extra : str
        One of `EXTRAS`.
    purpose : str
        Plural subject of the sentence, such as ``"plots"``.
    alternative : str
        Another remedy, such as ``"use boxes"``.

    Returns
    -------
    MissingExtraError
        To be raised by the caller.
    """
    remedy = f", or {alternative}" if alternative else ""
    return MissingExtraError(
        f"{purpose} need {' and '.join(EXTRAS[extra])}, which cannot be imported; run: "
        f"{install_command(extra)}{remedy}"
    )


def install_command(extra: str) -> str:
    """Shell command that installs an extra for the running Python.

    Parameters
    ----------
    extra : str
        One of `EXTRAS`.

    Returns
    -------
    str
        With pip, or with uv in environments that have no pip. It lists the packages themselves,
        since nmfaudio need not come from a package index.
    """
    python = shlex.quote(sys.executable)
    has_pip = importlib.util.find_spec("pip") is not None
    tool = f"{python} -m pip install" if has_pip else f"uv pip install --python {python}"
    return " ".join([tool, *map(shlex.quote, requirements(extra))])


def requirements(extra: str) -> list[str]:
    """Requirements of an extra with their versions, as the installed distribution declares them.

    Parameters
    ----------
    extra : str
        One of `EXTRAS`.

    Returns
    -------
    list of str
        Without versions where nmfaudio runs from a source tree that is not installed.
    """
    try:
        declared = importlib.metadata.requires("nmfaudio") or []
    except importlib.metadata.PackageNotFoundError:
        declared = []
    marker = re.compile(rf"(.+?)\s*;\s*extra == ['\"]{re.escape(extra)}['\"]")
    found = [match[1] for entry in declared if (match := marker.fullmatch(entry))]
    return found or list(EXTRAS[extra])


def installed_version(package: str) -> str | None:
    """Version of an installed package, None if it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def missing_packages(extra: str) -> list[str]:
    """Packages of an extra that are not installed."""
    return [name for name in EXTRAS[extra] if installed_version(name) is None]
