"""The command line: the only part that prints. Results go to stdout, all else to stderr."""

from __future__ import annotations

import errno
import os
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress

from nmfaudio._version import __version__
from nmfaudio.cli.commands import commands, load_command, top_parser, unknown_command
from nmfaudio.cli.failures import (
    INTERRUPTED,
    Stop,
    complain,
    describe,
    exit_code,
    printable,
    termination,
)
from nmfaudio.cli.hints import flag_hint, is_file, suggestions
from nmfaudio.cli.output import emit, emit_json
from nmfaudio.cli.progress import warnings_as_lines
from nmfaudio.cli.streams import standard_streams
from nmfaudio.errors import AudioFileError


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``nmfaudio``.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; by default those of the process.

    Returns
    -------
    int
        The exit code, as `nmfaudio.cli.failures` lists them.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    flags = arguments[: arguments.index("--")] if "--" in arguments else arguments
    debug = "--debug" in flags
    try:
        with standard_streams(), termination(), warnings_as_lines():
            return _run(arguments, debug=debug, as_json="--json" in flags)
    except (KeyboardInterrupt, Stop) as error:
        with standard_streams():
            complain(error, debug=debug)
        return exit_code(error)


def run() -> int:
    """Run ``nmfaudio`` as a program; after an interrupt, do not wait for threads that compile.

    Returns
    -------
    int
        The exit code.
    """
    code = main()
    if code in INTERRUPTED and threading.active_count() > 1:
        for stream in (sys.stdout, sys.stderr):
            with suppress(AttributeError, OSError, ValueError):  # it is closed or full
                stream.flush()
        os._exit(code)  # LLVM must not be torn down while it works
    return code


def _run(arguments: list[str], *, debug: bool, as_json: bool) -> int:
    try:
        return _dispatch(arguments)
    except SystemExit:  # argparse has printed the help
        return 0
    except Exception as error:
        complain(error, debug=debug)
        code = exit_code(error)
        if as_json:
            command = arguments[0] if arguments and arguments[0] in commands() else None
            facts = {"nmfaudio": __version__, "command": command, "exit_code": code}
            emit_json(facts | {"error": describe(error)})
        return code


def _dispatch(arguments: list[str]) -> int:
    # Each command imports what it needs when it runs, so that --help stays quick.
    name, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if name == "help":
        name, rest = (rest[0], ["--help"]) if rest else ("--help", [])
    if name in commands():
        code: int = load_command(name).parse(name, rest).run()
        return code
    if name == "--" and rest:
        return _without_command(rest[0], dashed=True)
    return _without_command(name)


def _without_command(argument: str, *, dashed: bool = False) -> int:
    """Answer to an argument that is no command; `dashed` after ``--``, where all are files."""
    parser = top_parser()
    if not argument:
        print(parser.format_help(), end="", file=sys.stderr)
        return 2
    if argument in ("-h", "--help") and not dashed:
        emit(parser.format_help())
        return 0
    if argument == "--version" and not dashed:
        emit(f"nmfaudio {__version__}\n")
        return 0
    if argument.startswith("-") and not dashed:
        hint = flag_hint(argument, ["--help", "--version"])
        parser.error(f"unknown option {argument} before a command{hint}")
    if os.path.lexists(argument):
        kind = "folder" if os.path.isdir(argument) else "file"
        lines = [f"Choose a command for the {kind} {argument} by what you have:"]
        print("\n".join(map(printable, lines + suggestions(argument))), file=sys.stderr)
        return 2
    if is_file(argument):
        raise AudioFileError(
            f"{printable(argument)}: {os.strerror(errno.ENOENT)}; give the path of a file, after a"
            " command: nmfaudio --help"
        )
    raise unknown_command(argument)
