"""Covers and markers: what is read is what was written, and what is damaged is no cover."""

import io
import json
import re
import struct
import zlib
from base64 import b64encode

import numpy as np
import pytest
import soundfile
from audio_files import encode, noise

from nmfaudio.audio.io import FORMATS, write_group
from nmfaudio.audio.io.covers import front_cover, read_cover
from nmfaudio.audio.io.extra_tags import cover_text, excerpt_tags
from nmfaudio.audio.io.markers import append_markers, read_markers
from nmfaudio.audio.io.ogg import add_comment, number_pages
from nmfaudio.audio.io.tags import held_tags, read_tags
from nmfaudio.errors import AudioWarning, OutputError

SR = 48000
HOLDERS = [format for format in FORMATS if "cover" in held_tags(format)]
SIZES = (0, 1, 2**24 - 1, 2**28 - 1, 2**31, 2**32 - 1)


def png(side=8, noise_bytes=0):
    """A small picture, with bytes that do not compress and that MP3 decoders could mistake."""

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    rows = b"".join(b"\0" + bytes((9 * x * y % 256) for x in range(3 * side)) for y in range(side))
    noise = b"\xff\xfb\x94d\xff\0" + np.random.default_rng(0).bytes(noise_bytes)
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", head), (b"noIs", noise), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


PNG = png()
JPEG = b"\xff\xd8\xff\xe0" + bytes(20) + b"\xff\0\xff"


def cover_of(data):
    return read_cover(io.BytesIO(data), len(data))


@pytest.mark.parametrize("format", HOLDERS)
def test_a_cover_is_read_back_and_changes_no_sample(tmp_path, format):
    image = png(60, 140_000)  # longer than a page of Ogg and the blocks of pipes
    y = noise(9000).T
    plain, covered, both = (tmp_path / f"{name}.{format}" for name in ("a", "b", "c"))
    long = {"title": "long" * 20, "artist": "x"}  # LAME then writes a tag of its own
    tags = {
        plain: long,
        covered: {"cover": cover_text(image)},
        both: long | {"cover": cover_text(PNG)},
    }
    write_group(dict.fromkeys(tags, y), SR, format=format, tags=tags)
    for path, expected in tags.items():
        assert read_tags(path) == expected
        np.testing.assert_array_equal(soundfile.read(path)[0], soundfile.read(plain)[0])
    before = covered.read_bytes()
    write_group({covered: y}, SR, format=format, tags=tags, overwrite=True)
    assert covered.read_bytes() == before
    av = pytest.importorskip("av")  # a reader of others
    for path, expected in ((covered, image), (both, PNG)):
        with av.open(str(path)) as file:
            (stream,) = file.streams.video
            file.seek(0)
            assert bytes(next(file.demux(stream))) == expected
            found = file.metadata | file.streams.audio[0].metadata
            assert tags[path].get("title") in (None, found.get("title"), found.get("TITLE"))


def synchsafe(number):
    return bytes(number >> shift & 127 for shift in (21, 14, 7, 0))


def unsynchronised(data):
    return re.sub(rb"\xff(?=[\0\xe0-\xff])", b"\xff\0", data)


def tag(version, *frames, flags=0, extended=b""):
    body = extended + b"".join(frames)
    return b"ID3" + bytes([version, 0, flags]) + synchsafe(len(body)) + body


def frame(version, image, kind=3, flags=0, description=b"\0\0", before=b"", name=b"APIC"):
    content = before + description[:1] + b"image/x\0" + bytes([kind]) + description[1:] + image
    size = synchsafe(len(content)) if version == 4 else struct.pack(">I", len(content))
    return name + size + bytes([0, flags]) + content


def block(image, kind=3, last=False):
    content = struct.pack(">II", kind, 3) + b"any" + struct.pack(">I", 2) + "é".encode()
    content += struct.pack(">5I", 1, 2, 3, 4, len(image)) + image
    return bytes([6 + 128 * last]) + struct.pack(">I", len(content))[1:] + content


def flac(*blocks):
    data = encode(noise(100), "FLAC")
    return data[:42] + b"".join(blocks) + data[42:]


