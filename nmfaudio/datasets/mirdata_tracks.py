"""Pieces of data sets that the package mirdata has indexed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from nmfaudio.datasets import readers
from nmfaudio.datasets.piece import Piece
from nmfaudio.errors import AudioFileError, ContentError
from nmfaudio.symbolic.conversion import as_notes
from nmfaudio.symbolic.note import Note

_NOTES = ("notes_all", "notes", "notes_a1", "midi")  # attributes of tracks, the best first
_USUAL = ("audio_path", "audio_mic_path")  # recordings that come before others


@runtime_checkable
class HasTracks(Protocol):
    """Data set of mirdata, as ``mirdata.initialize`` returns it."""

    name: str

    def load_tracks(self) -> Mapping[str, Any]:
        """Return tracks by their ids."""


def track_pieces(dataset: HasTracks) -> list[Piece]:
    """Return the tracks of a data set of mirdata as pieces.

    Parameters
    ----------
    dataset : HasTracks
        Data set of mirdata.

    Returns
    -------
    list of Piece
        Recordings are the files of ``audio_path``, ``audio_*_path``; notes those of ``notes_all``,
        ``notes``, ``notes_a1`` (the first annotator) or ``midi``.

    Raises
    ------
    AudioFileError
        The index or the metadata are not on disk.
    ContentError
        The data set has no tracks, or its tracks have no notes.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> class Track:
    ...     audio_path, midi_path = "waltz.wav", "waltz.mid"
    ...     notes = [Note(0.0, 1.0, 60)]
    >>> archive = SimpleNamespace(name="archive", load_tracks=lambda: {"waltz": Track()})
    >>> track_pieces(archive)[0].notes
    [Note(onset=0.0, offset=1.0, pitch=60, velocity=0.8, track='', program=0, channel=0)]
    """
    try:
        tracks = dataset.load_tracks()
    except (AttributeError, NotImplementedError) as error:  # multitracks alone
        raise ContentError(f"{dataset.name}: {error}; choose a data set with tracks") from None
    except OSError as error:
        raise AudioFileError(f"{dataset.name}: {error}") from None
    if not tracks:
        raise ContentError(f"{dataset.name}: has no tracks; choose a data set with tracks")
    return [_piece(dataset.name, name, track) for name, track in tracks.items()]


def _piece(dataset: str, name: str, track: Any) -> Piece:
    """Piece of a track, whose notes are read when they are used."""
    source = next((each for each in _NOTES if hasattr(type(track), each)), None)
    if source is None:
        raise ContentError(f"{dataset}: its tracks have no notes; choose a data set that has")
    paths = {
        key: Path(value) for key, value in vars(track).items() if key.endswith("_path") and value
    }
    sounds = sorted((key for key in paths if key.startswith("audio_")), key=_is_other)
    files = tuple(path for key, path in paths.items() if key not in sounds)

    @readers.reader
    def read(_: Path) -> Iterator[Note]:
        yield from as_notes(getattr(track, source))

    return Piece(
        name,
        {_recording(key): paths[key] for key in sounds if paths[key].is_file()},
        files,
        _split(dataset, track),
        lambda _: read((Path(dataset, name),)),  # errors name the track
    )


def _is_other(key: str) -> bool:
    return key not in _USUAL


def _recording(key: str) -> str:
    """Name of a recording from that of its attribute: ``audio_mic_path`` is ``mic``."""
    return key.removeprefix("audio").removesuffix("path").strip("_") or "mix"


def _split(dataset: str, track: Any) -> str:
    try:
        return getattr(track, "split", None) or ""
    except OSError as error:  # of the metadata
        raise AudioFileError(f"{dataset}: {error}") from None
