"""Appending: the files of blocks are those of the whole, all of them or none."""

import subprocess
import sys
import textwrap
from contextlib import suppress

import numpy as np
import pytest
import soundfile

from nmfaudio.audio.io import FORMATS, encoding, open_group, read, write_group
from nmfaudio.audio.io.tags import read_tags
from nmfaudio.errors import ContentError, OutputError, ParameterError, ShapeError

SR = 48000
CODINGS = [
    (format, subtype)
    for format, (container, usual) in FORMATS.items()
    for subtype in ("PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", usual)
    if soundfile.check_format(container, subtype)
    if (format, subtype) not in [("aiff", "PCM_S8"), ("aiff", "PCM_U8")]
    if format not in ("ogg", "opus", "mp3") or subtype == usual
]


def noise(channels=2, frames=40_000, dtype=np.float32, seed=0, peak=0.9):
    rng = np.random.default_rng(seed)
    return (peak * rng.uniform(-1, 1, (channels, frames))).astype(dtype)


def tree(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def blocks(y, seed=0):
    """Blocks of random lengths, in memory that is used again."""
    rng, start = np.random.default_rng(seed), 0
    memory = np.empty_like(y)
    while start < y.shape[1]:
        stop = min(start + int(rng.choice([0, 1, 100, 5000, 16384, 20_000])), y.shape[1])
        memory[:, : stop - start] = y[:, start:stop]
        yield memory[:, : stop - start]
        memory[:] = np.nan
        start = stop


def append(targets, *, format, subtype=None, **options):
    """Write files block by block."""
    (shape,) = {y.shape for y in targets.values()}
    with open_group(list(targets), SR, *shape, format=format, subtype=subtype, **options) as group:
        for parts in zip(*map(blocks, targets.values()), strict=True):
            group.append(dict(zip(targets, parts, strict=True)))
    return group.written


@pytest.mark.parametrize(("format", "subtype"), CODINGS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("peak", [0.9, 1.5])
def test_the_files_are_those_of_write_group(tmp_path, format, subtype, dtype, peak):
    stems = [noise(dtype=dtype, peak=peak), noise(dtype=dtype, seed=1, peak=0.1)]
    stems[1][0, :3] = 0.0, -0.0, 1e-40
    whole = dict(zip((tmp_path / "w1", tmp_path / "w2"), stems, strict=True))
    parts = dict(zip((tmp_path / "p1", tmp_path / "p2"), stems, strict=True))
    expected = write_group(whole, SR, format=format, subtype=subtype)
    written = append(parts, format=format, subtype=subtype)
    assert (written.gain, written.subtype) == (expected.gain, expected.subtype)
    assert written.paths == tuple(parts)
    assert (written.gain < 1) == (peak > 1 and expected.subtype not in ("FLOAT", "DOUBLE"))
    for a, b in zip(whole, parts, strict=True):
        if format in ("ogg", "opus"):  # libsndfile numbers their streams at random
            np.testing.assert_array_equal(read(a).samples, read(b).samples)
        else:
            assert a.read_bytes() == b.read_bytes()
    assert tree(tmp_path) == ["p1", "p2", "w1", "w2"]


@pytest.mark.parametrize("seed", range(4))
def test_blocks_of_any_lengths_make_the_same_file(tmp_path, seed):
    y = noise(1, 100_000)
    write_group({tmp_path / "whole": y}, SR, format="wav")
    with open_group([tmp_path / "parts"], SR, *y.shape, format="wav") as group:
        for part in blocks(y, seed):
            group.append([part])
    assert (tmp_path / "whole").read_bytes() == (tmp_path / "parts").read_bytes()


def test_tags_and_bitrate_are_those_of_write_group(tmp_path):
    a, b = tmp_path / "a", tmp_path / "b"
    options = {"format": "mp3", "bitrate": 320}
    write_group({a: noise()}, SR, **options, tags={a: {"title": "x"}})
    append({b: noise()}, **options, tags={b: {"title": "x"}})
    assert read_tags(b) == {"title": "x"}
    assert a.read_bytes() == b.read_bytes()


def test_blocks_may_come_in_the_order_of_the_targets(tmp_path):
    y = noise(1, 10)
    with open_group([tmp_path / "a", tmp_path / "b"], SR, 1, 10, format="wav") as group:
        group.append([y, 2 * y[0]])
    np.testing.assert_array_equal(read(tmp_path / "a").samples, y)
    np.testing.assert_array_equal(read(tmp_path / "b").samples, 2 * y)


def test_many_channels_may_have_few_samples(tmp_path):
    y = noise(40, 33)
    with open_group([tmp_path / "a"], SR, 40, 33, format="wav") as group:
        for start in range(0, 33, 3):
            group.append([y[:, start : start + 3]])
    np.testing.assert_array_equal(read(tmp_path / "a").samples, y)


def test_a_wav_too_large_for_its_header_becomes_rf64(tmp_path, monkeypatch):
    monkeypatch.setattr(encoding, "_MAX_BYTES", 4000)
    for frames, container in ((1000, "WAV"), (1001, "RF64")):
        append({tmp_path / container: noise(1, frames)}, format="wav")
        assert read(tmp_path / container).format == container
    write_group({tmp_path / "x": noise(1, 1001)}, SR, format="wav")
    assert (tmp_path / "x").read_bytes() == (tmp_path / "RF64").read_bytes()
    with pytest.raises(ParameterError, match="aiff holds up to 4 GiB"):
        append({tmp_path / "y": noise(1, 1001)}, format="aiff")


def test_clip_error_is_raised_at_the_block(tmp_path):
    targets = [tmp_path / "bass.flac", tmp_path / "kick.flac"]
    with open_group(targets, SR, 1, 30, format="flac", clip="error") as group:
        for _ in range(2):
            group.append([noise(1, 10), np.full((1, 10), 1.0)])
        with pytest.raises(ContentError, match=r"kick peaks at 1\.5 \(\+3\.52 dBFS\)"):
            group.append([noise(1, 10), np.full((1, 10), 1.5)])
        group.append([noise(1, 10), np.full((1, 10), 1.0)])
    assert group.written.gain == 1


def test_wrong_blocks_are_refused(tmp_path):
    a, y = tmp_path / "a.wav", noise(2, 10)
    cases = [
        (ShapeError, "got 2 blocks for 1 files", [y, y]),
        (ParameterError, r"b: is not one of the files", {tmp_path / "b": y}),
        (ShapeError, r"a: got a block of shape \(1, 10\); need \(channel, sample\)", [y[:1]]),
        (ShapeError, r"a: got a block of shape \(1, 2, 10\)", [y[np.newaxis]]),
        (ShapeError, "got 25 samples so far, where 20 in all", [noise(2, 15)]),
        (ParameterError, "dtype float64 after others of float32", [y.astype(float)]),
        (ParameterError, "a has dtype int64; audio must be floating point", [np.ones((2, 5), int)]),
        (ContentError, "a has 1 NaN or infinite samples", [np.diag([np.nan, 1]).astype("f4")]),
    ]
    with open_group([a], SR, 2, 20, format="wav") as group:
        group.append([y])
        for error, message, block in cases:
            with pytest.raises(error, match=message):
                group.append(block)
        with pytest.raises(ParameterError, match="not complete before the end"):
            print(group.written)
        group.append([y])
    np.testing.assert_array_equal(read(a).samples, np.hstack([y, y]))
    with pytest.raises(ContentError, match="beyond 32-bit float"):
        append({tmp_path / "x": np.full((1, 4), 1e300)}, format="wav")


@pytest.mark.parametrize("format", ["wav", "flac", "mp3"])
def test_a_file_shorter_than_announced_is_not_kept(tmp_path, format):
    targets = [tmp_path / "new" / "a", tmp_path / "new" / "b"]
    opened = open_group(targets, SR, 1, 9, format=format)
    group = opened.__enter__()
    group.append([noise(1, 5), noise(1, 5)])
    group.append({targets[0]: noise(1, 4)})
    with pytest.raises(ShapeError, match="b: got 5 samples, where 9 were announced"):
        opened.__exit__(None, None, None)
    assert tree(tmp_path) == []


def test_what_a_group_cannot_be_is_refused(tmp_path):
    a = tmp_path / "a"
    cases = [
        ({"channels": 9}, {"format": "flac"}, "1 to 8 channels"),
        ({"samples": 0}, {"format": "wav"}, "samples must be an integer of at least 1"),
        ({"samples": 1.5}, {"format": "wav"}, "samples must be an integer"),
        ({}, {"format": "wav", "clip": "loud"}, "clip='loud'"),
        ({}, {"format": "mp3", "bitrate": 1}, "has bitrates of"),
    ]
    for shape, options, message in cases:
        with (
            pytest.raises(ParameterError, match=message),
            open_group([a], SR, *({"channels": 1, "samples": 9} | shape).values(), **options) as g,
        ):
            g.append([noise(1, 9)])
    a.write_text("old")
    with (
        pytest.raises(OutputError, match="exists; use"),
        open_group([a], SR, 1, 9, format="wav"),
    ):
        pytest.fail("nothing is to be done")
    assert a.read_text() == "old"
    append({a: noise()}, format="wav", overwrite=True)
    assert read(a).samples.shape == (2, 40_000)


@pytest.mark.parametrize("format", ["wav", "flac", "ogg"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_nothing_is_left_after_an_error(tmp_path, format, error):
    with suppress(error), open_group([tmp_path / "new" / "x"], SR, 2, 9, format=format) as group:
        group.append([noise(2, 5)])
        raise error
    assert tree(tmp_path) == []


@pytest.mark.parametrize("format", ["wav", "flac"])
def test_what_reads_back_differently_is_not_kept(tmp_path, monkeypatch, format):
    original = soundfile.SoundFile.write

    def distort(self, data):
        other = data.copy()
        other[-1] = 0
        original(self, other)

    monkeypatch.setattr(soundfile.SoundFile, "write", distort)
    with pytest.raises(OutputError, match="reads back differently"):
        append({tmp_path / "x": noise()}, format=format)
    assert tree(tmp_path) == []


@pytest.mark.parametrize("format", ["wav", "flac", "mp3"])
def test_a_full_disk_leaves_nothing(tmp_path, format):
    """A limit on the size of files stands for the disk."""
    script = textwrap.dedent("""
        import resource, sys
        from pathlib import Path
        import numpy as np
        import nmfaudio.audio.io as io
        from nmfaudio.errors import OutputError
        rng = np.random.default_rng(0)
        folder = Path(sys.argv[1]) / "new"
        resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
        targets = [folder / "x", folder / "y"]
        try:
            with io.open_group(targets, 48000, 2, 400_000, format=sys.argv[2]) as group:
                for _ in range(100):
                    group.append([rng.uniform(-1, 1, (2, 4000)) for _ in targets])
        except OutputError as error:
            print(error)
    """)
    command = [sys.executable, "-c", script, str(tmp_path), format]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert result.stdout.strip().endswith(": cannot be written: File too large")
    assert tree(tmp_path) == []
