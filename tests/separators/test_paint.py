"""What was painted is respected, and the stems add up."""

import json
from dataclasses import replace

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.errors import AudioFileError, ContentError, ParameterError
from nmfaudio.separators.boxes import rasterise, read_strokes
from nmfaudio.separators.painted_fit import remaining_shares

SR = 8000
T = np.arange(2 * SR) / SR
QUICK = {"n_components": 3, "max_iter": 20}
LOW = {"source": "low", "start": 0.1, "end": 0.6, "low": 300, "high": 700}
HIGH = {"source": "high", "start": 0.4, "end": 1.0, "low": 900, "high": 2000, "weight": 0.8}


def tones():
    low = np.sin(2 * np.pi * 500 * T) * (T % 1 < 0.6)
    high = np.sin(2 * np.pi * 1400 * T) * (T % 0.7 > 0.3)
    return np.stack([low, high]).astype(np.float32)


def paint(y, boxes=(LOW, HIGH), **settings):
    return na.PaintSeparator(boxes=boxes, **(QUICK | settings))(y, SR)


@pytest.mark.parametrize("rest", [False, True])
@pytest.mark.parametrize("channels", [1, 2])
def test_stems_sum_to_the_recording(channels, rest):
    y = np.random.default_rng(0).standard_normal((channels, 12000)).astype(np.float32)
    stems = paint(y, rest=rest)
    assert list(stems) == ["low", "high"] + ["rest"] * rest
    np.testing.assert_allclose(sum(stems.values()), y, atol=1e-5)


def test_two_tones_are_told_apart_by_a_box_each():
    truth = tones()
    stems = paint(truth.sum(axis=0), max_iter=60)
    for name, one in zip(("low", "high"), truth, strict=True):
        assert na.metrics.si_sdr(one, stems[name][0]) > 15


def test_what_is_painted_with_weight_one_goes_to_its_source():
    y = np.random.default_rng(0).standard_normal(2 * SR).astype(np.float32)
    whole = {"source": "all", "start": 0, "end": 3, "low": 0, "high": 4000}
    stems = paint(y, (whole, HIGH | {"weight": 0.0}), refine="none")
    assert np.abs(stems["high"]).max() < 1e-5


@pytest.mark.parametrize("weights", [(1.0, 1.0), (0.3, 1.0), (0.0, 0.0), (0.5, 0.2)])
def test_somebody_may_always_sound(weights):
    left = remaining_shares([np.full((1, 1), w) for w in weights])
    assert max(left) == 1
    assert min(left) >= 0
    assert (left[0] >= left[1]) == (weights[0] >= weights[1])


def test_boxes_become_bins():
    frequencies, times = np.arange(5) * 100.0, np.arange(6) * 0.1
    strokes = read_strokes([
        {"source": "a", "start": 0.1, "end": 0.3, "low": 100, "high": 200},
        {"source": "a", "start": 0.2, "end": 0.3, "low": 200, "high": 300, "weight": 0.5},
        {"source": "b", "start": 0.42, "end": 0.43, "low": 310, "high": 320},
    ])  # fmt: skip
    painted = rasterise(strokes, frequencies, times, np.dtype(float))
    a = np.zeros((5, 6))
    a[1:3, 1:3], a[3, 2] = 1, 0.5
    a[1:3, 3], a[3, 3] = painted["a"][1:3, 3], painted["a"][3, 3]  # 3 · 0.1 is beside 0.3
    np.testing.assert_array_equal(painted["a"], a)
    assert np.argwhere(painted["b"]).tolist() == [[3, 4]]


def test_a_picture_is_painted_upside_up(tmp_path):
    image = pytest.importorskip("matplotlib.image")
    dots = np.zeros((4, 6, 3))
    dots[0, :3] = 1  # above, on the left
    image.imsave(tmp_path / "low.png", dots)
    (tmp_path / "boxes.json").write_text(json.dumps([{"source": "low", "image": "low.png"}]))
    strokes = read_strokes(tmp_path / "boxes.json")
    found = rasterise(strokes, np.arange(8) * 10.0, np.arange(12) * 0.1, np.dtype(float))["low"]
    expected = np.zeros((8, 12))
    expected[6:, :6] = 1
    np.testing.assert_allclose(found, expected, atol=1e-6)
    (tmp_path / "low.png").write_bytes(b"no picture")
    with pytest.raises(AudioFileError, match=r"low\.png: cannot be read as a picture"):
        rasterise(strokes, np.arange(8) * 10.0, np.arange(12) * 0.1, np.dtype(float))


def test_a_second_run_goes_on_from_the_first(tmp_path):
    y = tones().sum(axis=0) + 0.1 * np.random.default_rng(0).standard_normal(len(T))
    first = paint(y.astype(np.float32), max_iter=10)
    first.decomposition.save(tmp_path / "m.npz")
    again = paint(y.astype(np.float32), max_iter=10, resume=tmp_path / "m.npz")
    assert again.decomposition.losses[0] == pytest.approx(first.decomposition.losses[-1], rel=1e-4)
    assert again.decomposition.losses[-1] <= again.decomposition.losses[0]
    with pytest.raises(ParameterError, match="the sources of the earlier run"):
        paint(y, rest=True, resume=first.decomposition)
    unnamed = dict(first.decomposition.metadata, sources=None)
    with pytest.raises(ParameterError, match=r"the sources of the earlier run: \[\]"):
        paint(y, resume=replace(first.decomposition, metadata=unnamed))
    with pytest.raises(ParameterError, match=r"that of the earlier run was .* same --preview"):
        paint(y[:9000].astype(np.float32), resume=first.decomposition)


def test_the_same_seed_gives_the_same_bytes():
    y = np.random.default_rng(0).standard_normal(9000).astype(np.float32)
    assert paint(y)["low"].tobytes() == paint(y)["low"].tobytes()


@pytest.mark.parametrize("samples", [1, 300])
def test_silence_and_short_recordings(samples):
    boxes = [LOW | {"start": 0}, HIGH | {"start": 0}]
    for y in (np.zeros(samples), np.random.default_rng(0).standard_normal(samples)):
        stems = paint(y, boxes)
        np.testing.assert_allclose(sum(stems.values())[0], y, atol=1e-9)


@pytest.mark.parametrize(
    ("boxes", "error", "message"),
    [
        ([LOW], ParameterError, "boxes have the sources low; at least two are needed"),
        ([], ParameterError, "boxes have the sources none"),
        ([LOW, {"start": 1}], ParameterError, "box 2 has no source"),
        ([LOW, HIGH | {"end": 0.2}], ParameterError, "box 2 has start 0.4 and end 0.2"),
        ([LOW, HIGH | {"weight": 2}], ParameterError, "weight of box 2 is 2"),
        ([LOW, HIGH | {"colour": 1}], ParameterError, "box 2 has the unknown key 'colour'"),
        ([LOW, HIGH | {"low": "a"}], ParameterError, "low of box 2 must be a finite number"),
        ([LOW, HIGH | {"start": 5, "end": 6}], ContentError, "outside the recording"),
        ([LOW, HIGH | {"low": 4500, "high": 5000}], ContentError, "outside the recording"),
    ],
)
def test_boxes_that_cannot_be(boxes, error, message):
    with pytest.raises(error, match=message):
        paint(tones().sum(axis=0), boxes)


@pytest.mark.parametrize("text", ["", "{", "3", "\xff"])
def test_files_that_hold_no_boxes(tmp_path, text):
    path = tmp_path / "boxes.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(AudioFileError, match=r"boxes\.json: "):
        paint(tones().sum(axis=0), path)
