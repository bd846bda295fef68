"""`nmfaudio picture`: the spectrogram of a recording, to read off boxes for `paint`."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

from nmfaudio._common.options import option, switch
from nmfaudio._common.time_ranges import parse_time_range
from nmfaudio.cli.command import Command
from nmfaudio.cli.failures import printable
from nmfaudio.cli.inputs import STDIN, open_input
from nmfaudio.cli.memory import check_files
from nmfaudio.cli.output import emit_path
from nmfaudio.cli.parser import INPUT, OUTPUT, at_least
from nmfaudio.errors import LimitError, ParameterError

_DPI = 120
_MEMORY = 2.0  # bytes for each byte of samples: the spectrogram is computed in blocks
_MOST_BOXES = 2000  # their names take more time than all else
_PICTURE = "picture"


@dataclass(frozen=True, kw_only=True)
class PictureCommand(Command):
    """``nmfaudio picture``."""

    operands = "FILE"
    details = """\
Time runs from left to right in seconds, frequency upwards in Hz, louder is
brighter. Read the sides of boxes off the grid, write them into boxes.json, and
check them with --boxes; nmfaudio paint separates by them.
"""
    epilog = """\
examples:
  nmfaudio picture song.wav
  nmfaudio picture song.wav --preview 0:30-0:45 --high 4000
  nmfaudio picture song.wav --boxes boxes.json -o checked.png

The path written goes to stdout.
"""

    preview: tuple[float, float] | None = option(
        None,
        "draw only this part, 0:30-0:45, or 90-100.5 in seconds; its times stay those of the file",
        parse=parse_time_range,
        metavar="FROM-TO",
        group=INPUT,
    )
    boxes: str | None = option(
        None, "draw these boxes of nmfaudio paint over it", metavar="BOXES.json", group=INPUT
    )
    output: str | None = option(
        None,
        "file of the picture (default: the name of FILE with .png, in this folder)",
        short="-o",
        metavar="PICTURE.png",
        group=OUTPUT,
    )
    overwrite: bool = switch("replace a file that exists (default: refuse)", group=OUTPUT)
    high: int | None = option(
        None,
        "highest frequency shown (default: 8000, or half the sample rate if that is lower)",
        parse=at_least(1),
        metavar="HZ",
        group=_PICTURE,
    )
    log: bool = switch(
        "logarithmic frequencies, from 40 Hz on: octaves have the same height", group=_PICTURE
    )
    n_fft: int | None = option(
        None,
        "window length in samples: longer windows show pitches more clearly, shorter ones times"
        " (default: the power of two nearest to 93 ms)",
        parse=at_least(2),
        metavar="SAMPLES",
        group=_PICTURE,
    )

    def run(self) -> int:
        """Draw the spectrogram, and write the picture."""
        self.require_files()
        if len(self.files) > 1:
            raise ParameterError(f"picture draws one FILE per run, got {len(self.files)}")
        from nmfaudio._common.figures import new_figure
        from nmfaudio._common.files import check_targets, write_bytes

        path = self._path(self.files[0])
        new_figure(1, 1)  # fails before any work where matplotlib is missing
        check_targets([path], overwrite=self.overwrite)
        write_bytes(path, self._draw(), overwrite=self.overwrite)
        if self.json:
            self.emit_result(0, {"input": self.files[0], "path": path})
        else:
            emit_path(path)
        return 0

    def _path(self, source: str) -> Path:
        if self.output is None:
            return Path("stdin.png" if source == STDIN else Path(source).stem + ".png")
        if not self.output.lower().endswith(".png"):
            raise ParameterError(f"--output {self.output} must end in .png")
        return Path(self.output)

    def _draw(self) -> bytes:
        from nmfaudio.audio.io import read
        from nmfaudio.display.spectrogram import spectrogram_figure
        from nmfaudio.separators.boxes import check_within, read_strokes
        from nmfaudio.separators.excerpt import Excerpt

        strokes = [] if self.boxes is None else read_strokes(self.boxes)
        if len(strokes) > _MOST_BOXES:
            raise LimitError(
                f"{printable(str(self.boxes))}: has {len(strokes)} boxes, and a picture shows up to"
                f" {_MOST_BOXES}; check a part of them"
            )
        start, stop = self.preview or (None, None)
        source = open_input(self.files[0])
        check_files([(source, self.preview)], _MEMORY)
        recording = read(source, start=start, stop=stop)
        end = Excerpt(source, start or 0.0).file_duration
        for number, stroke in enumerate(strokes, 1):
            check_within(stroke, number, end, recording.sr / 2)
        figure = spectrogram_figure(
            recording.samples,
            recording.sr,
            start=recording.offset / recording.sr,
            top_hz=self.high,
            log=self.log,
            n_fft=self.n_fft,
            boxes=[stroke for stroke in strokes if stroke.image is None],
        )
        content = io.BytesIO()
        figure.savefig(content, format="png", dpi=_DPI)
        return content.getvalue()
