"""`nmfaudio info`: properties of audio files, with warnings of suspicious ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nmfaudio.cli.command import Command
from nmfaudio.cli.failures import joint_code, report_failure
from nmfaudio.cli.inputs import find_inputs, input_name, open_input
from nmfaudio.cli.output import emit
from nmfaudio.cli.progress import clock

if TYPE_CHECKING:
    from nmfaudio.audio.io import FileInfo


@dataclass(frozen=True, kw_only=True)
class InfoCommand(Command):
    """``nmfaudio info``."""

    def run(self) -> int:
        """Inspect each file, and show its properties."""
        from nmfaudio.audio.io import inspect

        self.require_files()
        reports: list[dict[str, Any]] = []
        for source in [item.source for item in find_inputs(self.files)]:
            report: dict[str, Any] = {"input": source, "exit_code": 0}
            reports.append(report)
            with report_failure(report, input_name(source), debug=self.debug):
                info = inspect(open_input(source))
                report |= info.to_dict()
                if not self.json:
                    emit("".join(f"{line}\n" for line in _lines(info)))
        code = joint_code(report["exit_code"] for report in reports)
        if self.json:
            self.emit_result(code, {"files": reports})
        return code


def _lines(info: FileInfo) -> Iterator[str]:
    yield info.path
    yield from (f"  {name:<11}{text}" for name, text in _facts(info))


def _facts(info: FileInfo) -> Iterator[tuple[str, str]]:
    channels = "1 channel" if info.channels == 1 else f"{info.channels} channels"
    yield "format", f"{info.format}, {info.subtype}, {info.bytes:,} bytes"
    yield "length", f"{info.duration:.3f} s ({clock(info.duration)}), {info.frames:,} frames"
    yield "channels", f"{channels} at {info.sr:,} Hz"
    yield "peak", _levels(info.peak)
    yield "rms", _levels(info.rms)
    yield "dc offset", ", ".join(f"{value:z.4f}" for value in info.dc_offset)
    if info.silence_start or info.silence_end:
        begin, end = info.silence_start, info.silence_end
        yield "silence", f"{begin:.2f} s at the start, {end:.2f} s at the end"
    notes = list(info.notes)
    if info.clipped:
        notes.append(f"{info.clipped:,} samples at full scale or over it")
    for note in notes or ["nothing suspicious"]:
        yield "notice", note


def _levels(levels: Sequence[float | None]) -> str:
    """One level for each channel."""
    return ", ".join("silent" if x is None else f"{x:z.1f}" for x in levels) + " dBFS"
