"""Sound of containers that libsndfile does not read, in files that PyAV writes here."""

from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest
from audio_files import noise, saved

from nmfaudio.audio.io import inspect, open_track, read
from nmfaudio.audio.io.tags import read_tags
from nmfaudio.cli.inputs import find_inputs
from nmfaudio.errors import AudioFileError, AudioWarning

av = pytest.importorskip("av")
SR = 44100
LENGTH = 2 * SR
CODINGS = {  # container, codec, whether it is exact
    "x.m4a": ("ipod", "aac", False),
    "alac.m4a": ("ipod", "alac", True),
    "x.aac": ("adts", "aac", False),
    "x.mkv": ("matroska", "flac", True),
    "x.mov": ("mov", "pcm_s24le", True),
    "x.avi": ("avi", "pcm_s16le", True),
}


def sound(frames=LENGTH):
    """Low-pass noise in steps of 16 bits [shape=(channel, sample)], which codecs keep."""
    y = np.cumsum(noise(frames).T, axis=1)
    y -= np.linspace(0, 1, frames) * y[:, -1:]
    return np.round(y / np.abs(y).max() * 2**14) / 2**15


def written(path, y, container, codec, picture=False, metadata=(), options=None):
    with av.open(str(path), "w", format=container, options=options or {}) as out:
        out.metadata.update(metadata)
        video = out.add_stream("mpeg4", rate=10) if picture else None
        if video:
            video.width = video.height = 16
            video.pix_fmt = "yuv420p"
        rate = 48_000 if codec == "libopus" else SR
        stream = out.add_stream(codec, rate=rate, layout="stereo")
        if video:
            for packet in video.encode(av.VideoFrame(16, 16, "yuv420p")):
                out.mux(packet)
        whole = np.ascontiguousarray((y * 2.0**31).astype(np.int32))
        frame = av.AudioFrame.from_ndarray(whole, format="s32p", layout="stereo")
        frame.sample_rate, frame.pts = SR, 0
        context = stream.codec_context
        resampler = av.AudioResampler(context.format, context.layout, rate)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            for packet in stream.encode(part):
                out.mux(packet)
        for each in filter(None, (video, stream)):
            for packet in each.encode(None):
                out.mux(packet)
    return path


@pytest.mark.parametrize("name", CODINGS)
def test_whole_files_excerpts_and_slices_have_the_same_samples(tmp_path, name):
    container, codec, exact = CODINGS[name]
    y = sound()
    path = written(tmp_path / name, y, container, codec, picture=name in ("x.mkv", "x.avi"))
    audio = read(path)
    assert audio.sr == SR
    assert audio.warnings == ()
    assert 0 <= audio.samples.shape[1] - y.shape[1] <= 3 * 1024
    if exact:
        np.testing.assert_array_equal(audio.samples, y)
    elif name == "x.m4a":  # the delay of the encoder is in the edit list
        assert np.corrcoef(audio.samples[0, : y.shape[1]], y[0])[0, 1] > 0.9
    assert inspect(path).frames == audio.samples.shape[1]
    excerpt = read(path, start=1, stop=1.5)
    np.testing.assert_array_equal(excerpt.samples, audio.samples[:, SR : SR + SR // 2])
    with open_track(path) as track:
        for start in (50_000, 20_000):  # the second one is before the first
            np.testing.assert_array_equal(
                track[:, start : start + 30_000], audio.samples[:, start : start + 30_000]
            )


def test_folders_are_searched_for_containers_of_sound_but_not_for_videos(tmp_path):
    codings = {
        "a.m4a": ("ipod", "aac"),
        "b.M4B": ("ipod", "aac"),
        "c.aac": ("adts", "aac"),
        "d.mka": ("matroska", "flac"),
        "e.weba": ("webm", "libopus"),
        "f.wma": ("asf", "pcm_s16le"),
    }
    for name, (container, codec) in codings.items():
        written(tmp_path / name, sound(4096), container, codec)
    written(tmp_path / "video.mp4", sound(4096), "mp4", "aac", picture=True)
    found = [Path(item.source) for item in find_inputs([str(tmp_path)])]
    assert [path.name for path in found] == list(codings)
    assert all(inspect(path).frames >= 4096 for path in found)


def test_a_file_that_was_cut_short_is_told(tmp_path):
    # Its index comes first, as in files for streaming.
    path = written(tmp_path / "x.mp4", sound(), "mp4", "flac", options={"movflags": "faststart"})
    assert read(path).warnings == ()
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(AudioFileError, match="cut short"):
        read(path, strict=True)
    with pytest.warns(AudioWarning, match="cut short"):
        kept = read(path, salvage=True)
    assert 0 < kept.samples.shape[1] < LENGTH


def test_what_ffmpeg_cannot_decode_is_one_line(tmp_path):
    data = written(tmp_path / "x.m4a", sound(), "ipod", "aac").read_bytes()
    for name, content in (("half.m4a", data[:5000]), ("head.mkv", b"\x1aE\xdf\xa3" + bytes(99))):
        with pytest.raises(AudioFileError, match="FFmpeg cannot decode") as caught:
            read(saved(tmp_path, content, name))
        assert len(str(caught.value).splitlines()) == 1


def test_tags_are_read(tmp_path):
    path = written(tmp_path / "x.m4a", sound(), "ipod", "aac", metadata={"title": "Träumerei"})
    assert read_tags(path) == {"title": "Träumerei"}


def test_attached_pictures_are_covers(tmp_path):
    image = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
    with av.open(str(tmp_path / "x.m4a"), "w", format="mp4") as out:
        stream, picture = out.add_stream("aac", rate=SR, layout="mono"), out.add_stream("png", 1)
        picture.width, picture.height, picture.pix_fmt = 8, 8, "rgb24"
        picture.disposition = av.stream.Disposition.attached_pic.value
        frame = av.AudioFrame.from_ndarray(sound(3000)[:1].astype("f4"), "fltp", "mono")
        frame.sample_rate = SR
        packet = av.Packet(image)
        packet.stream, packet.pts, packet.dts = picture, 0, 0
        for each in (*stream.encode(frame), *stream.encode(None), packet):
            out.mux(each)
    assert b64decode(read_tags(tmp_path / "x.m4a")["cover"]) == image
    video = written(tmp_path / "x.mkv", sound(3000), "matroska", "flac", picture=True)
    assert read_tags(video) == {}
