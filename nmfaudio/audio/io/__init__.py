"""Reading, inspecting and writing of audio files."""

from nmfaudio.audio.io.appending import AppendingGroup, open_group
from nmfaudio.audio.io.formats import FORMATS, check_format
from nmfaudio.audio.io.inspecting import FileInfo, Header, inspect, read_header
from nmfaudio.audio.io.reading import DecodedAudio, read
from nmfaudio.audio.io.track import Track, open_track
from nmfaudio.audio.io.writing import Written, write, write_group

__all__ = [
    "FORMATS",
    "AppendingGroup",
    "DecodedAudio",
    "FileInfo",
    "Header",
    "Track",
    "Written",
    "check_format",
    "inspect",
    "open_group",
    "open_track",
    "read",
    "read_header",
    "write",
    "write_group",
]
