"""Audio files in and out: see `read`, `inspect` and `write_group`."""

from nmfaudio.io.inspecting import FileInfo, inspect
from nmfaudio.io.reading import Recording, read
from nmfaudio.io.writing import FORMATS, Written, check_format, write, write_group

__all__ = [
    "FORMATS",
    "FileInfo",
    "Recording",
    "Written",
    "check_format",
    "inspect",
    "read",
    "write",
    "write_group",
]
