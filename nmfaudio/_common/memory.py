"""Constants of memory estimates."""

from __future__ import annotations

PROCESS = 200 * 2**20
"""Bytes of a process with all libraries loaded, as measured."""
