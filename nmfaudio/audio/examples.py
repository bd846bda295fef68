"""Sample recordings that ship with the package."""

from __future__ import annotations

from pathlib import Path

from nmfaudio._public import public
from nmfaudio.errors import ParameterError

_PACKAGE = Path(__file__).resolve().parents[1]
# Installed wheels hold the samples as data; in a checkout they are beside the package.
_FOLDERS = (_PACKAGE / "data" / "audio_samples", _PACKAGE.parent / "audio_samples")


@public
def example(name: str, file: str | None = None) -> Path:
    """Path of a sample recording, or of another file that belongs to it.

    The samples ship with the package; nothing is downloaded. Their sources and licences are listed
    in ``LICENSES.md`` in their folder.

    Parameters
    ----------
    name : {"band", "drums", "piano", "real", "trio"}
        Recording.
    file : str, optional
        File or folder of the recording, such as ``"score.mid"``, ``"sources/kick.flac"`` or
        ``"one_shots"``; by default the mixture.

    Returns
    -------
    pathlib.Path
        Existing path.

    Raises
    ------
    ParameterError
        The recording or the file is unknown; the message lists the known ones.

    Examples
    --------
    >>> import nmfaudio as na
    >>> na.example("drums").name
    'mixture.wav'
    >>> y, sr = na.read(na.example("drums", "sources/kick.flac"))
    >>> len(na.read_notes(na.example("trio", "score.mid")))
    120
    """
    samples = _samples_folder()
    mixtures = {path.parent.name: path for path in sorted(samples.glob("*/mixture.*"))}
    if name not in mixtures:
        raise ParameterError(f"unknown sample {name!r}; choose from {', '.join(mixtures)}")
    if file is None:
        return mixtures[name]
    folder = samples / name
    # Looked up among the existing paths, so that no path leads out of the folder.
    paths = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*"))}
    if file not in paths:
        files = ", ".join(key for key, path in paths.items() if path.is_file())
        raise ParameterError(f"sample {name!r} has no file {file!r}; choose from {files}")
    return paths[file]


def sample_files() -> dict[str, Path]:
    """Paths of all sample files, by their path in the folder of the samples."""
    folder = _samples_folder()
    recordings = sorted(path.parent for path in folder.glob("*/mixture.*"))
    files = [path for recording in recordings for path in sorted(recording.rglob("*"))]
    return {
        path.relative_to(folder).as_posix(): path
        for path in (folder / "LICENSES.md", *files)
        if path.is_file()
    }


def _samples_folder() -> Path:
    return next((path for path in _FOLDERS if path.is_dir()), _FOLDERS[0])
