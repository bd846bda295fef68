"""Descriptions of files that libsndfile does not decode."""

from __future__ import annotations

_COMPANION = {
    ".csv": "nmfaudio score takes a table of notes together with a recording, f0 a pitch track",
    ".tsv": "nmfaudio score takes a table of notes together with a recording, f0 a pitch track",
    ".json": "nmfaudio paint takes a file of boxes together with a recording",
}
_AUDIO = {
    b"RIFF": "WAV",
    b"RIFX": "WAV",
    b"RF64": "WAV",
    b"riff": "W64",
    b"fLaC": "FLAC",
    b"OggS": "Ogg",
    b"FORM": "AIFF",
    b".snd": "AU",
    b"caff": "CAF",
    b"ID3": "MP3",
}
_CONTAINERS = {
    b"\x1aE\xdf\xa3": ("Matroska or WebM", "matroska"),
    b"0&\xb2u": ("Windows Media", "asf"),
    b"\xff\xf1": ("AAC", "aac"),
    b"\xff\xf9": ("AAC", "aac"),
}
_SIGNATURES = {
    b"MThd": "a MIDI file; nmfaudio score takes it together with a recording",
    b"%PDF": "a PDF file; name a recording",
    b"\x89PNG": "a picture; name a recording",
    b"\xff\xd8\xff": "a picture; name a recording",
}


def audio_format(head: bytes) -> str | None:
    """Name the format of an audio file by its first bytes.

    Parameters
    ----------
    head : bytes
        At least 4 bytes.

    Returns
    -------
    str or None
        None if it is none of the common formats with a signature.

    Examples
    --------
    >>> audio_format(b"fLaC"), audio_format(bytes(4))
    ('FLAC', None)
    """
    return next((name for start, name in _AUDIO.items() if head.startswith(start)), None)


def container(head: bytes) -> tuple[str, str] | None:
    """Name a container of FFmpeg by the first bytes of a file.

    Parameters
    ----------
    head : bytes
        First 16 bytes.

    Returns
    -------
    tuple of str or None
        Name, and FFmpeg's name of the demuxer; None for any other kind of file.

    Examples
    --------
    >>> container(b"\\0\\0\\0 ftypM4A " + bytes(4))
    ('MP4', 'mov')
    """
    if head[4:8] == b"ftyp":
        return "MP4", "mov"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "AVI", "avi"
    return next((names for start, names in _CONTAINERS.items() if head.startswith(start)), None)


def describe_foreign(head: bytes, suffix: str) -> str:
    """Describe a file by its first bytes and its suffix, and what to do.

    Parameters
    ----------
    head : bytes
        First 16 bytes.
    suffix : str
        Suffix of its name in lower case, such as ``".npz"``.

    Returns
    -------
    str
        Text that follows "not an audio file of a supported format: it is".

    Examples
    --------
    >>> describe_foreign(b"MThd" + bytes(12), ".mid")
    'a MIDI file; nmfaudio score takes it together with a recording'
    """
    if head.startswith(b"PK\x03\x04"):
        if suffix == ".npz":
            return (
                "a saved model or dictionary; nmfaudio dictionary info shows it, guided and regroup"
                " take it together with a recording"
            )
        return "a ZIP archive; unpack it, and name the recordings in it"
    if (name := audio_format(head)) is not None:
        return f"a damaged {name} file; copy it again, or export it anew"
    for signature, description in _SIGNATURES.items():
        if head.startswith(signature):
            return description
    text = head.decode("ascii", errors="replace")
    if "\ufffd" not in text and all(c.isprintable() or c.isspace() for c in text):
        advice = _COMPANION.get(suffix, "name a recording")
        return f"text that begins with {' '.join(text.split())!r}; {advice}"
    start = head.hex(" ", 4)
    return f"of an unknown binary format that begins with {start}; convert it to WAV or FLAC"