def test_tags_of_all_versions():
    old = b"\0PNG\3x\0" + PNG
    text = b"TIT2" + struct.pack(">IH", 4, 0) + b"\0abc"
    other = frame(3, JPEG, kind=0)
    for data, expected in {
        "2": (tag(2, b"PIC" + struct.pack(">I", len(old))[1:] + old), PNG),
        "3": (tag(3, text, frame(3, PNG), bytes(99)), PNG),
        "UTF-16": (tag(3, frame(3, PNG, description=b"\1\xff\xfe\0\1x\0\0\0")), PNG),
        "unsynchronised": (tag(3, unsynchronised(frame(3, JPEG)), flags=128), JPEG),
        "extended": (tag(3, frame(3, PNG), flags=64, extended=b"\0\0\0\6" + bytes(6)), PNG),
        "4": (tag(4, frame(4, png(60))), png(60)),
        "4, extended": (tag(4, frame(4, PNG), flags=64, extended=b"\0\0\0\6\1\0"), PNG),
        "4, unsynchronised": (
            tag(4, frame(4, unsynchronised(JPEG), flags=3, before=bytes(4))),
            JPEG,
        ),
        "the front": (tag(3, other, frame(3, PNG)), PNG),
        "the first": (tag(3, other, frame(3, PNG, kind=4)), JPEG),
        "compressed": (tag(3, frame(3, PNG, flags=0x80)), None),
        "a link": (tag(3, frame(3, b"http://localhost/x.png")), None),
    }.values():
        assert cover_of(data + encode(noise(100), "MP3", "MPEG_LAYER_III")) == expected
        assert cover_of(data + flac()) == expected
        chunk = struct.pack("<4sI", b"ID3 ", len(data)) + data
        assert cover_of(encode(noise(100)) + chunk) == expected
    assert cover_of(flac(block(JPEG, 4), block(PNG), block(JPEG))) == PNG


def ogg(*comments, subtype="VORBIS"):
    file = io.BytesIO(encode(noise(100), "OGG", subtype, sr=SR))
    for comment in comments:
        add_comment(file, comment)
        number_pages(file)
    return file.getvalue()


def test_damaged_pictures_are_no_covers():
    """Sizes that lie, and files that end early."""
    picture = block(PNG)[4:]
    comment = b"metadata_block_PICTURE=" + b64encode(picture)
    sounds = {
        "FLAC": flac(block(PNG)),
        "ID3v2.3": tag(3, frame(3, PNG)),
        "ID3v2.4": tag(4, frame(4, PNG)),
        "WAV": encode(noise(9)) + struct.pack("<4sI", b"id3 ", 900) + tag(3, frame(3, PNG)),
        "Vorbis": ogg(comment),
        "Opus": ogg(comment, subtype="OPUS"),
    }
    for data in sounds.values():
        assert cover_of(data) == PNG
        end = data.rindex(PNG[-12:]) + 12 if PNG in data else len(data)
        for stop in range(0, end, 1 if end < 2000 else 7):
            found = cover_of(data[:stop])
            assert found is None or PNG not in data  # of Ogg the audio may be missing
        for at in range(min(len(data), 300)):
            for size in SIZES:
                for order in "<>":
                    changed = data[:at] + struct.pack(f"{order}I", size) + data[at + 4 :]
                    cover_of(changed)
    for broken in (picture[:40], b"", bytes(999), picture[:-1], b"\xff" * 99):
        assert cover_of(ogg(b"METADATA_BLOCK_PICTURE=" + b64encode(broken))) is None
    assert cover_of(ogg(b"METADATA_BLOCK_PICTURE=!", b"X", comment)) == PNG


def test_pictures_that_are_too_large_are_left_out():
    large = PNG + bytes(2**23)
    with pytest.warns(AudioWarning, match="covers of up to 8 MiB are copied"):
        assert front_cover([(3, large), (0, PNG)]) == PNG
    head = b"ID3\4\0\0" + synchsafe(2**24)
    with pytest.warns(AudioWarning, match="up to 16 MiB"):
        assert cover_of(head + bytes(2**24)) is None


def test_markers_are_read_back_and_move_with_an_excerpt():
    pairs = [[0, ""], [5, "Tür"], [5000, "x" * 99], [20000, "end"]]
    for container, subtype in (("WAV", "PCM_U8"), ("RF64", "FLOAT")):
        sound = encode(noise(20000, 1)[:19999], container, subtype)
        file = io.BytesIO(sound)
        append_markers(file, json.dumps(pairs), 19999)
        data = file.getvalue()
        assert len(data) == 8 + int.from_bytes(data[4:8], "little") or container == "RF64"
        text = read_markers(file, len(data))
        assert json.loads(text) == pairs[:3]
        moved = excerpt_tags({"markers": text, "time_reference": "7"}, 5)
        assert moved["time_reference"] == "12"
        assert json.loads(moved["markers"]) == [[0, "Tür"], [4995, "x" * 99]]
        np.testing.assert_array_equal(
            soundfile.read(io.BytesIO(data))[0], soundfile.read(io.BytesIO(sound))[0]
        )
        for at in range(len(sound), len(data)):
            read_markers(io.BytesIO(data[:at]), at)
            for size in SIZES:
                changed = data[:at] + struct.pack("<I", size) + data[at + 4 :]
                read_markers(io.BytesIO(changed), len(changed))


@pytest.mark.parametrize("format", HOLDERS)
def test_a_disk_that_is_full_at_the_cover_leaves_nothing(tmp_path, format):
    """A limit on the size of files stands for the disk."""
    resource = pytest.importorskip("resource")
    path = tmp_path / "x"
    tags = {path: {"cover": cover_text(png(8, 2**18))}}
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**18, before[1]))
    try:
        with pytest.raises(OutputError, match="File too large"):
            write_group({path: noise(99).T}, SR, format=format, tags=tags)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []
