"""Everything nmfaudio raises on purpose, drawn once.

::

    NmfAudioError
    ├── ParameterError (ValueError)       2  an argument or option is wrong
    │   └── ShapeError                    2  an array has the wrong shape
    ├── MissingExtraError (ImportError)   2  an optional dependency is not installed
    ├── AudioFileError (OSError)          3  a file cannot be read
    ├── ContentError (ValueError)         4  a file or array can be read but not used
    ├── OutputError (OSError)             5  a result cannot be written
    ├── LimitError (MemoryError)          6  memory, duration or time would not suffice
    └── NumericalError (ArithmeticError)  1  an iteration left the finite numbers

The number is the exit code of the command line. Every message says what was got, what is needed
and what to do. `AudioWarning` is the one category of warning.
"""

from __future__ import annotations

from typing import ClassVar

from nmfaudio._public import public

__all__ = [
    "AudioFileError",
    "AudioWarning",
    "ContentError",
    "LimitError",
    "MissingExtraError",
    "NmfAudioError",
    "NumericalError",
    "OutputError",
    "ParameterError",
    "ShapeError",
]


@public
class NmfAudioError(Exception):
    """Root of all errors raised on purpose; `exit_code` is what the command line returns."""

    exit_code: ClassVar[int] = 1


@public
class ParameterError(NmfAudioError, ValueError):
    """An argument or option has a value that cannot work."""

    exit_code = 2


class ShapeError(ParameterError):
    """An array has a shape that does not fit."""


@public
class MissingExtraError(NmfAudioError, ImportError):
    """An optional dependency is needed and not installed; the message names the extra."""

    exit_code = 2


@public
class AudioFileError(NmfAudioError, OSError):
    """A file cannot be read as what it should be."""

    exit_code = 3


@public
class ContentError(NmfAudioError, ValueError):
    """The content was read, but nothing can be made of it (no frames, NaN, infinity)."""

    exit_code = 4


class OutputError(NmfAudioError, OSError):
    """A result cannot be written."""

    exit_code = 5


class LimitError(NmfAudioError, MemoryError):
    """The work would go beyond a limit of memory, duration or time."""

    exit_code = 6


class NumericalError(NmfAudioError, ArithmeticError):
    """An iteration produced NaN or infinity; the result was thrown away."""


class AudioWarning(UserWarning):
    """Something about a file or a result deserves a look, and the work went on."""
