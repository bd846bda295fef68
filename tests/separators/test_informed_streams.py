"""Separators with side information, block by block: the stems of any blocks are those of one."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio._common.lazy_audio import LazyAudio
from nmfaudio.kernels.threads import set_threads
from nmfaudio.separators import blockwise, pitch_track
from nmfaudio.separators.boxes import rasterise, read_strokes
from nmfaudio.separators.frame_choice import covering_frames
from nmfaudio.separators.pulse_trains import PulseTrains

SR = 8000
QUICK = {"n_fft": 256, "max_iter": 8}
RNG = np.random.default_rng(0)
T = np.arange(3 * SR) / SR
TONE = np.sin(2770 * T) * (T % 1 > 0.5)
HISS = 0.5 * RNG.standard_normal(len(T))


class Sliced(LazyAudio):
    """Recording that is only ever sliced."""

    def __init__(self, y):
        self._y, self.shape, self.dtype = y, y.shape, y.dtype

    def __getitem__(self, key):
        channels, samples = key
        assert channels == slice(None)
        return self._y[:, samples].copy()

    def max(self):
        return self._y.max()

    def min(self):
        return self._y.min()


def denoise():
    return na.DenoiseSeparator(n_free=2, exemplars=5, models=2, **QUICK)


def denoise_with_examples():
    return na.DenoiseSeparator(noise=(0, 0.5), signal=TONE, exemplars=5, models=2, **QUICK)


def paint(**settings):
    bands = {"low": (0.0, 3.0, 0, 600), "tone": (0.5, 1.0, 600, 900), "other": (1.2, 1.3, 0, 4000)}
    boxes = [
        {"source": name, "start": start, "end": end, "low": low, "high": high, "weight": 0.9}
        for name, (start, end, low, high) in bands.items()
    ]
    return na.PaintSeparator(boxes=boxes, rest=True, n_components=2, **QUICK, **settings)


def f0():
    hertz = np.where(T % 1 > 0.5, 2770 / (2 * np.pi), 0)[::80]
    pitch = na.separators.Pitch(T[::80], hertz)
    return na.F0Separator(pitch=pitch, n_components=3, filters=5, **QUICK)


def guess():
    return na.F0Separator(guess=True, n_components=3, filters=5, **QUICK)


def score():
    notes = [na.Note(n + 0.5, n + 1.0, 68.7, track="oboe") for n in range(3)]
    notes += [na.Note(n / 4, n / 4 + 0.1, 42, track="kit", channel=9) for n in range(12)]
    return na.ScoreSeparator(score=notes, aligned=True, n_free=2, n_fft=512, max_iter=8)


@cache
def saved(name):
    separator = {
        "separate": na.BlindSeparator(n_components=4, **QUICK),
        "hpss": na.HpssSeparator(n_components=3, models=2, **QUICK),
        "paint": paint(),
    }[name]
    return separator(MIXTURE, SR).decomposition


def regroup():
    return na.RegroupSeparator(saved=saved("separate"), groups=("first=0,2",))


def regroup_lags():
    return na.RegroupSeparator(saved=saved("hpss"), groups=("first=0,2",))


def regroup_masked():
    return na.RegroupSeparator(saved=saved("paint"), groups=("first=0,2",))


CASES = [denoise, denoise_with_examples, paint, f0, score, regroup, regroup_lags, regroup_masked]
SAVED = [regroup, regroup_lags, regroup_masked]
MIXTURE = np.stack([TONE + HISS, 0.5 * TONE - HISS]).astype(np.float32)


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(blockwise, "LEARNING_FRAMES", 100)
    monkeypatch.setattr(blockwise, "EVIDENCE_FRAMES", 64)
    monkeypatch.setattr(blockwise, "EVIDENCE_RUN", 16)
    monkeypatch.setattr(blockwise, "BLOCK", 96)


def rendered(stream):
    return np.concatenate(list(stream.blocks()), axis=-1)


@pytest.mark.parametrize("make", CASES)
def test_stems_of_blocks_sum_to_the_recording(make):
    stream = make().stream(MIXTURE, SR)
    assert stream.inputs.n_frames > 1.5 * blockwise.LEARNING_FRAMES
    stems = rendered(stream)
    assert stems.dtype == np.float32
    np.testing.assert_allclose(stems.sum(axis=0), MIXTURE, atol=1e-6)
    assert all(np.square(stem).sum() > 1e-3 for stem in stems)


@pytest.mark.parametrize("make", CASES)
def test_stems_depend_on_neither_blocks_nor_threads(make, monkeypatch):
    stream = make().stream(MIXTURE, SR)
    whole = rendered(stream)
    for block, threads in ((96, 1), (10_000, 3), (240, 2)):
        monkeypatch.setattr(blockwise, "BLOCK", block)
        set_threads(threads)
        try:
            np.testing.assert_array_equal(rendered(stream), whole)
        finally:
            set_threads(None)


@pytest.mark.parametrize("make", CASES)
def test_a_recording_that_is_sliced_has_the_stems_of_the_array(make):
    expected = rendered(make().stream(MIXTURE, SR))
    np.testing.assert_array_equal(rendered(make().stream(Sliced(MIXTURE), SR)), expected)


@pytest.mark.parametrize("make", CASES)
def test_a_recording_as_short_as_the_excerpt_has_about_the_stems_of_a_call(make, monkeypatch):
    monkeypatch.setattr(blockwise, "LEARNING_FRAMES", 1000)
    separator = make()
    stems = rendered(separator.stream(MIXTURE, SR))
    in_memory = np.stack(list(separator(MIXTURE, SR).values()))
    error = np.square(stems - in_memory).sum()
    assert error < 0.1 * np.square(MIXTURE).sum()


@pytest.mark.filterwarnings("ignore:the voice of the guessed pitch")
@pytest.mark.parametrize("samples", [1, 300])
@pytest.mark.parametrize("make", [denoise, guess])
def test_recordings_of_few_samples_work(make, samples):
    y = MIXTURE[:, :samples]
    stems = rendered(make().stream(y, SR))
    np.testing.assert_allclose(stems.sum(axis=0), y, atol=1e-6)


def test_the_floor_is_that_of_a_call(monkeypatch):
    monkeypatch.setattr(blockwise, "LEARNING_FRAMES", 1000)
    silent = na.DenoiseSeparator(floor=-80, models=1, exemplars=5, **QUICK)
    loud = na.DenoiseSeparator(floor=-6, models=1, exemplars=5, **QUICK)
    without, returned = (rendered(each.stream(MIXTURE, SR)) for each in (silent, loud))
    np.testing.assert_allclose(returned[0] - without[0], (10 ** (-6 / 20)) * without[1], atol=1e-3)


@pytest.mark.parametrize("make", SAVED)
def test_regrouped_blocks_are_those_of_a_call(make):
    stems = rendered(make().stream(MIXTURE, SR))
    np.testing.assert_array_equal(stems, list(make()(MIXTURE, SR).values()))


@pytest.mark.parametrize("make", [denoise, paint, f0, score])
def test_a_model_without_activations_renders_the_same_stems(make, tmp_path):
    separator = make()
    stream = separator.stream(MIXTURE, SR)
    stems, model = rendered(stream), stream.model()
    model.save(tmp_path / "model.npz")
    settings = {"refine": separator.refine, "mask_power": separator.mask_power}
    regroup = na.RegroupSeparator(saved=model, **settings)
    assert model.H.shape[-1] == 0
    np.testing.assert_array_equal(rendered(regroup.stream(MIXTURE, SR)), stems)
    np.testing.assert_array_equal(list(regroup(MIXTURE, SR).values()), stems)
    # A file has the stems in alphabetical order, which changes rounding errors.
    loaded = na.RegroupSeparator(saved=tmp_path / "model.npz", **settings)(MIXTURE, SR)
    for name, stem in zip(stream.names, stems, strict=True):
        np.testing.assert_allclose(loaded[name], stem, atol=1e-5)


def test_a_model_without_activations_and_fit_is_refused():
    model = na.BlindSeparator(n_components=4, **QUICK).stream(MIXTURE, SR).model()
    model = replace(model, metadata=model.metadata | {"fit": None})
    with pytest.raises(na.ParameterError, match="saved without activations"):
        na.RegroupSeparator(saved=model)(MIXTURE, SR)


def test_slices_of_pulse_trains_have_the_bits_of_the_whole():
    hertz = np.where(T % 0.4 > 0.1, 300 * 2 ** np.sin(T), 0)[::80]
    pitch = na.separators.Pitch(T[::80], hertz)
    for count in (len(T), 300):
        pulses = PulseTrains(pitch.at, count, SR, start=0.2, cents=(-20, 0, 7))
        whole = pulses[:, :]
        assert whole.shape == (3, count)
        for first, stop in ((0, 1), (1, 4097), (4095, 4097), (4096, 12_289), (20_000, 30_000)):
            np.testing.assert_array_equal(pulses[:, first:stop], whole[:, first:stop])


def test_the_pitch_of_pieces_is_about_that_of_the_whole(monkeypatch):
    monkeypatch.setattr(pitch_track, "_MARGIN", 0.5)
    time = np.arange(4 * SR) / SR
    voice = sum(np.sin(2 * np.pi * h * 220 * time) / h for h in (1, 2, 3)) * (abs(time - 2) > 0.5)
    whole, pieces = (pitch_track.estimate_pitch(voice[None], SR, piece=p) for p in (None, 1.5))
    np.testing.assert_array_equal(pieces.times, whole.times)
    assert np.mean(pieces.hertz == whole.hertz) > 0.95


def test_a_guess_with_little_energy_is_judged_after_the_last_block():
    stream = na.F0Separator(guess=True, n_components=3, **QUICK).stream(MIXTURE, SR)
    for _ in range(2):  # the second time anew
        blocks = stream.blocks()
        next(blocks)
        with pytest.warns(na.errors.AudioWarning, match="of the energy"):
            list(blocks)


def test_painting_resumes_from_a_model_with_and_without_activations(monkeypatch):
    first = saved("paint")
    stems = rendered(paint(resume=first).stream(MIXTURE, SR))
    np.testing.assert_allclose(stems.sum(axis=0), MIXTURE, atol=1e-6)
    bare = paint().stream(MIXTURE, SR).model()
    assert bare.H.shape[1] == 0
    for again in (paint(resume=bare)(MIXTURE, SR), paint(resume=bare).stream(MIXTURE, SR)):
        assert list(getattr(again, "names", again)) == ["low", "tone", "other", "rest"]
    with pytest.raises(na.ParameterError, match="that of the earlier run was"):
        paint(resume=first).stream(MIXTURE[:, :20_000], SR)


def test_frames_by_index_are_those_of_the_spectrogram():
    inputs = na.separators.SeparationInput(MIXTURE, na.Stft(SR, 256), 0, None)
    for indices in ([], [7], [3, 4, 5, 90, 200, 201], [50, 2, 3, 3], range(inputs.n_frames)):
        frames = inputs.frames_at(np.array(indices, int))
        np.testing.assert_array_equal(frames, inputs.V[:, list(indices)])


def test_weights_of_some_frames_are_those_of_all(tmp_path):
    image = pytest.importorskip("matplotlib.image")
    image.imsave(tmp_path / "p.png", RNG.random((9, 31)), cmap="gray")
    strokes = read_strokes(
        [
            {"source": "a", "start": 0.1, "end": 0.105, "low": 20, "high": 60},
            {"source": "a", "image": str(tmp_path / "p.png"), "weight": 0.5},
            {"source": "b", "start": 0.5, "end": 2.5, "low": 0, "high": 30},
        ]
    )
    grid = np.arange(9) * 10.0, 0.7 + np.arange(80) * 0.03, np.dtype(np.float32)
    whole = rasterise(strokes, *grid, end=4.0)
    for frames in (np.arange(20, 40), np.array([0, 5, 6, 33, 79])):
        some = rasterise(strokes, *grid, end=4.0, frames=frames)
        for source, weights in whole.items():
            np.testing.assert_array_equal(some[source], weights[:, frames])


def test_frames_are_chosen_from_every_part_and_from_all():
    parts = [np.arange(40, 43), np.arange(500, 900)]
    frames = covering_frames(parts, 1000, 60, least=20)
    assert (np.diff(frames) > 0).all()
    assert set(parts[0]) <= set(frames)
    assert np.isin(frames, parts[1]).sum() >= 20
    assert (frames[0], frames[-1]) == (0, 999)
    assert np.diff(frames).max() < 60
    np.testing.assert_array_equal(covering_frames(parts, 50, 60), np.arange(50))
