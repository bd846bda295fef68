"""Files of a batch: patterns, lists, shards, and what tells that a file has changed."""

from __future__ import annotations

import glob
import hashlib
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nmfaudio._common.memory import PROCESS, parse_size
from nmfaudio.cli.commands import load_command
from nmfaudio.cli.failures import printable
from nmfaudio.cli.inputs import STDIN
from nmfaudio.errors import AudioFileError, ParameterError

if TYPE_CHECKING:
    from nmfaudio.cli.batch import BatchCommand

_MAX_LIST_BYTES = 64 * 2**20

TRACK = "{track}"
"""Placeholder of the name of a recording in the paths of other files."""


def parse_shard(text: str) -> tuple[int, int]:
    """Parse ``I/N``, the I-th of N shards.

    Raises
    ------
    ParameterError
        There is no such shard.

    Examples
    --------
    >>> parse_shard("3/10")
    (3, 10)
    """
    number, slash, count = text.partition("/")
    if not (slash and all(part.isascii() and part.isdecimal() for part in (number, count))):
        raise ParameterError(f"{text!r} is not of the form I/N, as in 3/10")
    if not 1 <= int(number) <= int(count):
        raise ParameterError(f"{text!r}: the shards are 1/{count} to {count}/{count}")
    return int(number), int(count)


def parse_memory_limit(text: str) -> int:
    """Parse an amount of memory with which a process can work, in bytes.

    Raises
    ------
    ParameterError
        It is no amount, or not sufficient for the libraries.
    """
    # With less, OpenBLAS waits forever for memory when NumPy is imported.
    least = 2 * PROCESS
    size = parse_size(text)
    if size < least:
        raise ParameterError(f"{text}: a process needs {least >> 20}M for its libraries alone")
    return size


def load_batch_command(name: str) -> type[Any]:
    """Import the class of the command that works on each file of a batch.

    Parameters
    ----------
    name : str

    Returns
    -------
    type
        A `BatchCommand`; learn by itself makes one dictionary of many files, and is none.
    """
    if name != "learn":
        return load_command(name)
    from nmfaudio.cli.learn_each import LearnEachCommand

    return LearnEachCommand


def expanded(texts: Iterable[str]) -> Iterator[str]:
    """Yield files and folders, and instead of a pattern the files that match it.

    Parameters
    ----------
    texts : iterable of str

    Yields
    ------
    str

    Raises
    ------
    AudioFileError
        No file matches a pattern.
    """
    for text in texts:
        if os.path.lexists(text) or not glob.has_magic(text):
            yield text
            continue
        found = sorted(glob.glob(text, recursive=True))
        if not found:
            raise AudioFileError(f"{printable(text)}: no file matches this pattern")
        yield from found


def listed(lists: Iterable[str]) -> Iterator[str]:
    """Yield the lines of text files.

    Parameters
    ----------
    lists : iterable of str
        Paths of the files; ``-`` is standard input.

    Yields
    ------
    str

    Raises
    ------
    AudioFileError
        A text file cannot be read.
    """
    from nmfaudio._common.files.sources import read_bytes

    for name in lists:
        if name == STDIN:
            content = sys.stdin.buffer.read()
        else:
            content = read_bytes(name, _MAX_LIST_BYTES, "give a text file of names")
        if b"\0" in content:
            raise AudioFileError(f"{printable(name)}: not a text file; give one of names")
        yield from (os.fsdecode(line) for line in content.splitlines() if line.strip())


def part_of(command: BatchCommand, shard: tuple[int, int]) -> dict[str, str]:
    """Files of a shard, with the names of their recordings.

    Parameters
    ----------
    command : BatchCommand
        Command on all files.
    shard : tuple of (int, int)
        Number of the shard from 1 on, and number of shards.

    Returns
    -------
    dict of str to str
        The order depends neither on the arguments nor on the folder of this process.
    """
    sources = [item.source for item in command.recordings]
    named = zip(sources, command.tracks(), strict=True)
    number, count = shard
    return dict(sorted(named, key=lambda pair: os.path.abspath(pair[0]))[number - 1 :: count])


def fingerprint(source: str, companions: Sequence[str], made_with: Mapping[str, Any]) -> str:
    """Hash of the paths, the sizes and the times of files, and of the settings.

    Parameters
    ----------
    source : str
        Path of the recording.
    companions : sequence of str
        Files that belong to it, such as a score.
    made_with : mapping
        JSON-serialisable settings.

    Returns
    -------
    str
        Also for files that cannot be opened.
    """
    stamps = [_stamp(path) for path in (source, *companions)]
    content = json.dumps([stamps, made_with], sort_keys=True)
    return hashlib.blake2b(content.encode(), digest_size=16).hexdigest()


def size_of(source: str) -> int:
    """Bytes of a file; 0 if it is missing, which its own report tells.

    Parameters
    ----------
    source : str

    Returns
    -------
    int
    """
    stamp = _stamp(source)
    return int(stamp[1]) if len(stamp) > 1 else 0


def _stamp(path: str) -> list[str | int]:
    """Path, size and time of the last change."""
    try:
        facts = os.stat(path)
    except OSError:
        return [os.path.abspath(path)]
    return [os.path.abspath(path), facts.st_size, facts.st_mtime_ns]
