"""Writing: what is read back is what was given, or nothing is there."""

import io
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from nmfaudio.audio.io import FORMATS, check_format, encoding, read, write, write_group, writing
from nmfaudio.errors import ContentError, OutputError, ParameterError, ShapeError

SR = 48000  # the one rate that every format holds
BITS = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}
CODINGS = (*BITS, "FLOAT", "DOUBLE")
LOSSLESS = [
    (format, subtype)
    for format, (container, usual) in FORMATS.items()
    for subtype in CODINGS
    if usual in CODINGS and soundfile.check_format(container, subtype)
    if (format, subtype) not in [("aiff", "PCM_S8"), ("aiff", "PCM_U8")]
]
LOSSY = ["ogg", "opus", "mp3"]


def noise(channels=2, frames=1000, dtype=np.float32, seed=0):
    return np.random.default_rng(seed).uniform(-0.9, 0.9, (channels, frames)).astype(dtype)


def tree(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def read_exactly(path):
    return soundfile.read(path, dtype="float64", always_2d=True)[0].T


@pytest.mark.parametrize(("format", "subtype"), LOSSLESS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_lossless_round_trip(tmp_path, format, subtype, dtype):
    for channels in range(1, 9):
        for frames in (1, 16384 + channels):
            y = noise(channels, frames, dtype)
            path = tmp_path / f"{channels}-{frames}"
            written = write_group({path: y}, SR, format=format, subtype=subtype)
            assert (written.paths, written.gain) == ((path,), 1.0)
            back = read(path)
            assert (back.sr, back.subtype, back.samples.shape) == (SR, subtype, y.shape)
            if subtype in BITS:
                half_step = 2.0 ** -BITS[subtype]
                np.testing.assert_allclose(read_exactly(path), y, rtol=0, atol=half_step)
            else:
                same = y.astype(np.float32 if subtype == "FLOAT" else np.float64)
                np.testing.assert_array_equal(back.samples, same)


@pytest.mark.parametrize(("format", "subtype"), [*LOSSLESS, *((name, None) for name in LOSSY)])
def test_stored_blocks_are_the_samples_of_the_file(tmp_path, format, subtype):
    path, y = tmp_path / "x", 2 * noise(2, 20_000)
    written = write_group({path: y}, SR, format=format, subtype=subtype)
    blocks = np.concatenate(list(writing.stored_blocks(path, y, written)))
    decoded = soundfile.read(path, dtype="float32" if subtype is None else "float64")[0]
    np.testing.assert_array_equal(blocks, decoded)


@pytest.mark.parametrize(("format", "subtype"), LOSSLESS)
def test_what_was_read_is_written_back_to_the_bit(tmp_path, format, subtype):
    write_group({tmp_path / "a": noise()}, SR, format=format, subtype=subtype)
    first = read(tmp_path / "a")
    write_group({tmp_path / "b": first.samples}, SR, format=format, subtype=subtype)
    np.testing.assert_array_equal(read(tmp_path / "b").samples, first.samples)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("format", LOSSY)
@pytest.mark.parametrize("channels", [1, 2])
def test_lossy_round_trip_keeps_length_and_sound(tmp_path, format, channels):
    for frames in (1, 999, 40000):
        path = tmp_path / str(frames)
        tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(frames) / SR)
        y = np.repeat(tone[np.newaxis], channels, axis=0).astype(np.float32)
        write_group({path: y}, SR, format=format)
        back = read(path)
        assert (back.samples.shape, back.sr, back.warnings) == (y.shape, SR, ())
        if frames == 40000:
            assert np.abs(back.samples - y)[:, 5000:-5000].max() < 0.05


@pytest.mark.parametrize("format", ["ogg", "opus"])
def test_eight_channels_in_ogg(tmp_path, format):
    write_group({tmp_path / "x": noise(8, 5000)}, SR, format=format)
    assert read(tmp_path / "x").samples.shape == (8, 5000)


def test_a_minute_of_ogg(tmp_path):
    write_group({tmp_path / "x.ogg": noise(1, 61 * 22050)}, 22050, format="ogg")
    assert read(tmp_path / "x.ogg").samples.shape == (1, 61 * 22050)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_stems_written_as_integers_sum_to_the_mix(tmp_path_factory, data):
    """Within half a step for each stem and for the mix, whatever the peaks."""
    folder = tmp_path_factory.mktemp("sum")
    format, subtype = data.draw(st.sampled_from([pair for pair in LOSSLESS if pair[1] in BITS]))
    count = data.draw(st.integers(1, 4))
    values = st.floats(-1.5, 1.5, width=32)
    stems = [
        np.array(data.draw(st.lists(values, min_size=20, max_size=20)), np.float64)
        for _ in range(count)
    ]
    targets = {folder / str(index): stem for index, stem in enumerate((*stems, sum(stems)))}
    written = write_group(targets, SR, format=format, subtype=subtype)
    *parts, mix = [read_exactly(path) for path in targets]
    step = 2.0 ** (1 - BITS[subtype])
    assert np.abs(mix - sum(parts)).max() <= (count + 1) / 2 * step * (1 + 1e-6)
    for path, y in targets.items():
        error = np.abs(read_exactly(path) - written.gain * y).max()
        assert error <= step / 2 * (1 + 1e-6)


def test_silence_and_a_single_sample_are_ordinary(tmp_path):
    for format in FORMATS:
        write_group({tmp_path / format: np.zeros((1, 1), np.float32)}, SR, format=format)
        assert np.abs(read(tmp_path / format).samples).max() < 1e-30  # Opus adds as little


@pytest.mark.parametrize(("subtype", "bits"), [("PCM_16", 16), ("PCM_24", 24), ("PCM_U8", 8)])
def test_the_highest_code_is_reached_and_not_passed(tmp_path, subtype, bits):
    step = 2.0 ** (1 - bits)
    for peak, gain in ((1 - step, 1.0), (1 - 0.51 * step, 1.0), (1.0, 1 - step), (-1.0, 1.0)):
        y = np.array([[peak, peak / 2, 0.0]])
        path = tmp_path / f"{peak}.wav"
        assert write_group({path: y}, SR, format="wav", subtype=subtype).gain == gain
        assert np.abs(read_exactly(path)).max() == pytest.approx(abs(peak) * gain, abs=step)
        assert abs(read_exactly(path)[0, 0]) == (1.0 if peak == -1 else 1 - step)


@pytest.mark.parametrize(("format", "subtype"), [("wav", "PCM_16"), ("flac", None), ("mp3", None)])
def test_peaks_over_full_scale_get_one_common_gain(tmp_path, format, subtype):
    loud, soft = noise() * 4, noise(seed=1) / 4
    targets = {tmp_path / "loud": loud, tmp_path / "soft": soft}
    gain = write_group(targets, SR, format=format, subtype=subtype).gain
    assert gain == pytest.approx(1 / np.abs(loud).max(), rel=1e-4)
    for path, y in targets.items():
        samples = read(path).samples
        assert samples.std() == pytest.approx(gain * y.std(), rel=0.3)
        if format != "mp3":
            np.testing.assert_allclose(samples, y * gain, rtol=0, atol=2.0**-16)
    before = loud.copy()
    assert write_group({tmp_path / "float": loud}, SR, format="wav").gain == 1
    np.testing.assert_array_equal(loud, before)
    np.testing.assert_array_equal(read(tmp_path / "float").samples, loud)


def test_clip_error_names_the_stem_and_its_peak(tmp_path):
    targets = {tmp_path / "bass.flac": noise(), tmp_path / "kick.flac": np.full((1, 9), -1.5)}
    with pytest.raises(ContentError, match=r"kick peaks at 1\.5 \(\+3\.52 dBFS\).*full scale"):
        write_group(targets, SR, format="flac", clip="error")
    assert tree(tmp_path) == []


def test_full_scale_itself_is_no_clipping(tmp_path):
    y = np.array([[1.0, -1.0]])
    write_group({tmp_path / "x": y}, SR, format="wav", subtype="PCM_16", clip="error")
    np.testing.assert_array_equal(read(tmp_path / "x").samples, [[1 - 2**-15, -1]])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_never_written(tmp_path, value):
    y = noise()
    y[1, 700] = value
    for format in FORMATS:
        with pytest.raises(ContentError, match=r"bad has 1 NaN or infinite samples"):
            write_group({tmp_path / "good": noise(), tmp_path / "bad": y}, SR, format=format)
    assert tree(tmp_path) == []


def test_what_float32_cannot_hold_is_refused(tmp_path):
    y = np.full((1, 4), 1e300)
    with pytest.raises(ContentError, match="beyond 32-bit float"):
        write_group({tmp_path / "x": y}, SR, format="wav")
    write_group({tmp_path / "x": y}, SR, format="wav", subtype="DOUBLE")
    np.testing.assert_array_equal(soundfile.read(tmp_path / "x", always_2d=True)[0].T, y)


@pytest.mark.parametrize(
    ("format", "subtype", "channels", "sr", "message"),
    [
        ("m4a", None, 2, SR, "'m4a', which cannot be written; need one of wav, flac"),
        ("flac", None, 9, SR, "1 to 8 channels, got 9; write wav"),
        ("flac", "FLOAT", 2, SR, "cannot be written as FLOAT; need one of PCM_S8, PCM_16, PCM_24"),
        ("flac", None, 2, 655_360, "flac holds sample rates up to"),
        ("flac", None, 2, 65_537, "in tens"),
        ("mp3", None, 3, SR, "1 to 2 channels, got 3; write wav"),
        ("mp3", None, 2, 96_000, r"32000, 44100, 48000 Hz, got 96000; write flac or wav"),
        ("opus", None, 2, 44_100, "8000, 12000, 16000, 24000, 48000 Hz, got 44100"),
        ("ogg", "OPUS", 2, SR, "cannot be written as OPUS; need one of VORBIS"),
        ("ogg", None, 2, 200_001, "up to 200000 Hz"),
        ("wav", "PCM_S8", 2, SR, "cannot be written as PCM_S8"),
        ("aiff", "PCM_U8", 2, SR, "need one of PCM_16, PCM_24, PCM_32, FLOAT, DOUBLE"),
        ("wav", "nonsense", 2, SR, "cannot be written as NONSENSE"),
        ("wav", None, 0, SR, "1 to 1024 channels, got 0"),
        ("wav", None, 1, 99, "must be a whole number of Hz from 100"),
        ("wav", None, 1, 44_100.5, "must be a whole number of Hz"),
    ],
)
def test_what_a_format_cannot_hold_is_refused(format, subtype, channels, sr, message):
    with pytest.raises(ParameterError, match=message):
        check_format(format, subtype, channels, sr)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("sr", [100, 8000, 44_100, 192_000, 200_000, 655_350, 1_500_000])
def test_what_a_format_can_hold_is_written(tmp_path, format, sr):
    """The limits are libsndfile's: everything that passes the check is really written."""
    try:
        check_format(format, None, 1, sr)
    except ParameterError:
        assert format in ("flac", "ogg", "opus", "mp3")
        return
    write_group({tmp_path / "x": noise(1, 100)}, sr, format=format)
    assert read(tmp_path / "x").sr == sr


def test_formats_are_given_in_any_case():
    assert check_format("WAV", "pcm_16", 2, SR) == ("WAV", "PCM_16")


def test_arrays_that_are_no_audio_are_refused(tmp_path):
    cases = [
        (ShapeError, "looks transposed", np.zeros((100, 2), np.float32)),
        (ShapeError, r"or \(channel, sample\)", np.zeros((1, 1, 5), np.float32)),
        (ParameterError, "x has dtype int16; audio must be floating", np.zeros((1, 5), np.int16)),
        (ContentError, "x is empty", np.zeros((1, 0), np.float32)),
    ]
    for error, message, y in cases:
        with pytest.raises(error, match=message):
            write(tmp_path / "x.wav", y, SR)
    with pytest.raises(ParameterError, match="clip='loud'"):
        write(tmp_path / "x.wav", noise(), SR, clip="loud")
    assert tree(tmp_path) == []


def test_write_takes_the_format_from_the_suffix(tmp_path):
    for suffix in ("wav", "WAV", "flac", "aif", "aiff", "ogg", "opus", "mp3"):
        write(tmp_path / f"x.{suffix}", noise(), SR)
    formats = [read(tmp_path / f"x.{suffix}").format for suffix in ("WAV", "aif", "flac")]
    assert formats == ["WAV", "AIFF", "FLAC"]
    for name in ("x", "x.m4a"):
        with pytest.raises(ParameterError, match="the suffix is of no format"):
            write(tmp_path / name, noise(), SR)


def test_a_sample_rate_may_be_a_numpy_integer_but_no_float(tmp_path):
    write(tmp_path / "x.wav", noise(), np.int64(SR))
    with pytest.raises(ParameterError, match="must be a whole number of Hz"):
        write(tmp_path / "y.wav", noise(), 48000.0)


def test_one_dimension_is_one_channel(tmp_path):
    y = noise()[0]
    write(str(tmp_path / "x.wav"), y, SR)
    np.testing.assert_array_equal(read(tmp_path / "x.wav").samples, y[np.newaxis])


def test_any_memory_layout_is_written(tmp_path):
    y = noise(3, 500)
    write_group(
        {tmp_path / "f": np.asfortranarray(y), tmp_path / "r": y[:, ::-1]}, SR, format="wav"
    )
    np.testing.assert_array_equal(read(tmp_path / "f").samples, y)
    np.testing.assert_array_equal(read(tmp_path / "r").samples, y[:, ::-1])


def test_existing_files_are_refused_before_any_work_and_overwritten_when_asked(tmp_path):
    (tmp_path / "x.wav").write_text("old")
    with pytest.raises(OutputError, match=r"x\.wav: exists; use"):
        write(tmp_path / "x.wav", noise(), SR)
    assert (tmp_path / "x.wav").read_text() == "old"
    write(tmp_path / "x.wav", noise(), SR, overwrite=True)
    assert read(tmp_path / "x.wav").samples.shape == (2, 1000)


def test_names_that_are_not_utf8(tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9\n.wav"))
    write(path, noise(), SR)
    assert read(path).samples.shape == (2, 1000)


@pytest.mark.parametrize("format", ["wav", "aiff", "flac", "caf", "w64", "au", "mp3"])
def test_the_same_sound_makes_the_same_bytes(tmp_path, format):
    write_group({tmp_path / "a": noise()}, SR, format=format)
    write_group({tmp_path / "b": noise()}, SR, format=format)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_no_time_of_day_is_left_in_a_float_file(tmp_path):
    for format, order in (("wav", "little"), ("aiff", "big")):
        write_group({tmp_path / format: noise()}, SR, format=format)
        data = (tmp_path / format).read_bytes()
        at = data.index(b"PEAK") + 8
        assert int.from_bytes(data[at : at + 4], order) == 1  # the version
        assert data[at + 4 : at + 8] == bytes(4)


def test_a_wav_too_large_for_its_header_becomes_rf64(tmp_path, monkeypatch):
    monkeypatch.setattr(encoding, "_MAX_BYTES", 4000)
    write(tmp_path / "small.wav", noise(1, 1000), SR)
    write(tmp_path / "large.wav", noise(1, 1001), SR)
    assert read(tmp_path / "small.wav").format == "WAV"
    assert read(tmp_path / "large.wav").format == "RF64"
    np.testing.assert_array_equal(read(tmp_path / "large.wav").samples, noise(1, 1001))


@pytest.mark.parametrize("format", ["wav", "flac", "ogg", "mp3"])
def test_a_full_disk_leaves_nothing(tmp_path, format):
    """A limit on the size of files stands for the disk."""
    script = textwrap.dedent("""
        import resource, sys
        from pathlib import Path
        import numpy as np
        import nmfaudio.audio.io as io
        from nmfaudio.errors import OutputError
        y = np.random.default_rng(0).uniform(-1, 1, (2, 400_000))
        folder = Path(sys.argv[1])
        resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
        targets = {folder / "new" / "small": y[:, :1000], folder / "new" / "large": y}
        try:
            io.write_group(targets, 48000, format=sys.argv[2])
        except OutputError as error:
            print(error)
    """)
    command = [sys.executable, "-c", script, str(tmp_path), format]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert result.stdout.strip().endswith("large: cannot be written: File too large")
    assert tree(tmp_path) == []


def test_an_interrupt_while_writing_leaves_nothing(tmp_path, monkeypatch):
    original = soundfile.SoundFile.write

    def interrupted(self, data):
        original(self, data)
        raise KeyboardInterrupt

    monkeypatch.setattr(soundfile.SoundFile, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_group({tmp_path / "new" / "x": noise()}, SR, format="flac")
    assert tree(tmp_path) == []


def test_a_second_stem_that_fails_takes_the_first_with_it(tmp_path, monkeypatch):
    original = soundfile.SoundFile.write

    def fail(self, data):
        if data.shape[1] == 1:
            raise soundfile.LibsndfileError(2)
        original(self, data)

    monkeypatch.setattr(soundfile.SoundFile, "write", fail)
    targets = {tmp_path / "one": noise(2), tmp_path / "two": noise(1)}
    with pytest.raises(OutputError, match="two: could not be written"):
        write_group(targets, SR, format="wav")
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
        write_group({tmp_path / "x": noise()}, SR, format=format)
    assert tree(tmp_path) == []


def test_a_short_file_is_not_kept(tmp_path, monkeypatch):
    original = soundfile.SoundFile.write
    monkeypatch.setattr(soundfile.SoundFile, "write", lambda self, data: original(self, data[:-1]))
    for format in ("wav", "mp3"):
        with pytest.raises(OutputError, match="reads back differently"):
            write_group({tmp_path / "x": noise()}, SR, format=format)
    assert tree(tmp_path) == []


def test_written_files_read_from_memory_too(tmp_path):
    write(tmp_path / "x.flac", noise(), SR)
    data = io.BytesIO((tmp_path / "x.flac").read_bytes())
    np.testing.assert_array_equal(read(data).samples, read(tmp_path / "x.flac").samples)
