"""Reading of mutants: what fails, and how often."""

import random
import re
import resource
import signal
import time
import traceback
import warnings
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

from nmfaudio.errors import AudioWarning, NmfAudioError

from .mutation import mutate
from .readers import READERS, past_failures, sound_files

SECONDS = 2.0
"""Longest CPU time that a mutant of at most 64 KiB may take."""
_ADDRESS_SPACE = 2**30  # beyond what the process has, for all that a mutant asks
_PARENTS = 2000  # mutants that are mutated further


class TooLongError(BaseException):
    """A mutant takes too long."""


@contextmanager
def limits():
    """Limit memory and time, and make every warning but our own an error."""

    def stop(number, frame):
        raise TooLongError(f"longer than {SECONDS:g} s")

    old_limit = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + _ADDRESS_SPACE
    old_handler = signal.signal(signal.SIGPROF, stop)
    resource.setrlimit(resource.RLIMIT_AS, (most, old_limit[1]))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", AudioWarning)
            yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, old_limit)
        signal.signal(signal.SIGPROF, old_handler)


def outcome(name, content, folder):
    """Read a file within `limits`.

    Parameters
    ----------
    name : str
        A key of `READERS`.
    content : bytes
    folder : Path

    Returns
    -------
    message : str
        Of an error of the package; empty if there is none.
    failure : str
        Any other exception, and where it comes from; empty if there is none.
    """
    path = folder / f"x.{READERS[name].suffix}"
    path.write_bytes(content)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        READERS[name](path, content)
    except NmfAudioError as error:
        return str(error), "" if "\n" not in str(error) else "a message of several lines"
    except (Exception, TooLongError) as error:
        return "", f"{type(error).__name__} at {_place(error)}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return "", ""


def _place(error):
    """File and line of the package where an exception comes from."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if "nmfaudio/" in frame.filename:
            return f"{Path(frame.filename).name}:{frame.lineno}"
    return "no line of the package"


def fuzz(name, folder, *, count=None, seconds=None, seed=0):
    """Read mutants of the files of a reader.

    A mutant that is refused with a new message, apart from its numbers, is mutated further.

    Parameters
    ----------
    name : str
        A key of `READERS`.
    folder : Path
        For the file that is read.
    count : int, optional
        Number of mutants.
    seconds : float, optional
        Time after which no further mutant is made.
    seed : int

    Returns
    -------
    counts : Counter
        Mutants that were read, refused, and failed.
    failures : dict of str to bytes
        The shortest mutant of each failure.
    """
    chance, end = random.Random(seed), None if seconds is None else time.monotonic() + seconds
    sources = [*sound_files(name), *past_failures(name)]
    parents, seen = list(sources), {""}
    counts, failures = Counter(), {}
    with limits():
        while counts.total() != count and (end is None or time.monotonic() < end):
            content = mutate(chance.choice(chance.choice((sources, parents))), chance, sources)
            message, failure = outcome(name, content, folder)
            counts["failed" if failure else "refused" if message else "read"] += 1
            if failure and len(content) < len(failures.get(failure, content + b"x")):
                failures[failure] = content
            kind = re.sub(r"[\d.]+|'[^']*'", "#", message)[:160]
            if kind not in seen and len(parents) < _PARENTS:
                seen.add(kind)
                parents.append(content)
    return counts, failures
