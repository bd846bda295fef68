"""Files of two folders that `nmfaudio evaluate` compares."""

from __future__ import annotations

import os
from pathlib import Path

from nmfaudio.cli.failures import printable
from nmfaudio.errors import AudioFileError, ContentError, ParameterError

AUDIO_SUFFIXES = (
    *(".wav", ".wave", ".rf64", ".w64", ".flac", ".aif", ".aiff", ".caf", ".au", ".snd"),
    *(".ogg", ".oga", ".opus", ".mp3"),
)
_NOTE_SUFFIXES = (".mid", ".midi", ".csv")  # in this order: tables do not mark drums


def audio_files(folder: str) -> dict[str, Path]:
    """Audio files of a folder by their names without suffix."""
    name = printable(folder)
    files: dict[str, Path] = {}
    for path in _content(folder):
        if path.name.startswith(".") or path.suffix.lower() not in AUDIO_SUFFIXES:
            continue
        if path.stem in files:
            raise ContentError(
                f"{name}: {printable(path.name)} and {printable(files[path.stem].name)} have the "
                "same name; move one of them away"
            )
        files[path.stem] = path
    if not files:
        raise ContentError(f"{name}: has no audio files; name a folder that does")
    return files


def note_pairs(
    reference: str, estimate: str
) -> tuple[list[tuple[str, Path, Path | None]], list[str]]:
    """Name, true and estimated notes of each piece, and the estimates without a reference."""
    are_folders = [os.path.isdir(path) for path in (reference, estimate)]
    if not any(are_folders):
        return [(Path(reference).stem, Path(reference), Path(estimate))], []
    if not all(are_folders):
        raise ParameterError(
            f"{printable(reference)} and {printable(estimate)}: one is a folder and one is not; "
            "give two files or two folders"
        )
    references, estimates = _note_files(reference), _note_files(estimate)
    if not references:
        raise ContentError(
            f"{printable(reference)}: has no {', '.join(_NOTE_SUFFIXES)} files; name a folder that"
            " does"
        )
    pairs = [(piece, path, estimates.get(piece)) for piece, path in references.items()]
    unmatched = [path for piece, path in estimates.items() if piece not in references]
    return pairs, [str(path.relative_to(estimate)) for path in unmatched]


def _note_files(folder: str) -> dict[str, Path]:
    """Files of notes of a folder by their names without suffix.

    A folder in it that has a file called notes, as `nmfaudio transcribe` writes it, is one of them.
    """
    content = [path for path in _content(folder) if not path.name.startswith(".")]
    files: dict[str, Path] = {}
    for suffix in _NOTE_SUFFIXES:
        for path in content:
            if path.is_dir() and (notes := path / f"notes{suffix}").is_file():
                files.setdefault(path.name, notes)
            elif path.suffix.lower() == suffix:
                files.setdefault(path.stem, path)
    return dict(sorted(files.items()))


def _content(folder: str) -> list[Path]:
    try:
        return sorted(Path(folder).iterdir())
    except OSError as error:
        hint = "; name the folder that it is in" if isinstance(error, NotADirectoryError) else ""
        raise AudioFileError(f"{printable(folder)}: {error.strerror}{hint}") from None
