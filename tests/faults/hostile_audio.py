"""Contents of hostile audio files: damaged, with headers that lie, or with samples of any kind."""

import io
import random
import struct

import numpy as np
import soundfile

SR = 8000
FORMATS = (
    *(("wav", "PCM_16"), ("wav", "FLOAT"), ("wav", "IMA_ADPCM"), ("w64", "PCM_24")),
    *(("flac", "PCM_16"), ("ogg", "VORBIS"), ("mp3", "MPEG_LAYER_III"), ("aiff", "PCM_16")),
    *(("au", "ULAW"), ("caf", "PCM_16"), ("rf64", "PCM_16")),
)


def encoded(samples, sr=SR, format="wav", subtype="FLOAT"):
    content = io.BytesIO()
    soundfile.write(content, samples, sr, subtype, format=format)
    return content.getvalue()


def audio_files(song):
    """Names and contents of hostile files, made from the samples of a sound one."""
    chance = random.Random(0)
    for format, subtype in FORMATS:
        sound = encoded(song, SR, format, subtype)
        name = f"{format} {subtype}"
        for share in (0.02, 0.5, 0.99):
            yield f"{name} cut at {share}", sound[: int(share * len(sound))]
        for n, width in enumerate((60, 60, 400, 400, len(sound), len(sound))):
            mutant = bytearray(sound)
            for _ in range(1 + 3 * n):
                mutant[chance.randrange(width)] = chance.choice((0, 1, 127, 128, 255))
            yield f"{name} mutant {n}", bytes(mutant)
    yield from headers(encoded(song, subtype="PCM_16"))
    yield from contents(song)


def headers(sound):
    """Sound samples with a header that lies."""
    fields = {"format": (20, "<H"), "channels": (22, "<H"), "rate": (24, "<I"), "bits": (34, "<H")}
    for name, (place, kind) in fields.items():
        for value in (0, 1, 255, 2 ** (8 * struct.calcsize(kind)) - 1):
            changed = bytearray(sound)
            struct.pack_into(kind, changed, place, value)
            yield f"{name}={value}", bytes(changed)
    for value in (0, 1, 2**31 - 1, 2**32 - 1):
        yield f"size={value}", sound[:40] + struct.pack("<I", value) + sound[44:]
    yield "many chunks", sound[:12] + b"junk\0\0\0\0" * 10**5 + sound[12:]
    yield "twice", sound + sound


def contents(song):
    """Samples that no recording has, or a few of them."""
    spoilt = {"NaN": np.nan, "infinite": np.inf, "huge": 1e30, "tiny": 1e-40, "largest": 3e38}
    for name, value in spoilt.items():
        changed = song.astype(np.float32)
        changed[SR // 2] = value
        yield f"one sample {name}", encoded(changed)
        yield f"all samples {name}", encoded(np.full(SR, value, np.float32))
    yield "huge doubles", encoded(np.full(SR, 1e308), subtype="DOUBLE")
    for name, samples in {
        "silence": np.zeros(SR),
        "constant": np.ones(SR),
        "no frames": np.zeros(0),
        "one frame": np.ones(1),
        "100 frames": song[:100],
        "impulse": np.eye(1, SR)[0],
        "scaled by 1e-30": song * 1e-30,
        "scaled by 1e30": song * 1e30,
        "32 channels": np.tile(song[: SR // 8, None], 32),
        "40 channels": np.tile(song[:, None], 40),
        "more channels than frames": np.tile(song[:31, None], 255),
        "two channels, one silent": np.stack([song, 0 * song], 1),
        "opposite channels": np.stack([song, -song], 1),
    }.items():
        yield name, encoded(samples)
    for sr in (1, 99, 100, 11_025, 1_500_000, 1_500_001):
        yield f"rate of {sr}", encoded(song, sr)
