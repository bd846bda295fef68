"""Files and folders named on the command line, and standard input."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from nmfaudio.cli.failures import printable
from nmfaudio.errors import AudioFileError, ParameterError

STDIN = "-"


@dataclass(frozen=True)
class Input:
    """An audio file to process.

    Attributes
    ----------
    source : str
        Path, or `STDIN`.
    depth : int or None
        Number of folders between a folder named on the command line and the file in it; None for a
        file that was named itself.
    """

    source: str
    depth: int | None = None


def find_inputs(arguments: Sequence[str], outputs: Sequence[Path] = ()) -> list[Input]:
    """Return the files that are named, and the audio files in folders that are named.

    Parameters
    ----------
    arguments : sequence of str
    outputs : sequence of Path
        Folders of results, which are passed over within other folders.

    Returns
    -------
    list of Input
        In the order of the arguments, and sorted within a folder; each file once.

    Raises
    ------
    AudioFileError
        A folder has no audio files, or cannot be listed.
    """
    inputs: dict[str, Input] = {}
    for argument in arguments:
        if argument != STDIN and os.path.isdir(argument):
            found: list[Input] = list(_in_folder(argument, outputs))
            if not found:
                from nmfaudio._common.files.names import no_audio_files

                raise AudioFileError(no_audio_files(argument))
        else:
            found = [Input(argument)]
        for item in found:
            key = STDIN if item.source == STDIN else os.path.abspath(item.source)
            inputs.setdefault(key, item)
    return list(inputs.values())


def _in_folder(top: str, outputs: Sequence[Path]) -> Iterator[Input]:
    """Yield the audio files of a folder and its subfolders, without hidden ones."""
    from nmfaudio._common.files.names import AUDIO_SUFFIXES  # loads NumPy, which --help must not

    # The results of an earlier run are passed over, unless they are what was named.
    inside = os.path.realpath(top)
    visited = {
        real
        for real in map(os.path.realpath, outputs)
        if os.path.commonpath([real, inside]) != real
    }
    visited.add(inside)  # links may lead in circles
    for folder, subfolders, names in os.walk(top, onerror=_refuse, followlinks=True):
        kept = []
        for name in sorted(subfolders):
            real = os.path.realpath(os.path.join(folder, name))
            if not name.startswith(".") and real not in visited:
                visited.add(real)
                kept.append(name)
        subfolders[:] = kept
        relative = os.path.relpath(folder, top)
        depth = 0 if relative == os.curdir else len(Path(relative).parts)
        for name in sorted(names):
            if not name.startswith(".") and name.lower().endswith(AUDIO_SUFFIXES):
                yield Input(os.path.join(folder, name), depth)


def _refuse(error: OSError) -> None:
    raise AudioFileError(
        f"{printable(str(error.filename))}: {error.strerror}; change its permissions, or name files"
    ) from None


def input_name(text: str) -> str:
    """Name of an input in messages."""
    return "standard input" if text == STDIN else printable(text)


def open_input(text: str) -> str | BinaryIO:
    """Return the path, or the content of standard input as a file.

    Raises
    ------
    ParameterError
        Standard input is closed, or a terminal.
    """
    if text != STDIN:
        return text
    if sys.stdin is None:
        raise ParameterError("standard input is closed; pipe a file into it, or name one")
    if sys.stdin.isatty():
        raise ParameterError("standard input is a terminal; pipe a file into it, or name one")
    content = io.BytesIO(sys.stdin.buffer.read())  # soundfile cannot seek in a pipe
    content.name = input_name(text)  # for messages
    return content
