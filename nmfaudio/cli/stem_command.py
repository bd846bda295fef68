"""Base class of the commands that write stems: options of the output, paths and files."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nmfaudio._common.options import option, options, switch
from nmfaudio.cli.batch import DEFAULT_ROOTS, BatchCommand
from nmfaudio.cli.failures import printable
from nmfaudio.cli.file_names import TRACK, FileName
from nmfaudio.cli.inputs import input_name
from nmfaudio.cli.pages import page_options, page_patterns, page_title
from nmfaudio.cli.parser import OUTPUT, at_least, flags_in_errors
from nmfaudio.cli.record import PREFIX, discard_record
from nmfaudio.cli.stem_files import (
    COMPONENTS,
    check_encoding,
    chosen_names,
    stem_tags,
    stem_targets,
)
from nmfaudio.errors import OutputError, ParameterError
from nmfaudio.separators.base import Separator

if TYPE_CHECKING:
    from nmfaudio.cli.jobs import Job
    from nmfaudio.factorisation.decomposition import Decomposition
    from nmfaudio.separators.separated_file import SeparatedFile
    from nmfaudio.stems.stems import Stems
    from nmfaudio.symbolic.note import Note

MODEL = "model"
"""Name of the file of a model without stems."""

_NOTES = ("mid", "csv")  # suffixes
_ANY_AUDIO = (1, 48_000)  # channels and Hz that every format holds


@dataclass(frozen=True, kw_only=True)
class StemCommand(BatchCommand):
    """A command that writes the stems of each recording, and files about them.

    Attributes
    ----------
    separator : Separator
        Separator whose stems they are.
    stems : bool
        Whether stems are written, and not only the model and the notes.
    """

    separator: Separator
    stems: bool = True

    output: str | None = option(
        None,
        "folder that gets a folder for each file (default: separated/<name of the command>)",
        short="-o",
        metavar="OUTPUT",
        group=OUTPUT,
    )
    format: str = option(
        "wav",
        "wav, flac, aiff, caf, w64, au, ogg, opus or mp3; the last three are lossy, so the stems"
        " do not sum exactly",
        parse=str.lower,
        metavar="FORMAT",
        group=OUTPUT,
    )
    subtype: str | None = option(
        None,
        "coding of the samples: PCM_16, PCM_24, FLOAT or DOUBLE (default: FLOAT if the format"
        " supports it, PCM_24 in flac)",
        metavar="SUBTYPE",
        group=OUTPUT,
    )
    clip: str = option(
        "gain",
        "if a stem peaks over full scale in a format that would clip it, scale all stems by one"
        " gain or fail",
        choices=("gain", "error"),
        group=OUTPUT,
    )
    only: tuple[str, ...] = option(
        (),
        "write only these stems: one name, or several separated by commas; they do not sum to FILE",
        many=True,
        metavar="NAMES",
        group=OUTPUT,
    )
    filename: FileName = option(
        FileName(),
        "path of each stem below OUTPUT; {track} is the name of FILE, {ext} the suffix of --format,"
        " {command} the name of the command",
        parse=FileName.parse,
        metavar="TEMPLATE",
        group=OUTPUT,
    )
    mp3_bitrate: int | None = option(
        None,
        "constant bitrate of mp3 in kbit/s, such as 192 (default: variable)",
        parse=at_least(8),
        metavar="N",
        group=OUTPUT,
    )
    tags: str = option(
        "none",
        "keep: copy title, artist, album, cover, … of FILE to the stems, with the name of the stem"
        " after the title",
        choices=("none", "keep"),
        group=OUTPUT,
    )
    plot: bool = switch(
        "also draw the spectrograms of FILE and of its stems: plot.png; needs nmfaudio[plot]",
        group=OUTPUT,
    )
    report: bool = switch(
        "also write a page for the browser, to hear, see and regroup the stems: report.html, and"
        " the model that its commands need",
        group=OUTPUT,
    )
    components_too: bool = switch("also write each component of the stems", group=OUTPUT)
    save_model: str | None = option(
        None,
        "also write the factorisation with its settings; with several files, {track} stands for"
        " the name of each (default: none, with --report model.npz beside the page)",
        metavar="M.NPZ",
        group=OUTPUT,
    )

    @property
    def root(self) -> Path:
        """Folder that gets a folder for each recording."""
        # By default each command has a folder of its own, so that several can separate one song.
        return Path(DEFAULT_ROOTS[0], self.name) if self.output is None else Path(self.output)

    def patterns(self, track: str) -> Sequence[Path]:
        """Glob patterns, below `root`, of the results of a recording."""
        from nmfaudio._common.files import distinct_names

        names = ["*"] if self.stems else []
        known = self._stem_names
        if self.stems and known is not None:  # then stems of other commands are not in the way
            files = dict(zip(known, distinct_names(known), strict=True))
            names = [glob.escape(files[name]) for name in chosen_names(self.only, known)]
        stems = [self._path(track, name, self.format) for name in names]
        components = [
            path.parent / COMPONENTS / path.name
            for path in (self._path(track, f"{name}-*", self.format) for name in names)
        ]
        return [
            *stems,
            *(components if self.components_too else []),
            *(self._path(track, "notes", ext) for ext in _NOTES if known is None),
            *([self._path(track, "plot", "png")] if self.plot else []),
            *(page_patterns(self._path(track, "report", "html")) if self.report else []),
        ]

    @property
    def _stem_names(self) -> tuple[str, ...] | None:
        """Names of the stems; None if they depend on the recording."""
        return getattr(self.separator, "stem_names", None)

    @cached_property
    def _written_from(self) -> dict[str, str]:
        """Inputs of this run by the paths of their stems, in which case does not matter."""
        return {}

    def _path(self, track: str, stem: str, ext: str) -> Path:
        return self.filename.path(track=track, stem=stem, ext=ext, command=self.name)

    def record_path(self, track: str) -> Path:
        """Path, below `root`, of the record of the settings that made the results."""
        # Several commands and formats may share a folder, with --filename also several recordings.
        name = self.name if self.filename.folder_has_track else f"{self.name}-{Path(track).name}"
        return self._folder(track) / f"{PREFIX}{name}-{self.format if self.stems else MODEL}.json"

    def _folder(self, track: str) -> Path:
        return self.filename.folder(track=track, command=self.name)

    def model_path(self, track: str) -> Path | None:
        """Path of the factorisation of a recording."""
        if self.save_model is not None:
            return Path(self.save_model.replace(TRACK, track))
        if not self.stems:
            return self.root / self._folder(track) / f"{MODEL}.npz"
        return self.root / self._path(track, MODEL, "npz") if self.report else None

    def check(self) -> None:
        """Check the options of the output."""
        from nmfaudio.audio.io import check_format

        with flags_in_errors(options(type(self))):
            check_format(self.format, self.subtype, *_ANY_AUDIO)
        check_encoding(self.format, self.mp3_bitrate, keep_tags=self.tags == "keep")
        if self.only and self._stem_names is not None:
            chosen_names(self.only, self._stem_names)
        if self.plot:
            from nmfaudio._common.figures import new_figure

            new_figure(1, 1)
        count = len(self.recordings)
        if count > 1 and not self.filename.has_track:
            raise ParameterError(
                f"--filename {self.filename} is the same for {count} inputs; put {TRACK} into it"
            )
        if self.save_model is not None and count > 1 and TRACK not in self.save_model:
            raise ParameterError(
                f"--save-model {self.save_model} is one file for {count} inputs;"
                f" put {TRACK} into it, as in {TRACK}.npz"
            )

    def _check_coding(self, channels: int, sr: int) -> None:
        """Check that the format can hold the stems."""
        from nmfaudio.audio.io import check_format
        from nmfaudio.audio.io.formats import compression_level

        check_format(self.format, self.subtype, channels, sr)
        if self.mp3_bitrate is not None:
            compression_level(self.mp3_bitrate, sr)

    def _target(self, job: Job, stem: str, ext: str | None = None) -> Path:
        """Path of a result of a recording."""
        return self.root / self._path(job.track, stem, self.format if ext is None else ext)

    def _claim(self, job: Job, targets: Iterable[Path]) -> None:
        """Check that no other input of this run has written to these paths, before writing."""
        from nmfaudio._common.files.names import file_key

        for target in targets:
            source = self._written_from.setdefault(file_key(str(target)), job.source)
            if source != job.source:
                raise OutputError(
                    f"{printable(str(target))}: was made from {input_name(source)} in this run;"
                    " change --filename"
                )

    def _encoding(self, job: Job, paths: Mapping[str, Path]) -> dict[str, Any]:
        """Keyword arguments of the functions that write the stems at these paths."""
        tags = None
        if self.tags == "keep":
            start = self.preview[0] if self.preview else 0.0
            own = stem_tags(job.content, self.format, list(paths), start)
            tags = dict(zip(paths.values(), own, strict=True))  # components get none
        discard_record(job.record)  # it does not hold for results replaced in part
        return {
            "format": self.format,
            "subtype": self.subtype,
            "clip": self.clip,
            "overwrite": self.overwrite,
            "bitrate": self.mp3_bitrate,
            "tags": tags,
        }

    def _write(self, job: Job, stems: Stems, start: float) -> dict[str, Any]:
        """Write the stems and all extras, and describe them; they begin `start` s into the file."""
        from nmfaudio._common.figures import encode_figure
        from nmfaudio._common.files import write_bytes
        from nmfaudio.audio.io import write_group
        from nmfaudio.cli.results import describe_stems
        from nmfaudio.display import plot_stems

        # What may fail comes before the first file is written.
        names = chosen_names(self.only, list(stems))
        path = partial(self._target, job)
        targets = stem_targets(stems, names, path, components_too=self.components_too)
        self._claim(job, targets)
        picture = encode_figure(plot_stems(stems, start=start).figure) if self.plot else b""
        paths = dict(zip(names, targets, strict=False))  # the stems come first
        written = write_group(targets, stems.sr, **self._encoding(job, paths))
        facts = self._write_extras(job, stems.decomposition, stems.notes)
        plot = path("plot", "png") if self.plot else None
        if plot is not None:
            write_bytes(plot, picture, overwrite=self.overwrite)
        facts |= {"plot": plot} | self._write_report(job, stems, start)
        return describe_stems(stems.mixture, stems, written, names) | facts

    def _write_report(self, job: Job, stems: Stems | SeparatedFile, start: float) -> dict[str, Any]:
        """Write the page of all stems, if it was chosen, and return its paths."""
        if not self.report:
            return {"report": None, "report_files": []}
        page, *sounds = stems.report(
            self._target(job, "report", "html"),
            title=page_title(job.source, self.preview),
            recording=job.source,
            model=str(job.model),
            options=page_options(self.preview, stems.settings),
            start=start,
            overwrite=self.overwrite,
        )
        return {"report": page, "report_files": sounds}

    def _write_extras(
        self, job: Job, model: Decomposition, notes: Sequence[Note]
    ) -> dict[str, Any]:
        """Write the model and the notes, and return their paths."""
        from nmfaudio.symbolic.writing import write_notes

        if job.model is not None:
            model.save(job.model, overwrite=self.overwrite)
        # A recording without hits gets files without notes.
        has_notes = bool(notes) or getattr(self.separator, "hits", False)
        files = [self._target(job, "notes", ext) for ext in _NOTES] if has_notes else []
        for file in files:
            write_notes(file, notes, overwrite=self.overwrite)
        return {"model": job.model, "notes": files}

    def written(self, report: dict[str, Any]) -> Iterable[os.PathLike[str]]:
        """Paths written for one file."""
        for source in report.get("sources", ()):
            if source["path"] is not None:
                yield source["path"]
        yield from report.get("component_paths", ())
        yield from report.get("notes", ())
        yield from report.get("report_files", ())
        extras = ("plot", "model", "report")  # the page last, where it is easily found
        yield from (report[name] for name in extras if report.get(name) is not None)
