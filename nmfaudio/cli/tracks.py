"""Names of recordings in the output: distinct within a run, whatever the order of the files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from nmfaudio.cli.inputs import STDIN, Input


def track_names(inputs: Sequence[Input]) -> list[str]:
    """Return a distinct name for each input, a path below the folder of all results.

    It is the name of the file without its suffix, after its subfolders if a folder was named on
    the command line. Files that would have the same name are told apart by as many names of
    folders above them as are necessary, or by their suffix: ``a_song`` and ``b_song``, ``song_wav``
    and ``song_flac``.

    Parameters
    ----------
    inputs : sequence of Input
        Distinct files.

    Returns
    -------
    list of str
        Made of safe file names, with ``/`` between them. Names that differ in case only are the
        same on some file systems, and are told apart too.
    """
    from nmfaudio._common.files.names import file_key

    names = [_name(item, 0, with_suffix=False) for item in inputs]
    groups: dict[str, list[int]] = {}
    for i, name in enumerate(names):
        groups.setdefault(file_key(name), []).append(i)
    taken = {key for key, members in groups.items() if len(members) == 1}
    for key in sorted(groups):
        if len(groups[key]) > 1:
            members = sorted(groups[key], key=lambda i: inputs[i].source)
            for i, name in zip(
                members, _distinct([inputs[i] for i in members], taken), strict=True
            ):
                names[i] = name
                taken.add(file_key(name))
    return names


def _distinct(group: Sequence[Input], taken: set[str]) -> list[str]:
    """Names for inputs of one name that differ from one another and from those taken."""
    from nmfaudio._common.files.names import file_key

    depth = max(len(_folders(item)) for item in group)
    for above, with_suffix in _forms(depth):
        names = [_name(item, above, with_suffix=with_suffix) for item in group]
        keys = {file_key(name) for name in names}
        if len(keys) == len(group) and not keys & taken:
            return names
    # Different characters may have become the same safe one.
    stem, number, names = _name(group[0], 0, with_suffix=False), 0, []
    while len(names) < len(group):
        number += 1
        if file_key(f"{stem}-{number}") not in taken:
            names.append(f"{stem}-{number}")
    return names


def _forms(depth: int) -> Iterator[tuple[int, bool]]:
    """Numbers of additional folders, and whether the suffix is added, from short to long."""
    yield from ((1, False), (0, True), (1, True))
    for above in range(2, depth + 1):
        yield from ((above, False), (above, True))


def _name(item: Input, above: int, *, with_suffix: bool) -> str:
    from nmfaudio._common.files import safe_name

    if item.source == STDIN:
        return "stdin"
    path = Path(item.source)
    leaf = safe_name(path.stem)
    if with_suffix:
        leaf = safe_name(f"{leaf}_{path.suffix.removeprefix('.')}")
    count = (item.depth or 0) + above
    folders = [safe_name(folder) for folder in _folders(item)[-count:]] if count else []
    # A file that was named itself gets one folder, a file found in a folder keeps its subfolders.
    return (
        safe_name("_".join([*folders, leaf])) if item.depth is None else "/".join([*folders, leaf])
    )


def _folders(item: Input) -> tuple[str, ...]:
    """Names of the folders above a file, without the root."""
    return () if item.source == STDIN else Path(os.path.abspath(item.source)).parent.parts[1:]
