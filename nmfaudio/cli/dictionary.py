"""`nmfaudio dictionary`: what was learned, looked into, merged and written out."""

from __future__ import annotations

import argparse
import csv
import io
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nmfaudio._version import __version__
from nmfaudio.cli.commands import OTHERS
from nmfaudio.cli.failures import complain, describe, exit_code, joint_code, printable
from nmfaudio.cli.learn import describe_dictionary, summary
from nmfaudio.cli.learn_notes import describe_notes
from nmfaudio.cli.output import emit, emit_json, emit_path
from nmfaudio.cli.parser import Parser, add_common_options, nearest, parse, sentence
from nmfaudio.errors import ParameterError

if TYPE_CHECKING:
    from nmfaudio.dictionaries.dictionary import Dictionary

_NAMED = 4  # examples of a label, before there are only more
_USAGE = "nmfaudio dictionary {info,merge,export} DICTIONARY.npz... [options]"
_EXAMPLES = """\
  info    say what dictionaries hold
  merge   put several, learned alike, into one: merge a.npz b.npz -o all.npz
  export  write one to a folder: templates.csv, and LABEL.wav, in which its
          templates are heard one after the other: export songs.npz -o songs/

info has its facts on stdout, merge and export the paths written.
"""


def run_dictionary(argv: list[str]) -> int:
    """Run ``nmfaudio dictionary``, and return its exit code."""
    chosen = parse(_parser(), argv)
    if not chosen.files:
        raise ParameterError(f"what to do was not said: {_USAGE}")
    action, *chosen.files = chosen.files
    if action not in _ACTIONS:
        hint = nearest(action, list(_ACTIONS)) or f"; there are: {', '.join(_ACTIONS)}"
        raise ParameterError(f"there is no dictionary {printable(action)}{hint}")
    if not chosen.files:
        raise ParameterError(f"no dictionary was named: nmfaudio dictionary {action} songs.npz")
    if (chosen.output is None) != (action == "info"):
        raise ParameterError(
            "info writes no file; leave -o out"
            if action == "info"
            else f"{action} needs -o, which says where to write; see nmfaudio dictionary --help"
        )
    return _ACTIONS[action](chosen)


def _info(chosen: argparse.Namespace) -> int:
    reports = []
    for source in chosen.files:
        report: dict[str, Any] = {"input": source, "exit_code": 0}
        reports.append(report)
        try:
            found = _load(source)
        except Exception as error:
            about = printable(source)
            complain(error, about, debug=chosen.debug)
            report |= {"exit_code": exit_code(error), "error": describe(error, about)}
            continue
        report |= describe_dictionary(found)
        if not chosen.json:
            lines = [printable(source), *(f"  {name:<11}{text}" for name, text in _facts(found))]
            emit("".join(f"{line}\n" for line in lines))
    code = joint_code(report["exit_code"] for report in reports)
    if chosen.json:
        _emit(code, "info", {"files": reports})
    return code


def _merge(chosen: argparse.Namespace) -> int:
    from nmfaudio.dictionaries.dictionary import Dictionary

    known = list(map(_load, chosen.files))
    if len({type(one) for one in known}) > 1:  # notes among other sounds
        known = list(map(Dictionary.load, chosen.files))
    first, *others = known
    merged = first.merge(*others)
    path = Path(chosen.output)
    merged.save(path, overwrite=chosen.overwrite)
    print(f"{printable(str(path))}: {summary(merged)}", file=sys.stderr)
    if chosen.json:
        _emit(0, "merge", {"path": path} | describe_dictionary(merged))
    else:
        emit_path(path)
    return 0


def _export(chosen: argparse.Namespace) -> int:
    from nmfaudio._common.files import check_targets, safe_name
    from nmfaudio._common.files.staging import staged
    from nmfaudio.audio.io import write_group
    from nmfaudio.dictionaries.sonification import sonify_dictionary

    if len(chosen.files) > 1:
        raise ParameterError(f"export takes one dictionary, got {len(chosen.files)}; merge them")
    known = _load(chosen.files[0])
    folder = Path(chosen.output)
    sounds = {folder / f"{safe_name(name)}.wav": name for name in known.names}
    others = {folder / "templates.csv": _csv(known).encode("utf-8", "surrogateescape")}
    if chosen.picture:
        others[folder / "templates.png"] = _picture(known)
    check_targets([*others, *sounds], overwrite=chosen.overwrite)
    write_group(
        {path: sonify_dictionary(known, name) for path, name in sounds.items()},
        known.transform.sr,
        format="wav",
        overwrite=chosen.overwrite,
    )
    with staged(list(others), overwrite=chosen.overwrite) as names:
        for path, content in others.items():
            names[path].write_bytes(content)
    paths = [*others, *sounds]
    if chosen.json:
        _emit(0, "export", {"paths": paths})
    else:
        for path in paths:
            emit_path(path)
    return 0


