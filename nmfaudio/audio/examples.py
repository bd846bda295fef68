"""Sample recordings that ship with the package."""

from __future__ import annotations

from pathlib import Path

from nmfaudio._public import public
from nmfaudio.errors import ParameterError

_PACKAGE = Path(__file__).resolve().parents[1]
# Installed wheels hold the samples as data; in a checkout they stand beside the package.
_FOLDERS = (_PACKAGE / "data" / "audio_samples", _PACKAGE.parent / "audio_samples")


def _folder() -> Path:
    return next((path for path in _FOLDERS if path.is_dir()), _FOLDERS[0])


@public
def example(name: str, file: str | None = None) -> Path:
    """Locate a sample recording, or another file that belongs to it.

    The samples ship with the package: nothing is downloaded. Their sources and licences are listed
    in ``LICENSES.md`` in their folder.

    Parameters
    ----------
    name : {"band", "drums", "piano", "real", "trio"}
        Recording.
    file : str, optional
        File of the recording, such as ``"score.mid"`` or ``"sources/kick.flac"``; by default the
        mixture.

    Returns
    -------
    pathlib.Path
        Path that `read` and the separators accept.

    Raises
    ------
    ParameterError
        There is no such recording or file.

    Examples
    --------
    >>> import nmfaudio as na
    >>> na.example("drums").name
    'mixture.wav'
    >>> len(na.read_notes(na.example("trio", "score.mid")))
    105
    """
    folder = _folder()
    mixtures = {path.parent.name: path for path in sorted(folder.glob("*/mixture.*"))}
    if name not in mixtures:
        raise ParameterError(f"no sample is named {name!r}; choose from {', '.join(mixtures)}")
    if file is None:
        return mixtures[name]
    path = folder / name / file
    if ".." in Path(file).parts or not path.exists():
        files = sorted(p for p in (folder / name).rglob("*") if p.is_file())
        known = ", ".join(p.relative_to(folder / name).as_posix() for p in files)
        raise ParameterError(f"sample {name!r} has no file {file!r}; choose from {known}")
    return path
