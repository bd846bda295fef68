"""Spectrograms of stems, masks, models and templates."""

from types import SimpleNamespace

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.display import grid


def drawn(axes):
    return np.asarray(axes.collections[0].get_array())


def test_stems_are_drawn_on_one_scale_below_the_mixture(stems):
    panels = na.plot_stems(stems, start=2.0)
    assert list(panels) == ["mixture", "harmonic", "percussive"]
    assert {axes.collections[0].get_clim() for axes in panels.values()} == {(-80.0, 0.0)}
    assert drawn(panels["mixture"]).max() == pytest.approx(0)
    stft = na.Stft(4000, stems.transform.n_fft)
    peaks = [na.audio.analyse(y, stft)[20:].max() for y in (stems["percussive"], stems.mixture)]
    difference = drawn(panels["percussive"])[20:].max() - drawn(panels["mixture"])[20:].max()
    assert difference == pytest.approx(20 * np.log10(peaks[0] / peaks[1]), abs=0.01)
    assert all(axes.get_xlim() == (2.0, 3.0) for axes in panels.values())
    assert list(na.plot_stems(stems, names="percussive")) == ["mixture", "percussive"]
    with pytest.raises(na.ParameterError, match="no stem is called 'drums'"):
        na.plot_stems(stems, names=["drums"])


def test_stems_that_are_not_drawn_are_counted(stems):
    panels = na.plot_stems(stems, max_stems=1)
    assert panels["harmonic"].get_xlabel() == "time (s)\nstems omitted: 1"


def test_masks_sum_to_one_and_are_those_of_the_separation(stems):
    panels = na.display.plot_masks(stems, scale="linear")
    assert list(panels) == list(stems)
    total = sum(drawn(axes) for axes in panels.values())
    assert np.allclose(total, 1)
    parts = [stems.decomposition.part(group.components) for group in stems.groups.values()]
    assert np.allclose(drawn(panels["harmonic"]), stems.masking.masks(parts)[0][: len(total)])


def test_masks_without_a_transform_are_in_bins_and_frames(V):
    panels = na.display.plot_masks({"$a": V, "b": np.stack([V, 1 - V])})
    assert np.array_equal(drawn(panels["$a"]), V)
    assert np.allclose(drawn(panels["b"]), 0.5)
    assert panels["b"].get_xlabel() == "frame"
    with pytest.raises(na.ParameterError, match="no mask"):
        na.display.plot_masks({})


def test_model_and_residual_stand_beside_the_data(V):
    d = na.nmf(V, 2, max_iter=5, rng=0)
    panels = na.display.plot_model(d, V, decibels=False)
    assert np.array_equal(drawn(panels["V"]), V)
    assert np.array_equal(drawn(panels["model"]), d.model())
    assert np.array_equal(drawn(panels["residual"]), np.abs(V - d.model()))
    share = np.abs(V - d.model()).sum() / V.sum()
    assert panels["residual"].get_title(loc="left") == f"|V − model|: {share:.1%} of V"
    assert len({axes.collections[0].get_clim() for axes in panels.values()}) == 1
    with pytest.raises(na.errors.ShapeError, match="both must be the same"):
        na.display.plot_model(d, V[1:])


def test_templates_are_in_milliseconds_and_scaled_to_their_peaks():
    W = np.random.default_rng(0).random((5, 33, 20))
    stft = na.Stft(8000, 64, 32)
    panels = na.display.plot_templates(W, transform=stft, names=["kick"] * 20, scale="linear")
    assert list(panels)[:2] == ["kick", "kick-2"]
    assert len(panels) == 16
    assert panels.figure.get_suptitle() == "components omitted: 4"
    axes = panels["kick-2"]
    assert axes.get_xlim() == (0, 5 * 32 / 8)
    assert np.allclose(drawn(axes), 20 * np.log10(W[..., 1].T / W[..., 1].max()))


def test_templates_of_a_decomposition_are_named_by_stem():
    d = na.decompose(
        np.ones((4, 9)),
        [na.Factor(np.ones((2, 4, 2))), na.Factor(np.ones((2, 9)))],
        structure=na.structures.Convolutive(),
        max_iter=1,
    )
    assert list(na.display.plot_templates(d)) == ["0", "1"]
    d.metadata["sources"] = {"kick": {"components": (1,)}}
    assert list(na.display.plot_templates(d)) == ["0", "kick 1"]