_ACTIONS = {"info": _info, "merge": _merge, "export": _export}


def _load(source: str) -> Dictionary:
    """A dictionary, as one of notes where all its components have a pitch."""
    from nmfaudio.dictionaries.dictionary import Dictionary
    from nmfaudio.dictionaries.note_dictionary import NoteDictionary

    known = Dictionary.load(source)
    return known if None in known.pitches else NoteDictionary.load(source)


def _emit(code: int, action: str, facts: dict[str, Any]) -> None:
    head = {"nmfaudio": __version__, "command": f"dictionary {action}", "exit_code": code}
    emit_json(head | facts)


def _facts(found: Dictionary) -> Iterator[tuple[str, str]]:
    yield "holds", summary(found)
    fields = found.transform.to_dict()
    yield "transform", ", ".join(f"{name} {value}" for name, value in fields.items())
    pitches = sorted({pitch for pitch in found.pitches if pitch is not None})
    if pitches:
        yield "pitches", f"{len(pitches)} from {pitches[0]:g} to {pitches[-1]:g} (MIDI)"
    yield from _note_facts(describe_notes(found))
    yield "beta", f"{found.beta:g}"
    origins = [origin for origin in _origins(found.metadata) if origin[0] in found.names]
    for label, names in sorted(origins, key=lambda origin: found.names.index(origin[0])):
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        yield "from", printable(f"{label}: {', '.join(map(str, names[:_NAMED]))}") + more


def _note_facts(facts: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if stages := facts.get("stages"):
        yield "stages", ", ".join(f"{name} {count}" for name, count in stages.items())
    if velocities := facts.get("velocities"):
        yield (
            "velocities",
            ", ".join(f"{velocity:.2g}" for velocity in velocities[:_NAMED])
            + (f" and {len(velocities) - _NAMED} more" if len(velocities) > _NAMED else ""),
        )


def _origins(about: Mapping[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    """Labels and the names of their examples, as `learn` notes them, also of what was merged."""
    match about:
        case {"examples": dict(examples)}:
            for label, names in examples.items():
                if isinstance(names, list):
                    yield label, names
        case {"merged": list(several)}:
            for one in several:
                if isinstance(one, dict):
                    yield from _origins(one)


def _csv(known: Dictionary) -> str:
    """One row for each frame of each component: what it is, then its value at each frequency."""
    stretches = known.templates if known.lags > 1 else known.templates[None]
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    frequencies = [f"{f:g}" for f in known.transform.frequencies]
    rows.writerow(["component", "label", "pitch", "lag", *frequencies])
    for k, (label, pitch) in enumerate(zip(known.labels, known.pitches, strict=True)):
        number = "" if pitch is None else f"{pitch:g}"
        for lag, template in enumerate(stretches[..., k]):
            rows.writerow([k, label, number, lag, *(f"{x:.6g}" for x in template)])
    return text.getvalue()


def _picture(known: Dictionary) -> bytes:
    from nmfaudio.display.plots import plot_dictionary

    drawn = io.BytesIO()
    plot_dictionary(known).savefig(drawn, format="png")
    return drawn.getvalue()


def _parser() -> Parser:
    parser = Parser(
        prog="nmfaudio dictionary",
        usage=_USAGE,
        description=sentence(OTHERS["dictionary"][1]) + ".\n",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    group = parser.add_argument_group("what to write")
    group.add_argument(
        "-o", "--output", metavar="OUTPUT", help="the file of merge, the folder of export"
    )
    group.add_argument("--overwrite", action="store_true", help="replace it (default: refuse)")
    group.add_argument(
        "--picture", action="store_true", help="export templates.png too; needs nmfaudio[plot]"
    )
    add_common_options(parser)
    return parser
