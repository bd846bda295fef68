"""A system that refuses one call: the first, the second, and so on."""

import builtins
import errno
import io
import os
from contextlib import contextmanager
from unittest import mock

from nmfaudio.audio.io import encoding

CALLS = ("open", "close", "fstat", "stat", "lstat", "fsync", "link", "replace", "unlink", "mkdir")


class Refusal:
    """Counts calls, and raises an error at one of them; with `short`, gives one byte less to all.

    Parameters
    ----------
    at : int
        Number of the call, from 1 on.
    short : bool
        Whether to let all reads and writes be short instead.
    """

    def __init__(self, at=0, short=False):
        self.at, self.short = at, short
        self.count = 0
        self.refused = ""
        """Name of the call that was refused."""

    def __call__(self, name):
        self.count += 1
        if self.count == self.at:
            self.refused = name
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def file(self, *arguments, **options):
        """Make a raw file whose reads, writes and seeks are counted."""
        refusal = self

        class File(io.FileIO):
            def readinto(self, buffer):
                refusal("read")
                size = len(buffer)
                view = memoryview(buffer).cast("B")
                return super().readinto(view[: max(size // 2, 1)] if refusal.short else view)

            def read(self, size=-1):
                refusal("read")
                return super().read(max(size // 2, 1) if refusal.short and size > 1 else size)

            def readall(self):
                return b"".join(iter(lambda: self.read(1 << 16), b""))

            def write(self, data):
                refusal("write")
                view = memoryview(data).cast("B")
                return super().write(view[: max(len(view) // 2, 1)] if refusal.short else view)

        return File(*arguments, **options)

    def open(self, file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, **rest):
        """Stand in for the built-in function."""
        plain = mode.replace("b", "").replace("t", "")
        raw = self.file(file, plain, **rest)
        if buffering == 0:
            return raw
        kind = io.BufferedRandom if "+" in mode else io.BufferedReader
        buffered = (kind if raw.readable() else io.BufferedWriter)(raw)
        if "b" in mode:
            return buffered
        return io.TextIOWrapper(buffered, encoding, errors, newline)


@contextmanager
def refused(at=0, short=False):
    """Let the system refuse a call within the body of the ``with`` statement.

    Parameters
    ----------
    at : int
        Number of the call, from 1 on.
    short : bool
        Whether to let all reads and writes be short instead.

    Yields
    ------
    Refusal
    """
    refusal = Refusal(at, short)

    def counted(name):
        original = getattr(os, name)

        def call(*arguments, **options):
            if name == "close":  # which Linux does in any case
                original(*arguments, **options)
                refusal(name)
                return None
            refusal(name)
            return original(*arguments, **options)

        return call

    with (
        mock.patch.multiple(os, **{name: counted(name) for name in CALLS}),
        mock.patch.object(builtins, "open", refusal.open),
        mock.patch.multiple(io, open=refusal.open),
        mock.patch.object(encoding, "FileIO", refusal.file),
    ):
        yield refusal
