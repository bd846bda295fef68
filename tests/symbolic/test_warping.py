"""Long recordings are aligned in windows as in one matrix, and as exactly as short ones."""

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.symbolic import warping
from nmfaudio.symbolic.alignment import align_with_mismatch, alignment_memory
from nmfaudio.symbolic.chroma import frame_hop, pooled, unit_features

RNG = np.random.default_rng(0)


def tempo_changes(frames):
    """Frames of a score, each lasting as long as those of a recording at changing tempo."""
    rates = np.repeat(RNG.uniform(0.7, 1.3, -(-frames // 100)), 100)[:frames]
    return np.minimum(np.cumsum(rates).astype(int), frames - 1)


def music(frames):
    """Chroma that changes every ten frames, to another one each time."""
    return np.repeat(RNG.random((12, -(-frames // 10))) ** 8, 10, axis=1)[:, :frames]


@pytest.mark.parametrize("is_excerpt", [False, True])
def test_windows_find_the_path_of_the_whole_matrix(is_excerpt, monkeypatch):
    score = music(2000)
    places = tempo_changes(1800)
    played = score[:, places[700:1300] if is_excerpt else places]

    def features(count):
        return unit_features(pooled(played, count)), unit_features(pooled(score, count))

    whole = warping.warping_path(features, 2000, is_excerpt=is_excerpt)
    monkeypatch.setattr(warping, "_WHOLE", 300)
    monkeypatch.setattr(warping, "_ROWS", 150)
    monkeypatch.setattr(warping, "_MARGIN", 60)
    windows = warping.warping_path(features, 2000, is_excerpt=is_excerpt)
    assert (np.diff(windows, axis=0) >= 0).all()
    rows = np.arange(played.shape[1])
    of_whole, of_windows = (np.interp(rows, *path.T) for path in (whole, windows))
    assert np.abs(of_whole - of_windows).max() <= 10  # within one chord
    assert np.abs(of_whole - of_windows).mean() < 1


def test_memory_of_the_matrix_does_not_grow_with_the_recording():
    hour, ten = (alignment_memory(x, 1.1 * x) for x in (3600.0, 36000.0))
    assert alignment_memory(55.0, 55.0) < 2**27
    frames = 13 * 8 * 4 * (36000 - 3600) * 2.1 / 0.02
    assert ten - hour < 1.02 * frames


@pytest.mark.parametrize("sr", [44100, 11025])
def test_times_do_not_drift(sr):
    """25 ms are no whole number of samples at these rates: rounded, an hour would be off by 1 s."""
    beats = np.arange(120) * 0.5
    t = np.arange(60 * sr) / sr
    pitches = RNG.permutation(np.tile(np.arange(60, 72), 10))
    hz = 440 * 2 ** ((pitches[(t / 0.5).astype(int)] - 69) / 12)
    y = np.sin(2 * np.pi * hz * t) * np.exp(-(t % 0.5))
    score = [na.Note(b, b + 0.5, int(p)) for b, p in zip(beats, pitches, strict=True)]
    aligned = align_with_mismatch(score, y, sr).notes
    errors = [a.onset - b for a, b in zip(aligned, beats, strict=True)]
    assert abs(np.mean(errors[-30:]) - np.mean(errors[:30])) < 0.01
    assert abs(frame_hop(sr) / sr - 0.025) < 1e-4


def test_a_lazy_recording_is_aligned_like_an_array(tmp_path):
    y, sr = na.read(na.example("piano"))
    na.write(tmp_path / "piano.wav", y, sr)
    score = na.read_notes(na.example("piano", "score.mid"))
    with na.audio.io.open_track(tmp_path / "piano.wav") as track:
        assert na.symbolic.align(score, track, sr) == na.symbolic.align(score, y, sr)
