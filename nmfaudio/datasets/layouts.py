"""Layouts of data sets: functions from a folder to its pieces."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

from nmfaudio.datasets import readers
from nmfaudio.datasets.piece import Piece

_AUDIO = (".wav", ".flac", ".mp3", ".ogg")  # in this order


def maps(folder: Path) -> Iterator[Piece]:
    """Yield the pieces of MAPS: ``MAPS_*.wav`` beside ``.mid`` or ``.txt``.

    The MIDI files have velocities and the pedal; the text files end with the keys.
    """
    for path in _found(folder, "MAPS_*.mid"):
        yield _piece(path.stem, {"": path.parent / path.stem}, (path,), readers.midi)
    for path in _found(folder, "MAPS_*.txt"):
        if not path.with_suffix(".mid").exists():
            yield _piece(path.stem, {"": path.parent / path.stem}, (path,), readers.maps)


def maestro(folder: Path) -> Iterator[Piece]:
    """Yield the pieces of MAESTRO: ``.midi`` beside ``.wav``, with the splits of its table."""
    splits: dict[str, str] = {}
    for table in _found(folder, "maestro-v*.csv"):
        with table.open(encoding="utf-8", newline="") as file:
            splits |= {row["midi_filename"]: row["split"] for row in csv.DictReader(file)}
    for path in _found(folder, "*.midi"):
        own = next((s for name, s in splits.items() if path.as_posix().endswith(name)), "")
        yield _piece(path.stem, {"": path.parent / path.stem}, (path,), readers.midi, own)


def smd(folder: Path) -> Iterator[Piece]:
    """Yield the pieces of SMD: ``*-SMD.mid`` with audio beside it or in a folder ``wav_*``."""
    for path in _found(folder, "*-SMD.mid"):
        beside = [path.parent, *sorted(path.parent.parent.glob("wav_*"))]
        sounds = {"" if f == path.parent else f.name: f / path.stem for f in beside}
        yield _piece(path.stem, sounds, (path,), readers.midi)


def guitarset(folder: Path) -> Iterator[Piece]:
    """Yield the pieces of GuitarSet: ``annotation/*.jams`` and folders ``audio_*``."""
    for path in _found(folder, "annotation/*.jams"):
        root = path.parent.parent
        sounds = {
            name: root / f"audio_{place}" / f"{path.stem}_{suffix}"
            for name, place, suffix in (
                ("mic", "mono-mic", "mic"),
                ("mix", "mono-pickup_mix", "mix"),
                ("hex", "hex-pickup_debleeded", "hex_cln"),
                ("hex_original", "hex-pickup_original", "hex"),
            )
        }
        yield _piece(path.stem, sounds, (path,), readers.jams)


def slakh(folder: Path) -> Iterator[Piece]:
    """Yield the pieces of Slakh: ``Track*/all_src.mid`` beside ``mix``."""
    for path in _found(folder, "Track*/all_src.mid"):
        track = path.parent
        split = "" if track.parent == folder else track.parent.name
        yield _piece(track.name, {"": track / "mix"}, (path,), readers.midi, split)


def musicnet(folder: Path) -> Iterator[Piece]:
    """Yield the pieces of MusicNet: ``train_labels/*.csv`` with ``train_data``, and ``test``."""
    for split in ("train", "test"):
        for path in _found(folder, f"{split}_labels/*.csv"):
            sound = path.parent.parent / f"{split}_data" / path.stem
            yield _piece(path.stem, {"": sound}, (path,), readers.musicnet, split)


def urmp(folder: Path) -> Iterator[Piece]:
    """Yield the pieces of URMP: ``AuMix_*.wav`` beside ``Notes_*.txt`` of each player."""
    for path in _found(folder, "AuMix_*.wav"):
        notes = tuple(sorted(path.parent.glob("Notes_*.txt")))
        if notes:
            sounds = {"": path.parent / path.stem}
            sounds |= {p.stem: p.parent / p.stem for p in sorted(path.parent.glob("AuSep_*.wav"))}
            yield _piece(path.stem.removeprefix("AuMix_"), sounds, notes, readers.urmp)


def bach10(folder: Path) -> Iterator[Piece]:
    """Yield the pieces of Bach10: ``*-GTNotes.mat`` beside ``.wav`` of all and of each part."""
    for path in _found(folder, "*-GTNotes.mat"):
        base = path.with_name(path.name.removesuffix("-GTNotes.mat"))
        sounds = {"": base}
        for part in ("violin", "clarinet", "saxphone", "bassoon"):  # as the files are spelled
            sounds[part.replace("xp", "xop")] = base.with_name(f"{base.name}-{part}")
        yield _piece(base.name, sounds, (path,), readers.bach10)


def enst(folder: Path) -> Iterator[Piece]:
    """Yield the pieces of ENST-Drums: ``drummer_*/annotation/*.txt``, ``audio/wet_mix``."""
    for path in _found(folder, "drummer_*/annotation/*.txt"):
        drummer = path.parent.parent
        sounds = {
            name: drummer / "audio" / name / path.stem
            for name in ("wet_mix", "dry_mix", "accompaniment")
        }
        yield _piece(f"{drummer.name}/{path.stem}", sounds, (path,), readers.hits)


def idmt_drums(folder: Path) -> Iterator[Piece]:
    """Yield the pieces of IDMT-SMT-Drums: ``annotation_xml/*MIX.xml`` and ``audio``."""
    for path in _found(folder, "annotation_xml/*.xml"):
        sound = path.parent.parent / "audio" / path.stem
        yield _piece(path.stem, {"": sound}, (path,), readers.idmt)


def mdb_drums(folder: Path) -> Iterator[Piece]:
    """Yield the pieces of MDB Drums: ``annotations/subclass`` and ``audio/drum_only``."""
    for path in _found(folder, "annotations/subclass/*_subclass.txt"):
        root, name = path.parents[2], path.stem.removesuffix("_subclass")
        sounds = {
            "drum_only": root / "audio" / "drum_only" / f"{name}_Drum",
            "full_mix": root / "audio" / "full_mix" / f"{name}_MIX",
        }
        yield _piece(name, sounds, (path,), readers.hits)


def pairs(folder: Path) -> Iterator[Piece]:
    """Yield pieces of any kind: a MIDI file or table beside audio of the same name."""
    for suffix in ("mid", "midi", "csv"):
        for path in _found(folder, f"*.{suffix}"):
            sounds = {"": path.parent / path.stem}
            name = path.relative_to(folder).with_suffix("").as_posix()
            if _sounds(sounds):  # other files may be anything
                yield _piece(name, sounds, (path,), readers.midi)


LAYOUTS: dict[str, Callable[[Path], Iterator[Piece]]] = {
    "maps": maps,
    "smd": smd,
    "guitarset": guitarset,
    "slakh": slakh,
    "musicnet": musicnet,
    "urmp": urmp,
    "bach10": bach10,
    "enst": enst,
    "idmt_drums": idmt_drums,
    "mdb_drums": mdb_drums,
    "maestro": maestro,
    "pairs": pairs,
}
"""Layouts by name, in the order in which they are tried."""


def _found(folder: Path, pattern: str) -> list[Path]:
    """Files of a pattern in a folder and below, without hidden ones."""
    return sorted(p for p in folder.rglob(pattern) if not p.name.startswith("."))


def _piece(
    name: str,
    sounds: dict[str, Path],
    notes: tuple[Path, ...],
    reader: readers.Reader,
    split: str = "",
) -> Piece:
    """Piece with those recordings that exist; there may be none."""
    return Piece(name, _sounds(sounds), notes, split, reader)


def _sounds(paths: dict[str, Path]) -> dict[str, Path]:
    """Audio files, from paths without suffixes."""
    found = {}
    for name, path in paths.items():
        candidates = (path.with_name(path.name + suffix) for suffix in _AUDIO)
        sound = next((candidate for candidate in candidates if candidate.is_file()), None)
        if sound is not None:
            found[name or "mix"] = sound
    return found
