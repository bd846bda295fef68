"""Facts about a dictionary, as text and for JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nmfaudio.cli.failures import printable

if TYPE_CHECKING:
    from nmfaudio.dictionaries.dictionary import Dictionary
    from nmfaudio.dictionaries.shipped_instruments import Instrument

_SHOWN = 4  # entries of a list that are shown; further ones are counted


def summarise(dictionary: Dictionary) -> str:
    """Summarise a dictionary in one line."""
    return repr(dictionary).removeprefix(f"{type(dictionary).__name__}(").removesuffix(")")


def describe_dictionary(dictionary: Dictionary) -> dict[str, Any]:
    """Properties of a dictionary, for the output of ``--json``."""
    return {
        "labels": {name: dictionary.labels.count(name) for name in dictionary.names},
        "kind": dictionary.kind,
        "components": dictionary.n_components,
        "lags": dictionary.lags,
        "frequencies": dictionary.templates.shape[-2],
        "dtype": dictionary.templates.dtype.name,
        "pitches": sorted({pitch for pitch in dictionary.pitches if pitch is not None}),
        "beta": dictionary.beta_loss,
        "transform": dictionary.transform.to_dict(),
        "metadata": dict(dictionary.metadata),
    } | _describe_notes(dictionary)


def dictionary_lines(dictionary: Dictionary) -> Iterator[tuple[str, str]]:
    """Facts about a dictionary as pairs of a heading and a text."""
    yield "holds", summarise(dictionary)
    fields = dictionary.transform.to_dict()
    yield "transform", ", ".join(f"{name} {value}" for name, value in fields.items())
    pitches = sorted({pitch for pitch in dictionary.pitches if pitch is not None})
    if pitches:
        yield "pitches", f"{len(pitches)} from {pitches[0]:g} to {pitches[-1]:g} (MIDI)"
    facts = _describe_notes(dictionary)
    if stages := facts.get("stages"):
        yield "stages", ", ".join(f"{name} {count}" for name, count in stages.items())
    if velocities := facts.get("velocities"):
        yield "velocities", _shorten([f"{velocity:.2g}" for velocity in velocities])
    yield "beta", f"{dictionary.beta_loss:g}"
    names = dictionary.names
    origins = [origin for origin in _origins(dictionary.metadata) if origin[0] in names]
    for label, sources in sorted(origins, key=lambda origin: names.index(origin[0])):
        yield "from", printable(f"{label}: {_shorten(list(map(str, sources)))}")


def describe_instrument(instrument: Instrument) -> dict[str, Any]:
    """Properties of an instrument that ships, for the output of ``--json``."""
    fields = ("name", "program", "low", "high", "licence", "size")
    return {name: getattr(instrument, name) for name in fields}


def instrument_table(instruments: Sequence[Instrument]) -> str:
    """Table of the instruments that ship."""
    from nmfaudio.symbolic.names import PROGRAMS, pitch_name

    rows = [("NAME", "PITCHES", "SIZE", "LICENCE", "MIDI PROGRAM")]
    for each in instruments:
        pitches = f"{pitch_name(each.low)} to {pitch_name(each.high)}"
        size = f"{each.size / 1000:.0f} kB" if each.size else "-"
        program = f"{each.program} {PROGRAMS[each.program]}"
        rows.append((each.joined_name, pitches, size, each.licence, program))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    return "".join(f"{line}\n" for line in lines)


def _describe_notes(dictionary: Dictionary) -> dict[str, Any]:
    """Velocities and stages of notes; empty if the dictionary has none."""
    from nmfaudio.dictionaries.note_dictionary import NoteDictionary

    if not isinstance(dictionary, NoteDictionary):
        return {}
    stages = [stage for stage in dictionary.stages if stage is not None]
    return {
        "stages": {stage: stages.count(stage) for stage in dict.fromkeys(stages)},
        "velocities": sorted({v for v in dictionary.velocities if v is not None}),
    }


def _shorten(texts: list[str]) -> str:
    more = f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return ", ".join(texts[:_SHOWN]) + more


def _origins(metadata: Mapping[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    """Labels and names of their recordings, as `learn` stores them, also of merged dictionaries."""
    match metadata:
        case {"examples": dict(examples)}:
            for label, names in examples.items():
                if isinstance(names, list):
                    yield label, names
        case {"merged": list(parts)}:
            for part in parts:
                if isinstance(part, dict):
                    yield from _origins(part)
