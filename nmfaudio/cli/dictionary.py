"""`nmfaudio dictionary`: contents, union and export of dictionaries."""

from __future__ import annotations

import csv
import io
import os
import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nmfaudio._common.memory import PROCESS
from nmfaudio._common.options import option, switch
from nmfaudio._common.similar_names import nearest
from nmfaudio.cli.command import Command
from nmfaudio.cli.dictionary_facts import (
    describe_dictionary,
    describe_instrument,
    dictionary_lines,
    instrument_table,
    summarise,
)
from nmfaudio.cli.failures import joint_code, printable, report_failure
from nmfaudio.cli.memory import check_memory
from nmfaudio.cli.output import emit, emit_path
from nmfaudio.cli.parser import OUTPUT
from nmfaudio.errors import ParameterError

# Slow imports are inside the functions that need them, so that --help is fast.
if TYPE_CHECKING:
    from nmfaudio.dictionaries.dictionary import Dictionary

_CSV_BYTES = 60  # of the text of a value, in the copies that are made of it
_ACTIONS = ("list", "info", "merge", "export")


@dataclass(frozen=True, kw_only=True)
class DictionaryCommand(Command):
    """``nmfaudio dictionary``."""

    operands = "{list,info,merge,export} DICTIONARY.npz..."
    epilog = """\
actions:
  list    show the instruments that ship with nmfaudio, whose names may be given
          in place of files: info guitar
  info    show the contents of dictionaries
  merge   join several with the same settings: merge a.npz b.npz -o all.npz
  export  write one to a folder: templates.csv, and LABEL.wav with its templates
          as sound, one after the other: export songs.npz -o songs/

list and info write their facts to stdout, merge and export the paths written.
"""

    output: str | None = option(
        None, "the file of merge, the folder of export", short="-o", metavar="OUTPUT", group=OUTPUT
    )
    overwrite: bool = switch("replace results that exist (default: refuse)", group=OUTPUT)
    plot: bool = switch("also export templates.png; needs matplotlib", group=OUTPUT)

    def run(self) -> int:
        """Run the action that comes first among the arguments."""
        choices = ", ".join(_ACTIONS)
        if not self.files:
            raise ParameterError(f"no action given; choose from {choices}")
        action, *sources = self.files
        if action not in _ACTIONS:
            hint = nearest(action, _ACTIONS) or f"; choose from {choices}"
            raise ParameterError(f"unknown action {printable(action)!r}{hint}")
        if action == "list":
            return self._list(sources)
        if not sources:
            raise ParameterError(f"no dictionary given: nmfaudio dictionary {action} songs.npz")
        if action == "info":
            if self.output is not None:
                raise ParameterError("info writes no file; leave out -o")
            return self._info(sources)
        if self.output is None:
            raise ParameterError(f"{action} needs -o OUTPUT; see nmfaudio dictionary --help")
        if action == "merge":
            return self._merge(sources, Path(self.output))
        if len(sources) > 1:
            raise ParameterError(f"export takes one dictionary, got {len(sources)}; merge them")
        return self._export(sources[0], Path(self.output))

    def _list(self, sources: list[str]) -> int:
        from nmfaudio.dictionaries.shipped_instruments import instruments

        if sources or self.output is not None:
            raise ParameterError("list takes no files; use info to show the contents of one")
        if self.json:
            shipped = list(map(describe_instrument, instruments()))
            self.emit_result(0, {"instruments": shipped}, action="list")
        else:
            emit(instrument_table(instruments()))
        return 0

    def _info(self, sources: list[str]) -> int:
        reports = []
        for source in sources:
            report: dict[str, Any] = {"input": source, "exit_code": 0}
            reports.append(report)
            with report_failure(report, printable(source), debug=self.debug):
                dictionary = _load(source)
                report |= describe_dictionary(dictionary)
                if not self.json:
                    lines = [f"  {name:<11}{text}" for name, text in dictionary_lines(dictionary)]
                    emit("".join(f"{line}\n" for line in [printable(source), *lines]))
        code = joint_code(report["exit_code"] for report in reports)
        if self.json:
            self.emit_result(code, {"files": reports}, action="info")
        return code

    def _merge(self, sources: list[str], path: Path) -> int:
        from nmfaudio.dictionaries.dictionary import Dictionary

        parts = list(map(_load, sources))
        if len(set(map(type, parts))) > 1:  # notes and other sounds
            names = [field.name for field in fields(Dictionary)]
            parts = [Dictionary(**{name: getattr(part, name) for name in names}) for part in parts]
        merged = parts[0].merge(*parts[1:])
        merged.save(path, overwrite=self.overwrite)
        print(f"{printable(str(path))}: {summarise(merged)}", file=sys.stderr)
        if self.json:
            self.emit_result(0, {"path": path} | describe_dictionary(merged), action="merge")
        else:
            emit_path(path)
        return 0

    def _export(self, source: str, folder: Path) -> int:
        from nmfaudio._common.files import check_targets, distinct_names
        from nmfaudio._common.files.staging import transaction, write_group_of_bytes
        from nmfaudio.audio.io import write_group
        from nmfaudio.dictionaries.sonification import sonification_memory, sonify_dictionary

        dictionary = _load(source)
        check_memory(
            PROCESS + sonification_memory(dictionary) + _CSV_BYTES * dictionary.templates.size,
            advice="export a dictionary with fewer or shorter templates",
        )
        files = distinct_names(dictionary.names)
        sounds = {
            folder / f"{file}.wav": name for file, name in zip(files, dictionary.names, strict=True)
        }
        tables = {folder / "templates.csv": _csv(dictionary).encode("utf-8", "surrogateescape")}
        if self.plot:
            tables[folder / "templates.png"] = _picture(dictionary)
        paths = [*tables, *sounds]
        check_targets(paths, overwrite=self.overwrite)
        with transaction():
            write_group(
                {path: sonify_dictionary(dictionary, name) for path, name in sounds.items()},
                dictionary.transform.sr,
                format="wav",
                overwrite=self.overwrite,
            )
            write_group_of_bytes(tables, overwrite=self.overwrite)
        if self.json:
            self.emit_result(0, {"paths": paths}, action="export")
        else:
            for path in paths:
                emit_path(path)
        return 0


