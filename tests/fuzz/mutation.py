"""Mutation of files: of their bytes, and of what is within them, with valid checksums."""

import io
import json
import re
import struct
import zipfile
import zlib
from copy import deepcopy

NUMBERS = (0, 1, 2, 3, 7, 8, 15, 16, 31, 32, 63, 64, 100, 127, 128, 255, 256, 1000, 4096)
EXTREMES = tuple(
    sign * 2**bits + offset
    for bits in (15, 16, 31, 32, 63)
    for offset in (-1, 0)
    for sign in (1, -1)
)
WORDS = (
    *(b"", b"nan", b"-inf", b"1e308", b"-1e-308", b"9" * 400, b"0x1", b"1_0", b"-1", b"0", b"0.5"),
    *(b"1/0", b'"', b'""', b"'", b",", b";", b"\t", b"\n", b"\r", b"\0", b"\xef\xbb\xbf", b"\xff"),
    *("²".encode(), "\u202e".encode(), b"[", b"{", b"[" * 2000, b'{"a":' * 2000, b"<", b"&a;"),
    *(b"]", b"}", b":", b"=", b"#", b"null", b"true", b"\\ud800", b"6" * 140_000),
)
VALUES = (
    *(None, True, False, 0, -1, 1, 2, 0.5, -0.0, 1e308, 5e-324, 10**18, 2**31, 10**400),
    *(float("nan"), float("inf"), "", "x", "0", "\ud800", "a" * 5000, [], {}, [[]], [0], [None]),
    *([0] * 50, {"a": 0}, [1e308, -1e308]),
)
"""Values in place of one within JSON."""

_MOST = 2**16  # bytes of a mutant


def mutate(content, chance, others=(), depth=0):
    """Change a file in a few ways.

    Parameters
    ----------
    content : bytes
    chance : random.Random
    others : sequence of bytes
        Files of the same kind, parts of which are inserted.
    depth : int
        Number of containers that this is a part of.

    Returns
    -------
    bytes
    """
    if depth < 2 and chance.random() < 0.6:
        for begins, change in _KINDS.items():
            if re.match(begins, content) and (changed := change(content, chance, others, depth)):
                return changed[:_MOST]
    for _ in range(1 + int(chance.expovariate(0.7))):
        content = chance.choice(_CHANGES)(bytearray(content), chance, others)
    return bytes(content[:_MOST])


def _flip(data, chance, others):
    if data:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return data


def _byte(data, chance, others):
    if data:
        data[chance.randrange(len(data))] = chance.choice(
            (0, 1, 127, 128, 255, chance.randrange(256))
        )
    return data


def _integer(data, chance, others):
    """Overwrite some bytes by an integer, or add a little to one."""
    size, order = chance.choice((1, 2, 2, 4, 4, 8)), chance.choice(("little", "big"))
    if len(data) < size:
        return data
    place = _place(data, chance, size)
    value = chance.choice(NUMBERS + EXTREMES)
    if chance.random() < 0.3:
        value = int.from_bytes(data[place : place + size], order) + chance.randint(-3, 3)
    data[place : place + size] = (value % 256**size).to_bytes(size, order)
    return data


def _place(data, chance, size=0):
    """Position, in half of the cases near the beginning, where headers are."""
    last = len(data) - size
    return chance.randint(0, min(last, 64) if chance.random() < 0.5 else last)


def _span(data, chance):
    start = _place(data, chance)
    return start, min(len(data), start + 1 + int(chance.expovariate(0.05)))


def _truncate(data, chance, others):
    return data[: chance.randint(0, len(data))]


def _remove(data, chance, others):
    start, stop = _span(data, chance)
    return data[:start] + data[stop:]


def _repeat(data, chance, others):
    start, stop = _span(data, chance)
    return data[:stop] + data[start:stop] * chance.choice((1, 1, 2, 9, 99)) + data[stop:]


def _move(data, chance, others):
    start, stop = _span(data, chance)
    rest = data[:start] + data[stop:]
    place = _place(rest, chance)
    return rest[:place] + data[start:stop] + rest[place:]


def _splice(data, chance, others):
    other = chance.choice(others) if others else bytes(data)
    start, place = chance.randint(0, len(other)), chance.randint(0, len(data))
    if chance.random() < 0.5:
        return data[:place] + other[start:]
    return data[:place] + other[start : start + chance.randint(1, 64)] + data[place:]


