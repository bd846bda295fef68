"""Ours, in each model."""

from __future__ import annotations

from typing import Any

PIANO: dict[str, Any] = {}
DRUMS: dict[str, Any] = {}
