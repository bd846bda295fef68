"""Errors and warnings of nmfaudio, with the exit codes of the command line.

::

    NmfAudioError
    ├── ParameterError (ValueError)       2  an argument or option is invalid
    │   ├── ShapeError                    2  an array has the wrong shape
    │   └── UnknownSettingError (TypeError)  2  a class or function has no such setting
    ├── MissingExtraError (ImportError)   2  an optional dependency is not installed
    ├── AudioFileError (OSError)          3  a file cannot be read
    ├── ContentError (ValueError)         4  a file or array has unusable content
    ├── OutputError (OSError)             5  a result cannot be written
    ├── LimitError (MemoryError)          6  a limit of memory, duration or time
    ├── NumericalError (ArithmeticError)  6  an iteration produced NaN or infinity
    └── WorkerError (RuntimeError)    1  a process that ran a task died, or was over a limit (6)

The number is the exit code of the command line. Every message states the value received, what is
needed, and what to do. `AudioWarning` is the only warning category.
"""

from __future__ import annotations

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
    "UnknownSettingError",
    "WorkerError",
]


@public
class NmfAudioError(Exception):
    """Base class of all errors of nmfaudio; `exit_code` is that of the command line."""

    exit_code: int = 1


@public
class ParameterError(NmfAudioError, ValueError):
    """Invalid value of an argument or option."""

    exit_code = 2


class ShapeError(ParameterError):
    """Invalid shape of an array."""


class UnknownSettingError(ParameterError, TypeError):
    """Setting that a class or function does not have."""


@public
class MissingExtraError(NmfAudioError, ImportError):
    """Missing optional dependency; the message names the extra to install."""

    exit_code = 2


@public
class AudioFileError(NmfAudioError, OSError):
    """File that cannot be opened, read or decoded."""

    exit_code = 3


@public
class ContentError(NmfAudioError, ValueError):
    """Unusable content of a file or array, such as no frames, NaN or infinity."""

    exit_code = 4


class OutputError(NmfAudioError, OSError):
    """Result that cannot be written."""

    exit_code = 5


class LimitError(NmfAudioError, MemoryError):
    """Work beyond a limit of memory, duration or time."""

    exit_code = 6


class NumericalError(NmfAudioError, ArithmeticError):
    """NaN or infinity in an iteration; no result is returned."""

    exit_code = 6


class WorkerError(NmfAudioError, RuntimeError):
    """Death of a process that ran a task; with `exit_code` 6 it was ended at a limit.

    Parameters
    ----------
    message : str
    exit_code : int
        That of the command line.
    """

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code

    def __reduce__(self) -> tuple[type[WorkerError], tuple[str, int]]:
        return type(self), (str(self), self.exit_code)


class AudioWarning(UserWarning):
    """Suspicious property of a file or a result, reported without stopping."""
