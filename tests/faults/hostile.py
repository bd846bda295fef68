"""Contents of hostile files: damaged, of another kind, or asking for too much work."""

import io
import itertools
import json
import random
import re
import struct
import zipfile
import zlib

import soundfile
from hostile_audio import audio_files

DIGITS = "9" * 400
VALID = {
    "wav": "song.wav",
    "mid": "notes.mid",
    "json": "boxes.json",
    "npz": "model.npz",
    "dictionary.npz": "dictionary.npz",
    "png": "painted.png",
    "toml": "experiment.toml",
}
"""Sound files of each kind, which are damaged; a table for all others."""


def hostile(folder, suffix):
    """Names and contents of hostile files of a kind; a text names a special file."""
    yield from ((kind, kind) for kind in ("fifo", "zero", "folder", "missing"))
    yield from zip(("empty", "zeros", "parens"), (b"", bytes(9999), b"(" * 10**6), strict=True)
    yield "deep", b"[" * 10**6
    yield "digits", b"9" * 10**4
    yield "long line", b"a" * 2 * 10**6
    yield "latin", "é,ü\n".encode("latin1") * 9
    sound = (folder / VALID.get(suffix, "pitch.csv")).read_bytes()
    chance = random.Random(0)
    for share in (0.1, 0.5, 0.9, 0.99):
        yield f"cut at {share}", sound[: int(share * len(sound))]
    for n in range(30):
        mutant = bytearray(sound)
        for _ in range(1 + n // 3):
            mutant[chance.randrange(min(len(mutant), 4000))] = chance.choice((0, 255, 40, 65))
        yield f"mutant {n}", bytes(mutant)
    yield from {
        "wav": lambda: audio_files(soundfile.read(io.BytesIO(sound))[0]),
        "mid": midi_files,
        "csv": csv_files,
        "json": json_files,
        "npz": lambda: archives(sound),
        "dictionary.npz": lambda: archives(sound),
        "png": png_files,
    }.get(suffix, lambda: ())()


def midi_files():
    """Small files that are much work."""

    def track(events):
        body = events + b"\0\xff\x2f\0"
        return b"MTrk" + struct.pack(">I", len(body)) + body

    def file(*tracks, format=1, beat=480):
        return b"MThd" + struct.pack(">IHHH", 6, format, len(tracks), beat) + b"".join(tracks)

    yield "3000 tracks of a name", file(*[track(b"\0\xff\x03\1x\0\x90\x3c\x40")] * 3000)
    yield "650000 strokes", file(track(b"\0\x90\x3c\x40" + b"\1\x3c\x40" * 650_000))
    plain = b"\0\x90\x3c\x40" + b"\x08\x3c\0\0\x3c\x40" * 650_000
    yield "650000 notes", file(track(plain))
    yield "keys at once", file(track(b"\0\x90\x3c\x40" + b"\0\x3d\x40\1\x3d\0" * 300_000))
    yield "endless delta", file(track(b"\xff\xff\xff\x7f\x90\x3c\x40" * 999))
    yield "huge delta", file(track(b"\0\x90\x3c\x40\xff\xff\xff\x7f\x80\x3c\x40"))
    yield "no beat", file(track(b"\0\x90\x3c\x40"), beat=0)
    yield "bends", file(track(b"\0\x90\x3c\x40" + b"\1\xe0\0\x40\1\xe0\0\x41" * 200_000))
    yield "tempos", file(track(b"\0\x90\x3c\x40" + b"\1\xff\x51\3\xff\xff\xff" * 200_000))


def csv_files():
    """Tables that are no tables, or only nearly."""
    header = "start_time_s,end_time_s,pitch_midi\n"
    yield "field beyond the limit", header + f"0,1,{'6' * 200_000}\n"
    for name, text in {
        "one number": "0.5\n",
        "tabs": "0.5\tkick\n1.0\tsnare\n",
        "semicolons": "0,5;kick\n1,0;snare\n",
        "digits": f"{DIGITS},{DIGITS}\n" * 3,
        "notes of digits": f"{header}0,{DIGITS},60\n0,1,{DIGITS}\n",
        "huge times": "0,440\n1e308,440\n",
        "hit of digits": f"0.5,{DIGITS}\n",
        "program of digits": f"start_time_s,end_time_s,pitch_midi,program\n0,1,60,{DIGITS}\n",
        "nan": "nan,nan\n0,nan\n",
        "many hits": "".join(f"{n / 1e6},kick\n" for n in range(250_000)),
        "quotes": '"' * 99_999,
        "control": "0.5,\x1b[31mkick\n",
    }.items():
        yield name, text.encode()


def json_files():
    """Lists of boxes and objects of groups that ask too much."""
    box = {"source": "a", "start": 0, "end": 0.5, "low": 0, "high": 900}
    for key, value in itertools.product(box, (10**400, -1, None, [], {}, True, "x", 1e308, "")):
        content = json.dumps([box | {key: value}, box | {"source": "b"}])
        yield f"{key}={str(value)[:9]}", content.encode()
    yield "100 sources", json.dumps([box | {"source": f"s{n}"} for n in range(100)]).encode()
    yield "10000 boxes", json.dumps([box, *[box | {"source": "b"}] * 10_000]).encode()
    yield "deep list", b"[" * 900 + b"]" * 900
    yield "NaN", b'{"a": [NaN], "b": [Infinity]}'
    for members in ([10**400], [0, 0], list(range(10**5)), "0", None, [True], [1e308]):
        yield f"group {str(members)[:9]}", json.dumps({"a": members}).encode()
    yield "names", json.dumps({"../../x": [0], "\ud800": [1], "a" * 5000: [2]}).encode()


def png_files():
    """Pictures of huge sizes."""
    for width, height in ((30_000, 30_000), (2**31 - 1, 1), (0, 0), (4000, 4000)):
        data = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
        parts = ((b"IHDR", data), (b"IDAT", zlib.compress(bytes(10**6))), (b"IEND", b""))
        yield (
            f"{width}x{height}",
            b"\x89PNG\r\n\x1a\n"
            + b"".join(
                struct.pack(">I", len(d)) + t + d + struct.pack(">I", zlib.crc32(t + d))
                for t, d in parts
            ),
        )


def archives(sound):
    """An archive with every value of its header replaced, and with its members changed."""
    members = unpack(sound)
    header = json.loads(members["header.json"])
    for path in list(paths(header)):
        for value in (None, -1, 0.5, 10**400, 1e308, "x", [], {}, [[]], True, [10**9]):
            changed = json.loads(members["header.json"])
            place = changed
            for key in path[:-1]:
                place = place[key]
            place[path[-1]] = value
            text = json.dumps(changed).encode()
            yield (
                f"{'.'.join(map(str, path))}={str(value)[:9]}",
                pack(members | {"header.json": text}),
            )
    first = next(name for name in members if name.endswith(".npy"))
    array = members[first]
    yield "parens for a header", pack(members | {first: array[:10] + b"(" * 118 + array[128:]})
    yield "huge shape", pack(members | {first: re.sub(rb"\((\d+)", b"(99999999999", array)})
    yield "name not UTF-8", pack(members).replace(first.encode(), b"\xff" * len(first))
    yield "deep header", pack(members | {"header.json": b"[" * 10**6})
    yield "digits in header", pack(members | {"header.json": b'{"format": ' + b"9" * 9999 + b"}"})


def paths(value, path=()):
    """Paths of the values of a header: of each list, the first entries only."""
    if path:
        yield path
    if isinstance(value, dict):
        for key in list(value)[:24]:
            yield from paths(value[key], (*path, key))
    elif isinstance(value, list) and value:
        yield from paths(value[0], (*path, 0))


def unpack(content):
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        return {name: file.read(name) for name in file.namelist()}


def pack(members):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for name, data in members.items():
            file.writestr(name, data)
    return content.getvalue()
