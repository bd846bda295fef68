"""Reading, inspecting and writing of audio files."""

from nmfaudio.audio.io.formats import FORMATS, check_format
from nmfaudio.audio.io.inspecting import FileInfo, inspect
from nmfaudio.audio.io.reading import DecodedAudio, read
from nmfaudio.audio.io.track import Track, open_track
from nmfaudio.audio.io.writing import Written, write, write_group

__all__ = [
    "FORMATS",
    "DecodedAudio",
    "FileInfo",
    "Track",
    "Written",
    "check_format",
    "inspect",
    "open_track",
    "read",
    "write",
    "write_group",
]
