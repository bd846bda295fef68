"""Base classes of the commands: frozen dataclasses of options that can be run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from nmfaudio._common.options import option, options, switch
from nmfaudio._version import __version__
from nmfaudio.cli.commands import commands
from nmfaudio.cli.output import emit_json
from nmfaudio.cli.parser import (
    COMPUTATION,
    REPORTING,
    Parser,
    at_least,
    build_parser,
    parse,
    sentence,
    values_of,
)
from nmfaudio.errors import ParameterError

STDOUT = """\
The paths written go to stdout, one per line. A path with a newline or another
control character is escaped there; --json has it unchanged.
"""


@dataclass(frozen=True, kw_only=True)
class Command(ABC):
    """A command; the fields made by `option` are its flags.

    Attributes
    ----------
    operands, details, epilog : str
        Arguments in the usage line that are no options, and texts of the help: after the line of
        help that `commands` has, and at the end.
    name : str
        Name of the command.
    files : tuple of str
        Arguments that are no options.
    """

    operands: ClassVar[str] = "FILE..."
    details: ClassVar[str] = ""
    epilog: ClassVar[str] = ""

    name: str
    files: tuple[str, ...] = ()

    json: bool = switch("write one JSON object to stdout", group=REPORTING)
    debug: bool = switch("show the traceback of an error", group=REPORTING)

    @abstractmethod
    def run(self) -> int:
        """Run the command and return its exit code."""

    @classmethod
    def parser(cls, name: str) -> Parser:
        """Build the parser of the command."""
        return build_parser(
            name,
            options(cls, own_first=False),
            operands=cls.operands,
            description=describe_command(name, cls.details),
            epilog=cls.epilog,
        )

    @classmethod
    def parse(cls, name: str, argv: Sequence[str]) -> Self:
        """Build the command from its arguments."""
        flags = options(cls, own_first=False)
        values, files = parse(cls.parser(name), flags, argv)
        return cls(name=name, files=files, **values_of(flags, values))

    def emit_result(self, code: int, facts: dict[str, Any], *, action: str = "") -> None:
        """Write the result as one JSON object."""
        command = f"{self.name} {action}" if action else self.name
        emit_json({"nmfaudio": __version__, "command": command, "exit_code": code} | facts)

    def require_files(self) -> None:
        """Raise ParameterError if no files are named."""
        if not self.files:
            raise ParameterError("no FILE given; name one, or - for standard input")


@dataclass(frozen=True, kw_only=True)
class ComputingCommand(Command):
    """A command that computes for a while."""

    seed: int = option(
        0,
        "seed of the random numbers; the same seed gives the same bytes",
        parse=at_least(0),
        metavar="N",
        group=COMPUTATION,
    )
    threads: int | None = option(
        None,
        "number of threads; the result does not depend on it (default: one per processor)",
        parse=at_least(1, 4096),
        metavar="N",
        group=COMPUTATION,
    )
    quiet: bool = switch(
        "write only warnings and errors to stderr",
        short="-q",
        group=REPORTING,
        excludes="verbosity",
    )
    progress: bool = switch(
        "write a line of progress every ten seconds, for logs and where there is no terminal",
        group=REPORTING,
    )

    def set_threads(self) -> None:
        """Use the number of threads that was chosen, if any, or check that of the environment."""
        from nmfaudio.kernels.threads import get_threads, set_threads

        if self.threads is None:
            get_threads()
        else:
            set_threads(self.threads)


def describe_command(name: str, details: str) -> str:
    """Beginning of the help of a command."""
    return f"{sentence(commands()[name])}.\n" + (f"\n{details}" if details else "")