@pytest.mark.parametrize("lags", [1, 3])
@pytest.mark.parametrize("transform", [na.Stft(8000, 64), na.Erb(8000, n_bands=33)])
def test_a_dictionary_is_drawn_label_by_label(lags, transform):
    templates = np.zeros((lags, 33, 4))
    templates[:, [5, 20, 6, 21], [0, 1, 2, 3]] = [[1.0, 2.0, 3.0, 0.0]] * lags
    known = na.Dictionary(
        templates if lags > 1 else templates[0], ["low", "high", "low", "none"], transform
    )
    axes = na.plot_dictionary(known, scale="linear")
    assert [text.get_text() for text in axes.get_xticklabels()] == ["low", "high", "none"]
    values = drawn(axes)
    assert values.shape == (33, 4 * lags)
    loudest = np.repeat([5, 6, 20, 0], lags)
    assert values.argmax(axis=0).tolist() == loudest.tolist()
    assert values.max() == 0
    assert [t.get_text() for t in na.plot_dictionary(known, names="high").get_xticklabels()] == [
        "high"
    ]


@pytest.mark.parametrize("scale", ["log", "linear"])
def test_peaks_of_long_recordings_stay_where_they_are(scale):
    stft = na.Stft(44100, 8192)
    V = np.zeros((4097, 2 * grid.MOST_COLUMNS + 5))
    V[100, 2001] = 1.0
    cells, rows, columns = grid.cells_of(
        V, grid.grid_of(stft, V.shape, scale=scale), decibels=False
    )
    assert cells.shape[0] <= grid.MOST_ROWS
    assert cells.shape[1] <= grid.MOST_COLUMNS
    assert cells.sum() == 1
    (row,), (column,) = np.nonzero(cells)
    assert rows[row] <= stft.frequencies[100] <= rows[row + 1]
    assert columns[column] <= stft.times(2002)[-1] <= columns[column + 1]


@pytest.mark.parametrize("seconds", [1, 21.7])
def test_stems_show_the_largest_value_of_the_frames_of_a_pixel(seconds):
    stft = na.Stft(8000, 256, hop=64)
    y = np.random.default_rng(0).standard_normal((2, int(8000 * seconds)))
    stems = SimpleNamespace(stems={"all": y}, mixture=y, sr=8000, transform=stft)
    V = na.audio.analyse(y, stft)
    known, _, columns = grid.cells_of(V, grid.grid_of(stft, V.shape))
    for axes in na.plot_stems(stems, transform=stft).values():
        assert np.array_equal(drawn(axes), known)
        assert np.array_equal(axes.collections[0].get_coordinates()[0, :, 0], columns)


def test_a_tone_appears_at_its_frequency():
    stft = na.Stft(8000, 512)
    y = np.sin(2 * np.pi * 1000 * np.arange(8000) / 8000)[None]
    V = na.audio.analyse(y, stft)
    mesh = na.plot_factors((V[:, :1], V[:1]), V, transform=stft)["V"].collections[0]
    values, borders = mesh.get_array(), mesh.get_coordinates()[:, 0, 1]
    row = int(np.argmax(values[:, 20]))
    assert borders[row] <= 1000 <= borders[row + 1]


def test_stems_in_files_are_drawn_like_those_in_memory(tmp_path):
    y = np.random.default_rng(0).standard_normal((1, 8000)) / 8
    na.write(tmp_path / "noise.wav", y, 8000)
    written = na.separate_file(
        tmp_path / "noise.wav", tmp_path, na.BlindSeparator(n_components=2, max_iter=2)
    )
    panels = written.plot(0.25, 0.75)
    assert list(panels) == ["mixture", *written]
    assert panels["mixture"].get_xlim() == (0.25, 0.75)
    stft = na.Stft(8000, written.decomposition.metadata["transform"]["n_fft"])
    V = na.audio.analyse(y[:, 2000:6000].astype(np.float32), stft)
    cells = grid.cells_of(V, grid.grid_of(stft, V.shape))[0]
    assert np.allclose(drawn(panels["mixture"]), cells, atol=0.1)
