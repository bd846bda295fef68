"""`nmfaudio report`: the report page of a saved model and its recording."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from nmfaudio._common.options import option, switch
from nmfaudio._common.time_ranges import parse_time_range
from nmfaudio.cli.command import STDOUT, ComputingCommand
from nmfaudio.cli.failures import check_ended, printable
from nmfaudio.cli.inputs import STDIN, input_name, open_input
from nmfaudio.cli.memory import check_memory, memory_budget, needed_memory
from nmfaudio.cli.output import emit_path
from nmfaudio.cli.pages import page_options, page_title
from nmfaudio.cli.parser import INPUT, OUTPUT
from nmfaudio.cli.progress import PREPARING, READING, WRITING, Bar, record_warnings
from nmfaudio.cli.render import find_models, restored_separator
from nmfaudio.errors import ParameterError

# Slow imports are inside the functions that need them, so that --help is fast.
if TYPE_CHECKING:
    import numpy as np

    from nmfaudio._common.files.sources import Source
    from nmfaudio.audio.io import DecodedAudio

_SUFFIX = ".html"
_STAGES = {
    READING: 1,
    PREPARING: 2,
    "locating the sources": 4,
    "computing the stems": 8,
    WRITING: 10,
}


@dataclass(frozen=True, kw_only=True)
class ReportCommand(ComputingCommand):
    """``nmfaudio report``."""

    operands = "MODEL FILE"
    details = """\
MODEL is a file that --save-model, --report or nmfaudio batch wrote, or a folder
with one such file; FILE is its recording. The stems are those that the command
that saved the model would have written. Stems without a model have no page,
since it shows the factors W and H; nmfaudio evaluate measures them.
"""
    epilog = f"""\
examples:
  nmfaudio hpss song.wav --save-model song.npz
  nmfaudio report song.npz song.wav
  nmfaudio report song.npz song.wav --references sources -o measured.html

{STDOUT}"""

    preview: tuple[float, float] | None = option(
        None,
        "part of FILE that the model is of, if it was made with this --preview",
        parse=parse_time_range,
        metavar="FROM-TO",
        group=INPUT,
    )
    references: str | None = option(
        None,
        "folder with the true sources, or one of them, to measure the stems as nmfaudio evaluate"
        " does (default: no measures)",
        metavar="REF",
        group=INPUT,
    )
    output: str | None = option(
        None,
        "file of the page (default: the name of FILE with .html, in this folder)",
        short="-o",
        metavar="PAGE.html",
        group=OUTPUT,
    )
    title: str | None = option(
        None, "heading of the page (default: the name of FILE)", metavar="TEXT", group=OUTPUT
    )
    overwrite: bool = switch("replace a page that exists (default: refuse)", group=OUTPUT)

    def run(self) -> int:
        """Compute the stems, and write their page."""
        if len(self.files) != 2:
            raise ParameterError(
                f"need two arguments, got {len(self.files)}: MODEL, as --save-model writes it, and"
                " FILE, its recording"
            )
        from nmfaudio._common.files import check_targets

        check_targets([self._page], overwrite=self.overwrite)
        self.set_threads()
        page, *sounds = self._write()
        if self.json:
            facts = {"model": self._model, "input": self.files[1]}
            self.emit_result(0, facts | {"report": page, "report_files": sounds})
        else:
            for path in (*sounds, page):
                emit_path(path)
        return 0

    @cached_property
    def _model(self) -> str:
        """Path of the model."""
        paths = [item.source for item in find_models(self.files[0])]
        if len(paths) > 1:
            raise ParameterError(
                f"{printable(self.files[0])}: has {len(paths)} models; name one of them, or write"
                " stems and pages of all with nmfaudio render --report"
            )
        return paths[0]

    @property
    def _page(self) -> Path:
        if self.output is None:
            source = self.files[1]
            return Path(("stdin" if source == STDIN else Path(source).stem) + _SUFFIX)
        if not self.output.lower().endswith(_SUFFIX):
            raise ParameterError(f"--output {printable(self.output)} must end in {_SUFFIX}")
        return Path(self.output)

    def _write(self) -> list[Path]:
        """Write the page, and return its path and those of its sounds."""
        from nmfaudio.separators.saved_models import load_model

        name = self.files[1]
        label = printable(os.path.basename(input_name(name)))
        bar = Bar(label, _STAGES, quiet=self.quiet, lines=self.progress)
        with record_warnings(input_name(name), bar), bar:
            bar.show_stage(READING)
            separator = restored_separator(load_model(self._model))
            content = open_input(name)
            need = needed_memory(separator.memory, content, self.preview)
            check_memory(need, memory_budget(None))
            recording = self._read(content)
            references = self._references(recording)
            bar.show_stage(PREPARING)
            stems = separator(recording.samples, recording.sr, rng=self.seed, callback=bar.update)
            check_ended()
            bar.show_stage(WRITING)
            return stems.report(
                self._page,
                references=references,
                title=printable(self.title) if self.title else page_title(name, self.preview),
                recording=name,
                model=self._model,
                options=page_options(self.preview, stems.settings),
                start=recording.offset / recording.sr,
                overwrite=self.overwrite,
            )

    def _read(self, content: Source) -> DecodedAudio:
        from nmfaudio.audio.io import read

        start, stop = self.preview or (None, None)
        return read(content, start=start, stop=stop)

    def _references(self, recording: DecodedAudio) -> Mapping[str, np.ndarray] | None:
        """True sources of the part that the recording is of."""
        if self.references is None:
            return None
        from nmfaudio.metrics.sources import load_sources

        # Their size is checked against the recording before the stems are computed.
        recorded = {self.files[1]: recording.samples}
        return load_sources(self.references, recorded, self.preview)[0].signals