def _load(source: str) -> Dictionary:
    """Load a dictionary, as one of notes if all of its components have a pitch."""
    from nmfaudio.dictionaries.dictionary import Dictionary
    from nmfaudio.dictionaries.named_notes import is_shipped, load_notes
    from nmfaudio.dictionaries.note_dictionary import NoteDictionary

    if is_shipped(source) or not os.path.exists(source):
        return load_notes(source)  # which names the instruments that ship
    dictionary = Dictionary.load(source)
    return dictionary if None in dictionary.pitches else NoteDictionary.load(source)


def _csv(dictionary: Dictionary) -> str:
    """One row for each lag of each component: label, pitch, and the value at each frequency."""
    # With one lag there is no axis for it: (lag, frequency, component) in any case.
    templates = dictionary.templates if dictionary.lags > 1 else dictionary.templates[None]
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    frequencies = [f"{f:g}" for f in dictionary.transform.frequencies]
    rows.writerow(["component", "label", "pitch", "lag", *frequencies])
    components = zip(dictionary.labels, dictionary.pitches, strict=True)
    for k, (label, pitch) in enumerate(components):
        number = "" if pitch is None else f"{pitch:g}"
        for lag, template in enumerate(templates[..., k]):
            rows.writerow([k, label, number, lag, *(f"{x:.6g}" for x in template)])
    return text.getvalue()


def _picture(dictionary: Dictionary) -> bytes:
    from nmfaudio._common.figures import encode_figure

    return encode_figure(dictionary.plot().figure)
