"""`nmfaudio completion`: what the shell completes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nmfaudio.audio.io.formats import BITS, FLOATS, FORMATS
from nmfaudio.cli.commands import commands
from nmfaudio.cli.completion import _VALUES
from nmfaudio.symbolic.names import DRUM_PARTS, KINDS_OF_PARTS

from .conftest import ENVIRONMENT

BASH = shutil.which("bash")


@pytest.mark.skipif(BASH is None, reason="needs bash")
@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["hps"], ["hpss"]),
        (["hpss", "--mask-"], ["--mask-power"]),
        (["hpss", "--mask", ""], ["soft", "binary"]),
        (["transcribe", "--stems", "pi"], ["pitch"]),
        (["hpss", "--format", "fl"], ["flac"]),
        (["hpss", "--subtype", "PCM_2"], ["PCM_24"]),
        (["transcribe", "--parts", "k"], ["kick"]),
        (["transcribe", "-"], None),
        (["completion", ""], ["bash", "zsh", "fish"]),
        (["help", "pai"], ["paint"]),
        (["hpss", "so"], []),
    ],
)
def test_bash_completes_commands_flags_and_choices(nmfaudio, words, found):
    Path("completion.bash").write_text(nmfaudio("completion", "bash").out)
    program = (
        'source ./completion.bash; COMP_WORDS=(nmfaudio "$@"); COMP_CWORD=$#; _nmfaudio;'
        'printf "%s\\n" "${COMPREPLY[@]}"; complete -p nmfaudio'
    )
    done = subprocess.run(
        [BASH, "-c", program, "bash", *words], capture_output=True, text=True, check=True
    )
    *replies, registered = done.stdout.splitlines()
    assert registered == "complete -o bashdefault -o default -F _nmfaudio nmfaudio"
    if found is None:
        assert {"-o", "--output", "--drums", "--progress", "--help"} <= set(replies)
    else:
        assert [reply for reply in replies if reply] == found


def test_fish_describes_every_command(nmfaudio):
    script = nmfaudio("completion", "fish").out
    for name in commands():
        assert f"__fish_use_subcommand -f -a {name} -d " in script
    assert "seen_subcommand_from hpss' -l mask -x -a 'soft binary'" in script


def test_zsh_uses_the_script_of_bash(nmfaudio):
    script = nmfaudio("completion", "zsh").out
    assert script.startswith("autoload")
    assert script.endswith(nmfaudio("completion", "bash").out)


@pytest.mark.parametrize("arguments", [[], ["tcsh"], ["bash", "zsh"]])
def test_other_shells_are_refused(nmfaudio, arguments):
    result = nmfaudio("completion", *arguments)
    assert result.code == 2
    assert "bash, zsh, fish" in result.err


def test_nothing_heavy_is_loaded():
    program = (
        "import sys; from nmfaudio.cli import main; main(['completion', 'bash']);"
        "sys.exit(any(name in sys.modules for name in ('numpy', 'numba', 'librosa')))"
    )
    subprocess.run(
        [sys.executable, "-c", program], check=True, env=ENVIRONMENT, stdout=subprocess.DEVNULL
    )


def test_completed_values_are_those_that_are_known():
    assert _VALUES["--format"] == tuple(FORMATS)
    assert set(_VALUES["--subtype"]) <= {*BITS, *FLOATS}
    assert _VALUES["--parts"] == (*DRUM_PARTS, *sum(KINDS_OF_PARTS.values(), ()))
