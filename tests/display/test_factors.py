"""Picture of a factorisation: axes, order, names, colours and the number of rows."""

from dataclasses import replace

import numpy as np
import pytest
from laws.catalogue import STRUCTURES

import nmfaudio as na


def names_of(panels):
    return [text.get_text() for text in panels["H"].get_yticklabels()]


def heights(panels, k):
    """Values of the k-th row of H as drawn, each cell once."""
    points = panels["H"].collections[0].get_paths()[k].vertices
    return (k - points[1:-2, 1])[::2]


def test_the_axes_of_stems_are_in_hz_and_seconds(stems):
    panels = na.plot_factors(stems.decomposition)
    assert panels["W"].get_ylabel() == "frequency (Hz)"
    assert panels["H"].get_xlabel() == "time (s)"
    assert panels["V"].get_yscale() == "log"
    assert panels["V"].get_ylim()[1] == pytest.approx(2000, rel=0.01)
    hop = stems.transform.hop_seconds
    frames = stems.decomposition.H.shape[1]
    assert panels["V"].get_xlim() == pytest.approx((-hop / 2, (frames - 0.5) * hop))
    assert panels["W"].get_ylim() == panels["V"].get_ylim()
    assert panels["H"].get_xlim() == panels["V"].get_xlim()


def test_activations_and_data_are_drawn_as_they_are(V):
    d = na.nmf(V, 3, max_iter=5, rng=0)
    panels = na.plot_factors(d, V, components=[2, 0, 1])
    for row, k in enumerate((2, 0, 1)):
        drawn = heights(panels, row)
        assert np.allclose(drawn / drawn.max(), d.H[k] / d.H[k].max())
    assert np.array_equal(panels["V"].collections[0].get_array(), V)
    assert (panels["V"].get_ylabel(), panels["W"].get_ylabel()) == ("", "bin")
    assert names_of(panels) == ["2", "0", "1"]


def test_matrices_are_drawn_like_a_decomposition(V):
    d = na.nmf(V, 3, max_iter=5, rng=0)
    panels = na.plot_factors((d.W, d.H))
    assert np.array_equal(panels["V"].collections[0].get_array(), d.W @ d.H)


def test_components_are_ordered_by_stem_and_energy_and_coloured_by_stem():
    W, H = np.ones((4, 4)), np.array([[1.0], [4.0], [3.0], [2.0]]) * np.ones(5)
    panels = na.plot_factors((W, H), groups={"a": [0, 1], "b": (2, 3)})
    assert names_of(panels) == ["1", "0", "2", "3"]
    first, second, third, fourth = panels["H"].collections[0].get_facecolor().tolist()
    assert first == second != third == fourth
    legend = panels["legend"].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["a", "b"]


def test_stems_of_a_separation_are_found(stems):
    legend = na.plot_factors(stems.decomposition)["legend"].get_legend()
    assert {text.get_text() for text in legend.get_texts()} == set(stems)


def test_the_strongest_components_are_drawn_and_the_others_counted():
    W, H = np.ones((5, 675)), np.arange(675)[:, None] * np.ones(4)
    panels = na.plot_factors((W, H))
    assert len(panels["W"].collections[0].get_paths()) == 24
    assert names_of(panels)[0] == "674"
    assert panels["legend"].get_legend().get_title().get_text() == "components\nomitted: 651"
    assert panels.figure.get_figheight() < 9


def test_a_constant_q_transform_has_note_names():
    cqt = na.Cqt(2000, n_bins=36, gamma=40)
    d = na.nmf(np.random.default_rng(0).random((36, 9)), 2, max_iter=5)
    axes = na.plot_factors(d, transform=cqt)["W"]
    ticks = dict(
        zip(axes.get_yticks(), (t.get_text() for t in axes.get_yticklabels()), strict=True)
    )
    assert ticks[min(ticks, key=lambda hz: abs(hz - 65.406))] == "C2"
    assert axes.get_ylabel() == "note"


@pytest.mark.parametrize("metadata", [na.Mel(8000, n_mels=6).to_dict(), {"sr": 8000, "n_fft": 10}])
def test_any_transform_that_a_saved_model_names_gives_the_axes(metadata):
    d = na.nmf(np.random.default_rng(0).random((6, 9)), 2, max_iter=5)
    panels = na.plot_factors(replace(d, metadata={"transform": metadata}))
    assert panels["W"].get_ylabel() == "frequency (Hz)"


def test_factors_of_any_structure_are_drawn_or_refused():
    rng = np.random.default_rng(0)
    for name, make in STRUCTURES.items():
        structure, X = make(rng)
        V = rng.random(structure.shape(X))
        d = na.decompose(V, [na.Factor(F) for F in X], structure=structure, max_iter=1)
        if name in ("convolutive", "convolutive-2d", "channels", "attack-decay"):
            with pytest.raises(na.ParameterError, match="plot_factors draws"):
                na.plot_factors(d)
        else:
            assert len(na.plot_factors(d)["W"].collections[0].get_paths()) == d.n_components


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"V": np.ones((3, 3))}, na.errors.ShapeError, "need"),
        ({"names": ["a"]}, na.errors.ShapeError, "1 names for 2 components"),
        ({"components": [2]}, na.ParameterError, "component"),
        ({"transform": na.Stft(8000, 64)}, na.errors.ShapeError, "its transform 33"),
        ({"transform": na.Stft(8000, 6), "scale": "bark"}, na.ParameterError, "log, notes, linear"),
    ],
)
def test_what_does_not_fit_is_refused(options, error, match):
    with pytest.raises(error, match=match):
        na.plot_factors((np.ones((4, 2)), np.ones((2, 5))), **options)