def _word(data, chance, others):
    place = _place(data, chance)
    if chance.random() < 0.5:  # in place of a word
        spans = [match.span() for match in re.finditer(rb"[\w.+-]+", bytes(data[:4096]))]
        if spans:
            start, stop = chance.choice(spans)
            return data[:start] + chance.choice(WORDS) + data[stop:]
    return data[:place] + chance.choice(WORDS) + data[place:]


_CHANGES = (
    *(_flip, _flip, _byte, _byte, _integer, _integer, _integer, _truncate),
    *(_remove, _repeat, _move, _splice, _word),
)


def _json(content, chance, others, depth):
    """Change values of JSON."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return b""
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        places = list(_places(value))
        if not places:
            return b""
        holder, key = chance.choice(places)
        what = chance.random()
        if what < 0.2:
            del holder[key]
        elif what < 0.3:
            other, name = chance.choice(places)
            holder[key] = other[name] if not isinstance(other[name], dict | list) else 0
        elif isinstance(holder, dict) and what < 0.35:
            holder[chance.choice(("x", "", "kind", "0"))] = deepcopy(chance.choice(VALUES))
        else:
            holder[key] = deepcopy(chance.choice(VALUES))
    return json.dumps(value).encode()


def _places(value):
    """Pairs of a container and a key or index within it; not all entries of long lists."""
    if isinstance(value, dict):
        keys = list(value)
    elif isinstance(value, list):
        keys = [*range(min(len(value), 8))]
    else:
        return
    for key in keys:
        yield value, key
        yield from _places(value[key])


def _archive(content, chance, others, depth):
    """Change, add or remove a member."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            members = {name: file.read(name) for name in file.namelist()}
    except Exception:
        return b""
    if not members:
        return b""
    name = chance.choice(list(members))
    if chance.random() < 0.1:
        del members[name]
    else:
        if chance.random() < 0.1:
            name += "x"
        members[name] = mutate(members.get(name, b""), chance, list(members.values()), depth + 1)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for name, data in members.items():
            file.writestr(name, data)
    return packed.getvalue()


def _png(content, chance, others, depth):
    """Change a chunk."""
    chunks, place = [], 8
    while place + 12 <= len(content):
        (size,) = struct.unpack_from(">I", content, place)
        chunks.append([content[place + 4 : place + 8], content[place + 8 : place + 8 + size]])
        place += 12 + size
    if not chunks:
        return b""
    chunk = chance.choice(chunks)
    if chunk[0] == b"IDAT" and chance.random() < 0.7:
        try:
            chunk[1] = zlib.compress(mutate(zlib.decompress(chunk[1]), chance, (), depth + 1), 1)
        except zlib.error:
            return b""
    else:
        chunk[1] = mutate(chunk[1], chance, (), depth + 1)
    if chance.random() < 0.2:
        chunks.insert(chance.randint(0, len(chunks)), chance.choice(chunks))
    return content[:8] + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def _pages(content, chance, others, depth):
    """Change the pages of an Ogg file, whose checksums are made valid."""
    parts = re.split(rb"(?=OggS)", content)[1:]
    which = chance.randrange(len(parts))
    parts[which] = mutate(parts[which], chance, (), depth + 2)
    for n, page in enumerate(parts):
        if len(page) > 27:
            bare = page[:22] + bytes(4) + page[26:]
            parts[n] = page[:22] + struct.pack("<I", _ogg_checksum(bare)) + page[26:]
    return b"".join(parts)


def _ogg_checksum(page):
    value = 0
    for byte in page:
        value = (value << 8) & 0xFFFFFFFF ^ _OGG_TABLE[value >> 24 ^ byte]
    return value


def _ogg_table():
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = (value << 1) & 0xFFFFFFFF ^ (0x04C11DB7 if value >> 31 else 0)
        yield value


_OGG_TABLE = tuple(_ogg_table())
_KINDS = {
    rb"\s*[\[{]": _json,
    b"PK": _archive,
    b"\x89PNG": _png,
    b"OggS": _pages,
}


def reduce(content, fails, tries=400):
    """Remove parts of a file as long as it still fails.

    Parameters
    ----------
    content : bytes
    fails : callable
        Tells whether a file fails.
    tries : int
        Most calls of it.

    Returns
    -------
    bytes
    """
    size = len(content) // 2
    while size and tries > 0:
        start = 0
        while start < len(content) and tries > 0:
            shorter, tries = content[:start] + content[start + size :], tries - 1
            if fails(shorter):
                content = shorter
            else:
                start += size
        size //= 2
    return content
