"""Tracks: any slice of a file has the samples that reading the whole has."""

import io
import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
from audio_files import SR, encode, noise, quietly, saved

import nmfaudio as na
from nmfaudio.audio.io import open_track, track
from nmfaudio.errors import AudioFileError, AudioWarning, ContentError, ParameterError

CODINGS = [
    ("WAV", "PCM_U8"),
    ("WAV", "PCM_16"),
    ("WAV", "PCM_32"),
    ("WAV", "FLOAT"),
    ("WAV", "DOUBLE"),
    ("WAV", "ULAW"),
    ("WAV", "MS_ADPCM"),
    ("WAV", "IMA_ADPCM"),
    ("WAVEX", "PCM_24"),
    ("RF64", "PCM_16"),
    ("W64", "PCM_24"),
    ("AIFF", "PCM_S8"),
    ("AIFF", "FLOAT"),
    ("AU", "PCM_16"),
    ("CAF", "PCM_24"),
    ("CAF", "ALAC_24"),
    ("FLAC", "PCM_16"),
    ("FLAC", "PCM_24"),
    ("OGG", "VORBIS"),
    ("OGG", "OPUS"),
    ("MP3", "MPEG_LAYER_III"),
]


@pytest.fixture(autouse=True)
def small_windows(monkeypatch):
    """Few frames are kept, so that short files are decoded as long ones are."""
    monkeypatch.setattr(track, "_WINDOW", 16384)
    monkeypatch.setattr(track, "_KEPT_BYTES", 0)
    monkeypatch.setattr(track, "_KEPT_WINDOWS", 2)


def opened(source, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AudioWarning)
        return open_track(source, **options)


def windows(length, count=12, seed=0):
    """Pairs of ascending positions: the ends, and others at random in any order."""
    rng = np.random.default_rng(seed)
    pairs = np.sort(rng.integers(0, length + 1, (count, 2)), axis=1).tolist()
    return [(length - 1, length), (0, 1), (0, length), (5, 5), *pairs]


@pytest.mark.parametrize(("container", "subtype"), CODINGS)
def test_any_window_in_any_order_has_the_samples_of_read(tmp_path, container, subtype):
    path = saved(tmp_path, encode(noise(70_000), container, subtype))
    y = na.read(path).samples
    with open_track(path) as recording:
        assert (recording.shape, recording.dtype) == (y.shape, y.dtype)
        assert (len(recording), recording.ndim) == (len(y), y.ndim)
        assert (recording.max(), recording.min()) == (y.max(), y.min())
        for start, stop in windows(y.shape[1]):
            part = recording[:, start:stop]
            assert part.dtype == y.dtype
            assert part.flags.c_contiguous
            np.testing.assert_array_equal(part, y[:, start:stop])


@pytest.mark.parametrize(("container", "subtype"), [("WAV", "PCM_16"), ("OGG", "VORBIS")])
def test_slices_are_those_of_an_array(container, subtype):
    data = encode(noise(20_000, 1), container, subtype)
    y = na.read(io.BytesIO(data)).samples
    with open_track(io.BytesIO(data)) as recording:
        for part in (slice(None), slice(-5, None), slice(0, 10**9), slice(9, 3), slice(3, 9, 1)):
            np.testing.assert_array_equal(recording[:, part], y[:, part])
        for key in (0, slice(5), (0, slice(5)), (slice(None), 5), (slice(None), slice(0, 9, 2))):
            with pytest.raises(ParameterError, match=r"as in track\[:, start:stop\]"):
                recording[key]


@pytest.mark.parametrize(("container", "subtype"), CODINGS)
def test_an_excerpt_is_that_of_read(tmp_path, container, subtype):
    path = saved(tmp_path, encode(noise(70_000), container, subtype))
    excerpt = na.read(path, start=2.1, stop=6.3)
    with open_track(path, start=2.1, stop=6.3) as recording:
        assert (recording.offset, recording.shape) == (excerpt.offset, excerpt.samples.shape)
        assert recording.peak == np.abs(excerpt.samples).max()
        for start, stop in windows(recording.shape[1]):
            np.testing.assert_array_equal(recording[:, start:stop], excerpt.samples[:, start:stop])


