"""`nmfaudio completion`: scripts that complete commands, options and their values."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from nmfaudio.cli.batch_run import COMMANDS
from nmfaudio.cli.command import Command
from nmfaudio.cli.commands import commands, load_command
from nmfaudio.cli.live import LIVE
from nmfaudio.cli.output import emit
from nmfaudio.errors import ParameterError

# Values of options that are not limited to a list when they are parsed, which would load NumPy.
_VALUES = {
    "--format": ("wav", "flac", "aiff", "caf", "w64", "au", "ogg", "opus", "mp3"),
    "--subtype": ("PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"),
    "--parts": (
        *("kick", "snare", "hihat", "toms", "cymbals"),
        *("closed_hihat", "open_hihat", "crash", "ride"),
    ),
}
SHELLS = ("bash", "zsh", "fish")
_FIRST = {
    "completion": SHELLS,
    "dictionary": ("info", "merge", "export"),
    "batch": COMMANDS,
    "live": LIVE,
}
"""First argument of commands that need one of these words."""

_BASH = """\
_nmfaudio() {
    local current="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" words=""
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        words="@COMMANDS@"
    else
        case "${COMP_WORDS[1]} $before" in
@CHOICES@
        *)
            case "$current" in
            -*)
                case "${COMP_WORDS[1]}" in
@FLAGS@
                esac ;;
            esac ;;
        esac
    fi
    COMPREPLY=( $(compgen -W "$words" -- "$current") )
}
complete -o bashdefault -o default -F _nmfaudio nmfaudio
"""
_ZSH = "autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n"


@dataclass(frozen=True, kw_only=True)
class CompletionCommand(Command):
    """``nmfaudio completion``."""

    operands = "{bash,zsh,fish}"
    details = """\
Names of files are completed as the shell does it.
"""
    epilog = """\
to install, write one of these lines into the file that the shell reads first:
  eval "$(nmfaudio completion bash)"          ~/.bashrc
  eval "$(nmfaudio completion zsh)"           ~/.zshrc
  nmfaudio completion fish | source           ~/.config/fish/config.fish
"""

    def run(self) -> int:
        """Print the script."""
        if len(self.files) != 1 or self.files[0] not in SHELLS:
            got = " ".join(self.files) or "nothing"
            raise ParameterError(f"need the name of a shell, {', '.join(SHELLS)}; got {got}")
        script = script_for(self.files[0])
        if self.json:
            self.emit_result(0, {"shell": self.files[0], "script": script})
        else:
            emit(script)
        return 0


def script_for(shell: str) -> str:
    """Return the script for one of `SHELLS`."""
    if shell == "fish":
        return "".join(f"{line}\n" for line in _fish())
    return (_ZSH if shell == "zsh" else "") + _bash()


@dataclass(frozen=True)
class _Flag:
    """An option of a command as the shell completes it."""

    names: tuple[str, ...]
    help: str
    choices: tuple[str, ...]
    has_value: bool


def _flags(command: str) -> list[_Flag]:
    parser = load_command(command).parser(command)
    return [
        _Flag(
            tuple(action.option_strings),
            (action.help or "").replace("%%", "%").partition(" (default")[0],
            tuple(action.choices or ()) or _VALUES.get(action.option_strings[-1], ()),
            action.nargs != 0,
        )
        for action in parser._actions
        if action.option_strings
    ]


def _bash() -> str:
    choices, flags = [], []
    for command in commands():
        own = _flags(command)
        names = " ".join(name for flag in own for name in flag.names)
        flags.append(f'                {command}) words="{names}" ;;')
        choices += [
            f'        "{command} {name}") words="{" ".join(flag.choices)}" ;;'
            for flag in own
            if flag.choices
            for name in flag.names
        ]
    for name, words in _FIRST.items():
        choices.append(f'        "{name} {name}") words="{" ".join(words)}" ;;')
    choices.append(f'        "help help") words="{" ".join(commands())}" ;;')
    return (
        _BASH.replace("@COMMANDS@", " ".join((*commands(), "help", "--help", "--version")))
        .replace("@CHOICES@", "\n".join(choices))
        .replace("@FLAGS@", "\n".join(flags))
    )


def _fish() -> Iterator[str]:
    for command, help in commands().items():
        quoted = shlex.quote(help)
        yield f"complete -c nmfaudio -n __fish_use_subcommand -f -a {command} -d {quoted}"
        for flag in _flags(command):
            parts = [f"complete -c nmfaudio -n '__fish_seen_subcommand_from {command}'"]
            for name in flag.names:
                parts.append(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}")
            if flag.choices:
                parts.append(f"-x -a '{' '.join(flag.choices)}'")
            elif flag.has_value:
                parts.append("-r")
            yield " ".join([*parts, "-d", shlex.quote(flag.help)])
