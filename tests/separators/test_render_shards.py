"""Stems that are rendered in shards are those of the stream, bit for bit."""

import os

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio._common.executors import InProcessExecutor
from nmfaudio.audio.io.track import open_track
from nmfaudio.errors import AudioFileError, ContentError
from nmfaudio.kernels.threads import set_threads
from nmfaudio.separators import blockwise, render_shards
from nmfaudio.separators.excerpt import Excerpt
from nmfaudio.separators.render_shards import (
    is_divisible,
    open_shards,
    prepare_shards,
    prepared_shards,
    render_shard,
    shard_messages,
)

SR, HOP, FRAMES = 8000, 64, 1060
FINE = {"n_fft": 256, "hop": HOP, "max_iter": 4}
BLIND = {"n_components": 4, **FINE}
T = np.arange(FRAMES * HOP) / SR


def recording(channels=2):
    """Tones that change, and decaying bursts of noise, at different positions."""
    tones = np.sin(2 * np.pi * 440 * 2 ** (np.floor(2 * T) % 5 / 12) * T)
    noise = np.random.default_rng(0).standard_normal(len(T)) * np.exp(-((T * 3) % 1) / 0.1)
    gains = np.array([[[0.3], [0.1]], [[0.1], [0.25]]])[:, :channels]
    return (gains[0] * tones + gains[1] * noise).astype(np.float32)


def painted():
    box = {"source": "tone", "start": 1, "end": 6, "low": 300, "high": 900}
    return na.PaintSeparator(boxes=[box], rest=True, n_components=2, **FINE)


def scored():
    notes = [na.Note(n, n + 0.7, 69 + n % 5, track="oboe") for n in range(8)]
    notes += [na.Note(n / 3, n / 3 + 0.1, 42, track="kit", channel=9) for n in range(24)]
    return na.ScoreSeparator(score=notes, aligned=True, n_free=2, n_fft=512, max_iter=4)


def voiced(**settings):
    pitch = na.separators.Pitch(T[::80], np.where(T % 1 > 0.5, 440, 0)[::80])
    return na.F0Separator(pitch=pitch, n_components=3, filters=5, **FINE, **settings)


def regrouped():
    saved = na.BlindSeparator(**BLIND).stream(recording(), SR).model()
    return na.RegroupSeparator(saved=saved, groups=("first=0,2",))


EXAMPLES = {"one": recording(1)[0, :8000], "two": np.sin(2770 * T[:8000])}
SEPARATORS = {
    "blind": lambda: na.BlindSeparator(n_sources=3, **BLIND),
    "floor": lambda: na.BlindSeparator(beta_loss=0, **BLIND),
    "no filter": lambda: na.BlindSeparator(spatial="mask", **BLIND),
    "binary": lambda: na.BlindSeparator(mask="binary", **BLIND),
    "consistent": lambda: na.BlindSeparator(refine="consistent", **BLIND),
    "misi": lambda: na.BlindSeparator(refine="misi", **BLIND),
    "hpss": lambda: na.HpssSeparator(n_components=3, models=2, **FINE),
    "drums": lambda: na.DrumSeparator(hits=True, max_iter=2),
    "guided": lambda: na.GuidedSeparator(example=EXAMPLES, n_free=2, **FINE),
    "denoise": lambda: na.DenoiseSeparator(n_free=2, exemplars=5, models=2, floor=-6, **FINE),
    "paint": painted,
    "f0": voiced,
    "score": scored,
    "regroup": regrouped,
}


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(blockwise, "LEARNING_FRAMES", 192)
    monkeypatch.setattr(blockwise, "EVIDENCE_FRAMES", 192)
    monkeypatch.setattr(render_shards, "SHARD_SECONDS", 2)


@pytest.fixture
def song(tmp_path):
    na.write(tmp_path / "song.wav", recording(), SR)
    return tmp_path / "song.wav"


def joined(blocks):
    return np.concatenate(list(blocks), axis=-1)


def stems_of_shards(separator, path, folder, **place):
    """Stems of a stream, and those of its shards."""
    with open_track(path) as track:
        stream = separator.stream(track, track.sr, **place)
        count = prepare_shards(stream, path, folder)
        whole = joined(stream.blocks())
    assert count == prepared_shards(folder) > 2
    for number in reversed(range(count)):
        render_shard(folder, number)
    with open_shards(folder, separator.finisher) as again:
        assert (again.names, again.settings) == (stream.names, stream.settings)
        assert again.learned.notes == stream.learned.notes
        assert again.learned.groups == dict(stream.learned.groups)
        again.model().save(folder / "again.npz")
        assert (folder / "again.npz").read_bytes() == (folder / "model.npz").read_bytes()
        return whole, joined(again.blocks())


@pytest.mark.filterwarnings("ignore:the recording does not sound like drums")
@pytest.mark.parametrize("name", SEPARATORS)
def test_every_separator(name, song, tmp_path):
    whole, shards = stems_of_shards(SEPARATORS[name](), song, tmp_path / "parts")
    assert shards.dtype == whole.dtype
    assert shards.tobytes() == whole.tobytes()


