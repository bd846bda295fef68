"""Files of notes that `nmfaudio evaluate` compares."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from nmfaudio.cli.failures import printable
from nmfaudio.errors import ContentError

# In this order: tables of others do not mark drums.
_NOTE_SUFFIXES = (".mid", ".midi", ".csv", ".jams")
RESULT = "notes"
"""Name of the files that transcriptions are written to."""


def kind_of(path: str) -> str | None:
    """Return whether a path holds "audio" or "notes", None if it holds both or neither."""
    from nmfaudio._common.files.names import AUDIO_SUFFIXES
    from nmfaudio.metrics.sources import audio_files

    if not os.path.isdir(path):
        suffix = Path(path).suffix.lower()
        kinds = {"notes": _NOTE_SUFFIXES, "audio": AUDIO_SUFFIXES}
        return next((kind for kind, suffixes in kinds.items() if suffix in suffixes), None)
    has_audio, has_notes = bool(audio_files(path)), bool(_note_files(path))
    if has_audio == has_notes:
        return None
    return "audio" if has_audio else "notes"


def audio_parts(
    reference: str, estimate: str, part: tuple[float, float] | None
) -> Iterator[tuple[Path, tuple[float, float] | None]]:
    """Files that a comparison of two files or folders reads, and the part of each in seconds."""
    from nmfaudio.metrics.sources import part_of_estimates

    true, made = _audio_of(reference, estimate), _audio_of(estimate, reference)
    for files, span in ((true, part), (made, part_of_estimates(true, made, part))):
        yield from ((file, span) for file in files.values())


def _audio_of(path: str, other: str) -> dict[str, Path]:
    """Audio files that are read of a path; of a folder beside a file, that of the same name."""
    from nmfaudio.metrics.sources import audio_files

    if not os.path.isdir(path):
        return {Path(path).stem: Path(path)}
    files = audio_files(path)
    if os.path.isdir(other):
        return files
    return {name: file for name, file in files.items() if name == Path(other).stem}


def note_pairs(
    reference: str, estimate: str
) -> tuple[list[tuple[str, Path, Path | None]], list[str]]:
    """Name, true and estimated notes of each piece, and the estimates without a reference."""
    are_folders = [os.path.isdir(path) for path in (reference, estimate)]
    if not all(are_folders):
        true, made = (
            _file_like(path, other) if is_folder else Path(path)
            for path, other, is_folder in zip(
                (reference, estimate), (estimate, reference), are_folders, strict=True
            )
        )
        return [(true.stem, true, made)], []
    references, estimates = _note_files(reference), _note_files(estimate)
    if not references:
        raise ContentError(_without_notes(reference))
    pairs = [(piece, path, estimates.get(piece)) for piece, path in references.items()]
    unmatched = [path for piece, path in estimates.items() if piece not in references]
    return pairs, [str(path.relative_to(estimate)) for path in unmatched]


def _file_like(folder: str, other: str) -> Path:
    """File of notes of a folder: that of the same piece as another, or the only one."""
    files = _note_files(folder)
    if not files:
        raise ContentError(_without_notes(folder))
    for name in (RESULT, Path(other).stem, Path(other).absolute().parent.name):
        if name in files:
            return files[name]
    if len(files) > 1:
        raise ContentError(
            f"{printable(folder)}: has notes of {', '.join(map(printable, files))}, none of "
            f"{printable(Path(other).stem)}; name the file to compare"
        )
    return next(iter(files.values()))


def _without_notes(folder: str) -> str:
    return f"{printable(folder)}: has no {', '.join(_NOTE_SUFFIXES)} files; name a folder that does"


def _note_files(folder: str) -> dict[str, Path]:
    """Files of notes of a folder by their names without suffix.

    A folder in it that has a file called notes, as `nmfaudio transcribe` writes it, is one of them.
    """
    from nmfaudio.metrics.sources import folder_content

    files: dict[str, Path] = {}
    content = folder_content(folder)
    for suffix in _NOTE_SUFFIXES:
        for path in content:
            if path.is_dir() and (notes := path / f"{RESULT}{suffix}").is_file():
                files.setdefault(path.name, notes)
            elif path.suffix.lower() == suffix:
                files.setdefault(path.stem, path)
    return dict(sorted(files.items()))
