"""A score is told from others by its mismatch with a recording."""

import dataclasses
import warnings
from pathlib import Path

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.audio.io import read
from nmfaudio.kernels.warping import accumulate_costs, trace_path
from nmfaudio.symbolic.alignment import MAX_MISMATCH, _chroma_filters, align_with_mismatch

SAMPLES = Path(na.__file__).parents[1] / "audio_samples"
PIECES = ("band", "piano", "trio")


def notes(piece, semitones=0, tempo=1.0):
    return [
        dataclasses.replace(
            note,
            pitch=note.pitch + semitones,
            onset=note.onset / tempo,
            offset=note.offset / tempo,
        )
        for note in na.read_notes(SAMPLES / piece / "score.mid")
    ]


@pytest.fixture(scope="module", params=PIECES)
def piece(request):
    recording = read(SAMPLES / request.param / "mixture.flac")
    return request.param, recording.samples, recording.sr


@pytest.mark.parametrize("tempo", [0.7, 1.0, 1.4])
def test_the_right_score_matches_at_any_tempo(piece, tempo):
    name, y, sr = piece
    assert align_with_mismatch(notes(name, tempo=tempo), y, sr).mismatch < MAX_MISMATCH


@pytest.mark.parametrize("semitones", [-1, 2, 5])
def test_a_transposed_score_is_told(piece, semitones):
    name, y, sr = piece
    with pytest.warns(na.errors.AudioWarning, match=r"mismatch \d\.\d\d, more than"):
        na.symbolic.align(notes(name, semitones), y, sr)


@pytest.mark.parametrize("other", PIECES)
def test_the_score_of_another_piece_is_told(piece, other):
    name, y, sr = piece
    if other != name:
        with pytest.warns(na.errors.AudioWarning, match="is it the right one"):
            na.symbolic.align(notes(other), y, sr)


def test_a_single_chord_matches_although_all_its_frames_are_alike():
    t = np.arange(3 * 8000) / 8000
    chord = sum(np.sin(440 * 2 ** ((pitch - 69) / 12) * 2 * np.pi * t) for pitch in (60, 64, 67))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        na.symbolic.align([na.Note(0, 3, pitch) for pitch in (60, 64, 67)], chord, 8000)


def test_a_score_that_is_aligned_already_stays():
    samples = Path(__file__).parents[2] / "audio_samples"
    for piece in ("piano", "trio"):
        score = na.read_notes(samples / piece / "score.mid")
        aligned = na.symbolic.align(score, *na.read(samples / piece / "mixture.flac"))
        errors = [abs(a.onset - b.onset) for a, b in zip(score, aligned, strict=True)]
        assert max(errors) < 0.15, piece


@pytest.mark.parametrize("steps", [((1, 1), (0, 1), (1, 0)), ((1, 1), (1, 2), (2, 1))])
def test_warping_equals_that_of_librosa(steps):
    import librosa

    cost, moves = np.random.default_rng(0).random((30, 50)), np.array(steps)
    penalties = np.array([0.0, 0.2, 0.1])
    chosen = np.empty(cost.shape, np.int8)
    ends = accumulate_costs(cost, moves, penalties, chosen)
    total, reference = librosa.sequence.dtw(
        C=cost,
        subseq=True,
        step_sizes_sigma=moves,
        weights_add=penalties,
        backtrack=False,
        return_steps=True,
    )
    np.testing.assert_allclose(ends, total[-1])
    for end in (20, 49):
        path = trace_path(chosen, moves, end)
        expected = librosa.sequence.dtw_backtracking(
            reference, step_sizes_sigma=moves, subseq=True, start=end
        )
        np.testing.assert_array_equal(path, np.asarray(expected)[::-1])


def test_chroma_filters_equal_those_of_librosa():
    import librosa

    for sr, n_fft in ((44100, 4096), (8000, 1024)):
        expected = librosa.filters.chroma(sr=sr, n_fft=n_fft, tuning=0.0)
        filters = _chroma_filters(na.Stft(sr, n_fft, n_fft // 4))
        np.testing.assert_allclose(filters, expected, atol=1e-6)