@pytest.mark.parametrize("seconds", [0.1, 1, 3, 100])
def test_any_number_of_shards_on_any_threads(seconds, song, tmp_path, monkeypatch):
    monkeypatch.setattr(render_shards, "SHARD_SECONDS", seconds)
    separator = na.BlindSeparator(refine="consistent", **BLIND)
    stems = na.separate_file(song, tmp_path / "whole", separator)
    set_threads(3)
    try:
        divided = na.separate_file(
            song, tmp_path / "parts", separator, executor=InProcessExecutor()
        )
    finally:
        set_threads(None)
    assert [p.name for p in (tmp_path / "parts").iterdir()] == [
        p.name for p in stems.paths.values()
    ]
    assert divided.largest_residual == stems.largest_residual
    for name, path in stems.paths.items():
        assert divided.paths[name].read_bytes() == path.read_bytes()


@pytest.mark.slow
def test_processes(song, tmp_path):
    stems = na.separate_file(song, tmp_path / "whole", na.BlindSeparator(**BLIND))
    divided = na.separate_file(song, tmp_path / "parts", na.BlindSeparator(**BLIND), executor=2)
    for name, path in stems.paths.items():
        assert divided.paths[name].read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("format", "subtype"), [("ogg", None), ("flac", None), ("wav", "DOUBLE"), ("wav", "PCM_16")]
)
def test_every_kind_of_file(format, subtype, tmp_path):
    path = tmp_path / f"song.{format}"
    na.write(path, recording().astype(float), SR, subtype=subtype)
    whole, shards = stems_of_shards(na.BlindSeparator(**BLIND), path, tmp_path / "parts")
    assert shards.dtype == whole.dtype
    assert shards.tobytes() == whole.tobytes()


def test_windows_longer_than_a_strip_of_frames(tmp_path, monkeypatch):
    monkeypatch.setattr(render_shards, "SHARD_SECONDS", 0.5)
    na.write(tmp_path / "song.wav", recording()[:, :16000], SR)
    separator = na.BlindSeparator(**BLIND | {"n_fft": 1024, "hop": 10})
    whole, shards = stems_of_shards(separator, tmp_path / "song.wav", tmp_path / "parts")
    assert shards.tobytes() == whole.tobytes()


def test_an_excerpt_at_an_extreme_level(tmp_path):
    y = recording() * np.float32(2.0**-40)
    song = tmp_path / "song.wav"
    na.write(song, y, SR)
    with open_track(song, start=1.5) as track:
        stream = painted().stream(track, SR, excerpt=Excerpt(song, 1.5))
        count = prepare_shards(stream, song, tmp_path / "parts")
        whole = joined(stream.blocks())
    for number in range(count):
        render_shard(tmp_path / "parts", number)
    with open_shards(tmp_path / "parts", painted().finisher) as again:
        assert joined(again.blocks()).tobytes() == whole.tobytes()


def test_a_finished_shard_is_not_rendered_again(song, tmp_path):
    with open_track(song) as track:
        prepare_shards(na.BlindSeparator(**BLIND).stream(track, SR), song, tmp_path / "parts")
    render_shard(tmp_path / "parts", 1)
    (tmp_path / "parts" / "00001.raw").write_bytes(b"kept")
    render_shard(tmp_path / "parts", 1)
    assert (tmp_path / "parts" / "00001.raw").read_bytes() == b"kept"
    render_shard(tmp_path / "parts", 0)
    with (
        open_shards(tmp_path / "parts", na.BlindSeparator().finisher) as stream,
        pytest.raises(AudioFileError, match=r"00001\.raw: is missing or incomplete"),
    ):
        joined(stream.blocks())


def test_a_recording_that_has_changed_is_refused(song, tmp_path):
    with open_track(song) as track:
        stream = na.BlindSeparator(**BLIND).stream(track, SR)
        prepare_shards(stream, song, tmp_path / "parts", messages=["odd"])
    assert shard_messages(tmp_path / "parts") == ["odd"]
    os.utime(song, (0, 0))
    assert prepared_shards(tmp_path / "parts") == prepared_shards(tmp_path) == 0
    with pytest.raises(AudioFileError, match="changed while it was processed"):
        render_shard(tmp_path / "parts", 0)


def test_a_model_that_cannot_be_saved_is_not_divided(song, tmp_path, monkeypatch):
    monkeypatch.setattr("nmfaudio.separators.saved_fits._LONGEST", 10)
    separator = na.BlindSeparator(**BLIND)
    with open_track(song) as track:
        assert prepare_shards(separator.stream(track, SR), song, tmp_path / "parts") == 0
    assert na.separate_file(song, tmp_path / "stems", separator, executor=InProcessExecutor())


def test_a_separator_with_a_stream_of_its_own_is_not_divided():
    class Own(na.BlindSeparator):
        def stream(self, *arguments, **more):
            return super().stream(*arguments, **more)

    assert is_divisible(na.BlindSeparator())
    assert not is_divisible(Own())


def test_nothing_remains_of_a_failure(song, tmp_path):
    na.write(song, 5 * recording(), SR, overwrite=True)
    settings = {"format": "flac", "clip": "error", "executor": InProcessExecutor()}
    with pytest.raises(ContentError, match="over the full scale"):
        na.separate_file(song, tmp_path / "stems", na.BlindSeparator(**BLIND), **settings)
    assert not (tmp_path / "stems").exists()
