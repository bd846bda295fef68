"""The least that each separator has to be told, where it cannot do without."""

from typing import Any

SETTINGS: dict[str, dict[str, Any]] = {}
"""By the name of the command, the fields without which there is no separator."""

ARGUMENTS: dict[str, list[str]] = {}
"""By the name of the command, the same as arguments."""