def damaged_flac():
    data = bytearray(encode(noise(60_000), "FLAC", "PCM_16"))
    data[len(data) // 2 : len(data) // 2 + 100] = bytes(100)
    return bytes(data)


@pytest.mark.parametrize(
    "data",
    [
        encode(noise(60_000))[:-30_001],
        encode(noise(60_000))[:40] + bytes(4) + encode(noise(60_000))[44:],
        encode(noise(60_000), "FLAC", "PCM_16")[:-20_000],
        encode(noise(60_000), "OGG", "VORBIS")[:-9000],
        encode(noise(60_000), "MP3", "MPEG_LAYER_III")[:-9000],
        damaged_flac(),
    ],
    ids=["short", "streamed", "short FLAC", "short Ogg", "short MP3", "damaged FLAC"],
)
def test_what_is_wrong_with_a_file_is_judged_as_by_read(data):
    whole = quietly(io.BytesIO(data), salvage=True)
    assert whole.warnings
    with opened(io.BytesIO(data), salvage=True) as recording:
        assert recording.warnings == whole.warnings
        assert recording.shape == whole.samples.shape
        for start, stop in windows(recording.shape[1]):
            np.testing.assert_array_equal(recording[:, start:stop], whole.samples[:, start:stop])
    for options in ({}, {"strict": True}, {"strict": True, "salvage": True}):
        outcomes = []
        for function in (quietly, opened):
            try:
                outcomes.append(function(io.BytesIO(data), **options).warnings)
            except AudioFileError as error:
                outcomes.append(str(error))
        assert outcomes[0] == outcomes[1]


def test_warnings_are_issued():
    with pytest.warns(AudioWarning, match="cut short") as issued:
        open_track(io.BytesIO(encode(noise(100))[:-40])).close()
    assert issued[0].filename == __file__


def test_samples_that_are_not_finite_are_refused_or_zero():
    samples = noise(40_000)
    samples[30_000:30_003, 1] = np.nan, np.inf, -np.inf
    data = encode(samples, subtype="FLOAT")
    with pytest.raises(
        ContentError, match=r"3 samples are NaN, infinite or beyond 1e\+32, the first at 3\.750 s"
    ):
        open_track(io.BytesIO(data))
    whole = quietly(io.BytesIO(data), nonfinite="zero")
    with opened(io.BytesIO(data), nonfinite="zero") as recording:
        assert recording.warnings == whole.warnings
        np.testing.assert_array_equal(recording[:, 20_000:], whole.samples[:, 20_000:])


def test_what_read_refuses_is_refused():
    data = encode(noise(100))
    for options in ({"start": 1}, {"stop": -1}, {"start": 2, "stop": 1}, {"nonfinite": "x"}):
        messages = []
        for function in (na.read, open_track):
            with pytest.raises(ParameterError) as caught:
                function(io.BytesIO(data), **options)
            messages.append(str(caught.value))
        assert messages[0] == messages[1]
    with pytest.raises(ContentError, match="has no frames"):
        open_track(io.BytesIO(encode(noise(0))))
    with pytest.raises(AudioFileError, match="not an audio file"):
        open_track(io.BytesIO(b"text"))


@pytest.mark.parametrize(("container", "subtype"), [("FLAC", "PCM_16"), ("OGG", "VORBIS")])
def test_threads_read_at_once(tmp_path, container, subtype):
    path = saved(tmp_path, encode(noise(70_000), container, subtype))
    y = na.read(path).samples
    with open_track(path) as recording, ThreadPoolExecutor(4) as pool:
        pairs = windows(y.shape[1], 40)
        parts = pool.map(lambda pair: recording[:, pair[0] : pair[1]], pairs)
        for (start, stop), part in zip(pairs, parts, strict=True):
            np.testing.assert_array_equal(part, y[:, start:stop])


def test_neighbouring_windows_are_decoded_once(monkeypatch):
    monkeypatch.setattr(track, "_KEPT_WINDOWS", 3)
    with open_track(io.BytesIO(encode(noise(70_000), "OGG", "VORBIS"))) as recording:
        decoded = []
        original = recording._audio.decode
        monkeypatch.setattr(recording._audio, "decode", lambda n: decoded.append(n) or original(n))
        for start in range(0, 60_000, 3000):
            for before in (0, 9000, 4000):
                recording[:, max(start - before, 0) : start + 5000]
        assert sum(decoded) <= 70_000


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-1000]),
        lambda path: path.write_bytes(path.read_bytes() + b"more"),
        lambda path: os.utime(path, ns=(0, 0)),
    ],
    ids=["shorter", "longer", "touched"],
)
@pytest.mark.parametrize(("container", "subtype"), [("WAV", "PCM_16"), ("OGG", "VORBIS")])
def test_a_file_that_is_changed_is_not_read_on(tmp_path, change, container, subtype):
    path = saved(tmp_path, encode(noise(70_000), container, subtype))
    with open_track(path) as recording:
        recording[:, :100]
        change(path)
        with pytest.raises(AudioFileError, match=r"x\.wav: was changed while it was read; wait"):
            recording[:, 40_000:]
        with pytest.raises(AudioFileError, match="was changed"):
            recording.check_unchanged()


