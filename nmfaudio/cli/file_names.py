"""Names of the files of stems, from a template such as ``{track}/{stem}.{ext}``."""

from __future__ import annotations

import string
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from nmfaudio.errors import ParameterError

DEFAULT = "{track}/{stem}.{ext}"
TRACK = "{track}"
"""Placeholder of the name of a recording."""

_FIELDS = ("track", "stem", "ext", "command")


@dataclass(frozen=True)
class FileName:
    """Template of the paths of stems, below the folder of all results.

    Parameters
    ----------
    template : str
        Text with the placeholders {track}, {stem}, {ext} and {command}.
    """

    template: str = DEFAULT

    def __str__(self) -> str:
        return self.template

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the template of a text after checks.

        Parameters
        ----------
        text : str

        Returns
        -------
        FileName

        Raises
        ------
        ParameterError
            The template lacks {stem} or does not end in .{ext}, has other placeholders, leads out
            of the folder, or has characters that are not allowed in file names on every system.
        """
        template = cls(text)
        template._check_fields()
        template._check_characters()
        return template

    def _check_fields(self) -> None:
        fields = self._fields()
        unknown = [field for field in fields if field not in _FIELDS]
        if unknown:
            known = ", ".join(f"{{{field}}}" for field in _FIELDS)
            raise ParameterError(f"{self.template!r} has the unknown {{{unknown[0]}}}; use {known}")
        if "stem" not in fields:
            raise ParameterError(f"{self.template!r} has no {{stem}}; all stems would be one file")
        if not self.template.endswith(".{ext}") or fields.count("ext") > 1:
            raise ParameterError(f"{self.template!r} must end in .{{ext}}, the suffix of --format")

    @property
    def has_track(self) -> bool:
        """True if different recordings have different names."""
        return "track" in self._fields()

    def path(self, *, track: str, stem: str, ext: str, command: str) -> Path:
        """Return the path of a stem; all values are safe file names, or patterns of such.

        Parameters
        ----------
        track, stem, ext, command : str
            Values of the placeholders.

        Returns
        -------
        Path
        """
        return Path(self.template.format(track=track, stem=stem, ext=ext, command=command))

    def folder(self, *, track: str, command: str) -> Path:
        """Return the folder of all stems of a recording.

        Parameters
        ----------
        track, command : str
            Values of the placeholders.

        Returns
        -------
        Path
        """
        return Path(self._head.format(track=track, command=command))

    @property
    def folder_has_track(self) -> bool:
        """True if each recording has a folder of its own."""
        return TRACK in self._head

    @property
    def _head(self) -> str:
        """Folders of the template above the first part that depends on the stem."""
        parts = self.template.split("/")[:-1]
        count = next((i for i, part in enumerate(parts) if "{stem}" in part), len(parts))
        return "/".join(parts[:count])

    def _fields(self) -> list[str]:
        try:
            pieces = list(string.Formatter().parse(self.template))
        except ValueError as error:
            raise ParameterError(f"{self.template!r}: {error}; write {DEFAULT}") from None
        if any(spec or conversion for _, _, spec, conversion in pieces):
            raise ParameterError(f"{self.template!r} formats a placeholder; write {DEFAULT}")
        return [field for _, field, _, _ in pieces if field is not None]

    def _check_characters(self) -> None:
        from nmfaudio._common.files import safe_name

        # Any safe name in place of the placeholders: the rest must be safe as well.
        for part in self.template.format(**dict.fromkeys(_FIELDS, "x")).split("/"):
            if safe_name(part) != part:
                raise ParameterError(
                    f"{self.template!r}: {part!r} is not a file name on every system; leave out"
                    " .., a leading / . or -, and the characters \\ : * ? < > | and quotes"
                )
