"""Options of the commands, and messages about wrong ones."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from minimal import ARGUMENTS, SETTINGS

from nmfaudio._common.options import option, options
from nmfaudio._common.time_ranges import parse_time_range
from nmfaudio.cli.commands import OTHERS
from nmfaudio.cli.separate import SeparateCommand
from nmfaudio.errors import ParameterError
from nmfaudio.separators import SEPARATORS
from nmfaudio.separators.base import load_separator

from .conftest import ENVIRONMENT

COMMANDS = [*SEPARATORS, *OTHERS]


@dataclass(frozen=True)
class Recording:
    sources: int = option(2, "how many", short="-s")
    beta_loss: str = option("kl", "what a misfit costs", choices=("kl", "is"))
    smooth: bool = option(False, "50 % smoother")
    hop: int | None = option(None, "steps (default: a quarter of the window)", parse=int)
    usage_examples: ClassVar[tuple[str, ...]] = ()


def parsed(*arguments, kind=Recording):
    return SeparateCommand.parse("separate", arguments, kind)


@pytest.mark.parametrize("name", SEPARATORS)
def test_every_field_is_a_flag_with_its_default_in_the_help(name):
    fields = options(load_separator(name))
    entries = re.split(r"\n  (?=-)", SeparateCommand.parser(name).format_help())
    for field in (field for field in fields if not field.suffixes):
        (entry,) = (
            e for e in entries if re.search(rf"(^| ){field.flag}[ ,]", e.partition("\n")[0])
        )
        words = " ".join(entry.split())
        assert " ".join(field.help.split()[:3]) in words
        if field.many:
            shown = "(may be repeated)"
        elif field.switch:
            shown = ""
        elif isinstance(field.default, bool):
            shown = "(default: on)" if field.default else "(default: off)"
        else:
            shown = "default" if field.default is None else f"(default: {field.default})"
        assert shown in words


@pytest.mark.parametrize("name", SEPARATORS)
def test_no_options_means_the_separator_s_defaults(name):
    command = SeparateCommand.parse(name, ["song.wav", *ARGUMENTS.get(name, [])])
    assert command.separator == load_separator(name)(**SETTINGS.get(name, {}))
    assert command.files == ("song.wav",)


@dataclass(frozen=True)
class WithScore:
    usage_examples: ClassVar[tuple[str, ...]] = ()
    score: str = option(
        None, "what is played", suffixes=(".mid", ".midi"), required=True, metavar="SCORE"
    )
    examples: tuple[str, ...] = option((), "what is known", many=True, flag="--example")


def test_a_companion_is_told_from_the_recordings_by_its_suffix():
    command = parsed("a.wav", "b.MID", "c.wav", kind=WithScore)
    assert command.files == ("a.wav", "c.wav")
    assert command.separator == WithScore("b.MID")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (["a.wav"], "separate needs SCORE, which ends in .mid or .midi; see nmfaudio separate"),
        (["a.wav", "b.mid", "c.midi"], "c.midi is a second SCORE"),
    ],
)
def test_a_companion_too_few_or_too_many(files, message):
    with pytest.raises(ParameterError, match=re.escape(message)):
        parsed(*files, kind=WithScore)


def test_a_repeated_flag_is_a_tuple():
    command = parsed("--example", "a", "m.mid", "--example=b", kind=WithScore)
    assert command.separator.examples == ("a", "b")
    second = parsed("m.mid", "--example=c", kind=WithScore)
    assert second.separator.examples == ("c",)


def test_flags_become_fields():
    command = parsed("-s3", "--beta-loss=is", "--smooth", "--hop", "64", "a.wav")
    assert command.separator == Recording(3, "is", True, 64)
    assert not parsed("--no-smooth", "a.wav").separator.smooth


def test_switches_say_on_and_off_and_percent_signs_survive():
    assert "50 % smoother (default: off)" in " ".join(
        SeparateCommand.parser("separate", Recording).format_help().split()
    )


def test_files_may_stand_anywhere():
    assert parsed("a", "-s", "3", "-", "--seed", "1", "b").files == ("a", "-", "b")
    assert parsed("a", "--", "-s", "--", "b").files == ("a", "-s", "--", "b")


@pytest.mark.parametrize("name", SEPARATORS)
def test_help_shows_input_and_output_first_and_tuning_last(name):
    help = SeparateCommand.parser(name).format_help()
    flags = ("--preview", "--output", "--format", "--quiet", "--seed", "--mask-power")
    places = [help.index(f" {flag}") for flag in flags]
    assert places == sorted(places)
    assert help.index("\ntuning:") < places[-1]


@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize("command", COMMANDS)
def test_help_fits_the_terminal(nmfaudio, monkeypatch, command, width):
    monkeypatch.setenv("COLUMNS", str(width))
    result = nmfaudio(command, "--help")
    assert result.code == 0
    assert result.err == ""
    assert max(map(len, result.out.splitlines())) <= width


def test_top_help_lists_the_commands(nmfaudio):
    result = nmfaudio("--help")
    assert result.code == 0
    assert sorted(re.findall(r"^  (\w+)  ", result.out, flags=re.M)) == sorted(COMMANDS)


def test_version(nmfaudio):
    from nmfaudio._version import __version__

    assert nmfaudio("--version") == (0, f"nmfaudio {__version__}\n", "")


def test_without_a_command_the_help_goes_to_stderr(nmfaudio):
    result = nmfaudio()
    assert (result.code, result.out) == (2, "")
    assert result.err == nmfaudio("--help").out


def test_nothing_heavy_is_loaded_for_help():
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "nmfaudio", "--help"],
        capture_output=True,
        text=True,
        check=True,
        env=ENVIRONMENT,
    )
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "nmfaudio.cli" in loaded
    assert loaded.isdisjoint({"numpy", "scipy", "numba", "librosa", "soundfile"})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["seperate"], "unknown command 'seperate'; did you mean separate?"),
        (["frobnicate"], f"unknown command 'frobnicate'; choose from {', '.join(COMMANDS)}"),
        (["-v"], "unknown option -v before a command; see nmfaudio --help"),
        (["separate"], "no FILE given"),
        (["info"], "no FILE given"),
        (["doctor", "song.wav"], "doctor takes no files, got song.wav"),
        (
            ["separate", "song.wav", "--sorces", "4"],
            "unknown option --sorces; did you mean --sources?",
        ),
        (["separate", "song.wav", "-s"], "-s/--sources: expected one argument"),
        (["separate", "song.wav", "-k", "1.5"], "'1.5' is not a whole number"),
        (["separate", "song.wav", "-k", "0"], "error: --components must"),
        (["separate", "song.wav", "-s", "9", "-k", "4"], "error: --sources is 9"),
        (["separate", "song.wav", "--seed", "-1"], "--seed"),
        (["separate", "song.wav", "--threads", "0"], "'0' is not a whole number of 1 or more"),
        (["separate", "song.wav", "--clip", "never"], "--clip: invalid choice: 'never'"),
        (["separate", "song.wav", "-q", "-v"], "not allowed with argument"),
        (["separate", "song.wav", "--preview", "3"], "'3' is not a time range"),
        (["separate", "song.wav", "--beta-loss", "nan"], "nan"),
        (["separate", "song.wav", "--format", "docx"], "docx"),
        (["separate", "song.wav", "--subtype", "PCM_99"], "PCM_99"),
    ],
)
def test_wrong_arguments_are_one_line_and_2(nmfaudio, song, arguments, message):
    result = nmfaudio(*arguments)
    assert (result.code, result.out) == (2, "")
    assert len(result.errors()) == 1
    assert message in result.err


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("0:30-0:45", (30, 45)),
        ("90-100", (90, 100)),
        ("90-100.5", (90, 100.5)),
        ("59:59-1:00:00.25", (3599, 3600.25)),
        ("0-0.001", (0, 0.001)),
    ],
)
def test_stretches(text, span):
    assert parse_time_range(text) == span


@pytest.mark.parametrize(
    "text",
    ["", "-", "30", "30-", "-30", "45-30", "3-3", "0:60-2:00", "1:2:3:4-9:0:0", "nan-3", "1e1-20",
     "0:-1-3", "1-inf", "٣-٤"],
)  # fmt: skip
def test_what_is_no_stretch(text):
    with pytest.raises(ParameterError):
        parse_time_range(text)


@given(st.integers(0, 10**6), st.integers(1, 10**6))
def test_stretch_reads_what_clocks_show(start, length):
    def clock(seconds):
        return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"

    assert parse_time_range(f"{clock(start)}-{clock(start + length)}") == (start, start + length)