def test_a_file_that_is_replaced_is_read_on(tmp_path):
    path = saved(tmp_path, encode(noise(70_000)))
    y = na.read(path).samples
    with open_track(path) as recording:
        os.replace(saved(tmp_path, b"other", "other"), path)
        np.testing.assert_array_equal(recording[:, 30_000:], y[:, 30_000:])


@pytest.mark.parametrize("kind", [na.Stft, na.Mel, partial(na.Cqt, n_bins=60)])
def test_transforms_and_masks_take_a_track(tmp_path, kind):
    path = saved(tmp_path, encode(noise(50_000)))
    y = na.read(path).samples
    transform = kind(SR)
    grid = (2, len(transform.frequencies), transform.n_frames(50_000))
    shares = np.random.default_rng(1).uniform(size=grid)
    with open_track(path) as recording:
        blocks = zip(
            transform.forward_blocks(recording, 37), transform.forward_blocks(y, 37), strict=True
        )
        for from_track, from_array in blocks:
            np.testing.assert_array_equal(from_track, from_array)
        np.testing.assert_array_equal(
            na.audio.analyse(recording, transform), na.audio.analyse(y, transform)
        )
        stems = [
            na.audio.apply_masks(lambda frames: shares[..., frames], 2, audio, transform)
            for audio in (recording, y)
        ]
    np.testing.assert_array_equal(*stems)


@pytest.mark.parametrize(
    ("container", "subtype", "method"),
    [
        ("FLAC", "PCM_16", "read"),
        ("FLAC", "PCM_16", "seek"),
        ("OGG", "VORBIS", "read"),
        ("OGG", "VORBIS", "close"),
    ],
)
def test_after_an_interrupt_samples_are_in_their_places(container, subtype, method):
    data = encode(noise(70_000), container, subtype)
    y = na.read(io.BytesIO(data)).samples
    with open_track(io.BytesIO(data)) as recording:
        recording[:, 40_000:]
        kind = type(recording._audio.sound)
        original = getattr(kind, method)

        def interrupted(self, *args, **options):
            original(self, *args, **options)
            raise KeyboardInterrupt

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(kind, method, interrupted)
            with pytest.raises(KeyboardInterrupt):
                recording[:, 20_000:21_000]
        np.testing.assert_array_equal(recording[:, :50_000], y[:, :50_000])


def test_a_track_is_closed_with_its_block(tmp_path):
    path = saved(tmp_path, encode(noise(100)))
    before = len(os.listdir("/proc/self/fd"))
    with open_track(path):
        assert len(os.listdir("/proc/self/fd")) == before + 1
    assert len(os.listdir("/proc/self/fd")) == before
    with pytest.raises(ParameterError):
        open_track(path, start=5)
    assert len(os.listdir("/proc/self/fd")) == before
