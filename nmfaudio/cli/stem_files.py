"""Stems chosen by ``--only``, and the files and tags of stems."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nmfaudio.cli.failures import printable
from nmfaudio.errors import AudioWarning, OutputError, ParameterError

if TYPE_CHECKING:
    import numpy as np

    from nmfaudio._common.files.sources import Source
    from nmfaudio.stems.stems import Stems


COMPONENTS = "components"
"""Folder of components, beside the stems."""


def check_encoding(format: str, mp3_bitrate: int | None, *, keep_tags: bool) -> None:
    """Check options that not every format has.

    Parameters
    ----------
    format : str
        Format of the stems.
    mp3_bitrate : int or None
        Value of ``--mp3-bitrate`` in kbit/s.
    keep_tags : bool
        Whether tags are to be written.

    Raises
    ------
    ParameterError
        The format does not have the bitrate, or has no tags.
    """
    from nmfaudio.audio.io.formats import FORMATS, mp3_bitrates
    from nmfaudio.audio.io.tags import held_tags

    if mp3_bitrate is not None:
        if format != "mp3":
            raise ParameterError(f"--mp3-bitrate is for mp3, got {format}; add --format mp3")
        if mp3_bitrate not in mp3_bitrates():
            rates = ", ".join(map(str, mp3_bitrates()))
            raise ParameterError(f"--mp3-bitrate {mp3_bitrate}: choose from {rates}")
    if keep_tags and not held_tags(format):
        formats = ", ".join(name for name in FORMATS if held_tags(name))
        raise ParameterError(f"--tags keep: {format} holds no tags; choose a --format of {formats}")


def chosen_names(only: Sequence[str], names: Sequence[str]) -> list[str]:
    """Return the names of the stems to write, in the order of the stems.

    Parameters
    ----------
    only : sequence of str
        Names, or several in one text separated by commas; empty for all.
    names : sequence of str
        Names of all stems.

    Returns
    -------
    list of str

    Raises
    ------
    ParameterError
        A name is not that of a stem.
    """
    chosen: set[str] = set()
    for text in only:
        # A name may itself have a comma.
        chosen |= {text} if text in names else {name.strip() for name in text.split(",")}
    for name in sorted(chosen):
        if name not in names:
            known = printable(", ".join(names))
            raise ParameterError(f"--only {printable(name)}: no such stem; choose from {known}")
    return [name for name in names if name in chosen or not only]


def stem_paths(
    stems: Iterable[str], names: Sequence[str], path: Callable[[str], Path]
) -> dict[str, Path]:
    """Paths of stems.

    Parameters
    ----------
    stems : iterable of str
        Names of all stems, so that a choice does not change the name of a file.
    names : sequence of str
        Names of the stems to write.
    path : callable
        Maps a safe file name to the path of a stem.

    Returns
    -------
    dict of str to Path
    """
    from nmfaudio._common.files import distinct_names

    stems = list(stems)
    files = dict(zip(stems, distinct_names(stems), strict=True))
    return {name: path(files[name]) for name in names}


def stem_targets(
    stems: Stems, names: Sequence[str], path: Callable[[str], Path], *, components_too: bool
) -> dict[Path, np.ndarray]:
    """Paths of stems, and then of their components, with the samples.

    Parameters
    ----------
    stems : Stems
    names : sequence of str
        Names of the stems to write.
    path : callable
        Maps a safe file name to the path of a stem.
    components_too : bool
        Whether to write the components of these stems, to a folder beside them.

    Returns
    -------
    dict of Path to np.ndarray [shape=(channel, sample)]

    Raises
    ------
    OutputError
        Two of them have the same path.
    """
    from nmfaudio._common.files import distinct_names
    from nmfaudio._common.files.names import file_key

    pairs = [(file, stems[name]) for name, file in stem_paths(stems, names, path).items()]
    if components_too:
        own = {f"{name}-{k}" for name in names for k in stems.groups[name].components}
        parts = dict(stems.components())
        for file, (name, audio) in zip(distinct_names(parts), parts.items(), strict=True):
            if name in own:
                target = path(file)
                pairs.append((target.parent / COMPONENTS / target.name, audio))
    targets = dict(pairs)
    if len({file_key(str(target)) for target in targets}) < len(pairs):
        raise OutputError("two stems would have the same file; rename one, or change --filename")
    return targets


def stem_tags(
    source: Source, format: str, names: Sequence[str], start: float
) -> list[dict[str, str]]:
    """Tags of a recording for each of its stems, whose names are added to the title.

    Parameters
    ----------
    source : path or binary file object
        File of the recording.
    format : str
        Format of the stems.
    names : sequence of str
        Names of the stems.
    start : float
        Seconds of the recording before the stems begin, by which its time stamp and markers move.

    Returns
    -------
    list of dict
        Tags of each stem.

    Warns
    -----
    AudioWarning
        The format cannot hold some of the tags, or a picture is too large.
    """
    from nmfaudio.audio.io.extra_tags import excerpt_tags
    from nmfaudio.audio.io.inspecting import read_header
    from nmfaudio.audio.io.tags import held_tags, read_tags

    tags = read_tags(source)
    if start:
        tags = excerpt_tags(tags, round(start * read_header(source).sr))
    lost = [key for key in tags if key not in held_tags(format)]
    if lost:
        warnings.warn(
            f"{format} files cannot hold these tags, which are left out: {', '.join(lost)}",
            AudioWarning,
            stacklevel=2,
        )
    kept = {key: text for key, text in tags.items() if key not in lost}
    title = kept.get("title")
    return [kept | ({} if title is None else {"title": f"{title} ({name})"}) for name in names]
