"""`nmfaudio info`: what files hold, and what is suspicious about them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from nmfaudio._version import __version__
from nmfaudio.audio.io import inspect
from nmfaudio.cli.commands import OTHERS
from nmfaudio.cli.failures import complain, describe, exit_code, joint_code
from nmfaudio.cli.inputs import input_name, open_input
from nmfaudio.cli.output import emit, emit_json
from nmfaudio.cli.parser import (
    add_common_options,
    file_parser,
    parse,
    require_files,
    sentence,
)
from nmfaudio.cli.progress import clock

if TYPE_CHECKING:
    from nmfaudio.audio.io import FileInfo


def run_info(argv: list[str]) -> int:
    """Run ``nmfaudio info``, and return its exit code."""
    parser = file_parser("info", description=sentence(OTHERS["info"][1]) + ".\n")
    add_common_options(parser)
    chosen = parse(parser, argv)
    require_files(chosen)
    reports: list[dict[str, Any]] = []
    for source in chosen.files:
        report: dict[str, Any] = {"input": source, "exit_code": 0}
        reports.append(report)
        try:
            found = inspect(open_input(source))
        except Exception as error:
            about = input_name(source)
            complain(error, about, debug=chosen.debug)
            report |= {"exit_code": exit_code(error), "error": describe(error, about)}
            continue
        report |= found.to_dict()
        if not chosen.json:
            emit("".join(f"{line}\n" for line in _lines(found)))
    code = joint_code(report["exit_code"] for report in reports)
    if chosen.json:
        emit_json({"nmfaudio": __version__, "command": "info", "exit_code": code, "files": reports})
    return code


def _lines(found: FileInfo) -> Iterator[str]:
    yield found.path
    yield from (f"  {name:<11}{text}" for name, text in _facts(found))


def _facts(found: FileInfo) -> Iterator[tuple[str, str]]:
    channels = "1 channel" if found.channels == 1 else f"{found.channels} channels"
    yield "format", f"{found.format}, {found.subtype}, {found.bytes:,} bytes"
    yield "length", f"{found.duration:.3f} s ({clock(found.duration)}), {found.frames:,} frames"
    yield "channels", f"{channels} at {found.sr:,} Hz"
    yield "peak", _levels(found.peak)
    yield "rms", _levels(found.rms)
    yield "dc offset", ", ".join(f"{value:z.4f}" for value in found.dc_offset)
    if found.silence_start or found.silence_end:
        begin, end = found.silence_start, found.silence_end
        yield "silence", f"{begin:.2f} s at the start, {end:.2f} s at the end"
    notes = list(found.notes)
    if found.clipped:
        notes.append(f"{found.clipped:,} samples at full scale or over it")
    for note in notes or ["nothing suspicious"]:
        yield "notice", note


def _levels(levels: Sequence[float | None]) -> str:
    """One level for each channel."""
    return ", ".join("silent" if x is None else f"{x:z.1f}" for x in levels) + " dBFS"
