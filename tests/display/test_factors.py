"""Picture of a factorisation: axes, order, names, colours and the number of rows."""

from dataclasses import replace

import numpy as np
import pytest
from laws.catalogue import STRUCTURES, TWO_KINDS

import nmfaudio as na
from nmfaudio.display.views import FactorView, view_of


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
    panels = na.plot_factors(d, V, components=[2, 0, 1], decibels=False)
    for row, k in enumerate((2, 0, 1)):
        drawn = heights(panels, row)
        assert np.allclose(drawn / drawn.max(), d.H[k] / d.H[k].max())
    assert np.array_equal(panels["V"].collections[0].get_array(), V)
    assert (panels["V"].get_ylabel(), panels["W"].get_ylabel()) == ("", "bin")
    assert names_of(panels) == ["2", "0", "1"]


def test_matrices_are_drawn_like_a_decomposition(V):
    d = na.nmf(V, 3, max_iter=5, rng=0)
    panels = na.plot_factors((d.W, d.H))
    model = d.W @ d.H
    levels = 20 * np.log10(model / model.max())
    np.testing.assert_allclose(panels["V"].collections[0].get_array(), levels)
    assert panels["V"].collections[0].get_clim() == (-80, 0)


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


@pytest.fixture(params=STRUCTURES)
def fitted(request):
    """Result of a structure."""
    rng = np.random.default_rng(0)
    structure, X = STRUCTURES[request.param](rng)
    V = rng.random(structure.shape(X))
    return na.decompose(V, [na.Factor(F) for F in X], structure=structure, max_iter=1)


def band(mesh, upright):
    """Opacities of the first band of a mesh [shape=(line, cell)], without its gap."""
    lines = mesh.get_array()[..., 3]
    lines = lines.T if upright else lines
    edges = mesh.get_coordinates()[0, :, 0] if upright else mesh.get_coordinates()[:, 0, 1]
    return lines[: np.searchsorted(edges, edges[0] + 0.95) - 1]


def test_every_structure_is_drawn_as_it_is_in_the_model(fitted):
    model = fitted.model()
    panels = na.plot_factors(fitted, components=[1], decibels=False)
    assert np.allclose(
        panels["V"].collections[0].get_array(), model if model.ndim == 2 else model.mean(0)
    )
    part = fitted.component(1)
    spectrum = part.reshape(-1, *part.shape[-2:]).mean((0, -1))
    (W,), (H,) = panels["W"].collections, panels["H"].collections
    if fitted.structure.name in ("convolutive", "attack-decay", "convolutive-2d"):
        # The response to a single activation is the template.
        *others, H1 = (F.copy() for F in fitted.factors)
        H1[:] = 0
        H1[..., 1, 0] = 1.0 if H1.ndim == 2 else np.arange(len(H1)) == 0
        response = fitted.structure.forward([*others, H1])
        drawn = band(W, upright=True)
        lags = len(drawn)
        assert np.allclose(drawn**3, (response / response.max()).T[:lags])
        assert np.allclose(response[:, lags:], 0)
    else:
        points = W.get_paths()[0].vertices
        drawn = points[1:-2, 0][::2]
        assert np.allclose(drawn / drawn.max(), spectrum / spectrum.max(), rtol=1e-5)
    if fitted.H.ndim == 3:
        drawn = band(H, upright=False)[::-1] ** 3  # the lowest shift is at the bottom
        assert np.allclose(drawn, fitted.H[:, 1] / fitted.H[:, 1].max())
    else:
        drawn, masked = heights(panels, 0), fitted.structure.name in TWO_KINDS
        level = part.sum(0) if masked else fitted.H[1]
        assert np.allclose(drawn / drawn.max(), level / level.max(), rtol=1e-5)


def test_every_structure_has_a_plot(fitted):
    assert list(fitted.plot()) == ["V", "W", "H", "legend"]
    panels = na.display.plot_templates(fitted, components=[0, 2])
    assert len(panels) == 2
    rng = np.random.default_rng(0)
    panels = na.display.plot_model(fitted, rng.random(fitted.model().shape))
    assert list(panels) == ["V", "model", "residual"]


def test_components_are_ordered_by_their_parts(fitted):
    energies = [fitted.component(k).sum() for k in range(fitted.n_components)]
    assert view_of(fitted).strongest(100) == np.argsort(energies)[::-1].tolist()


class Gained(na.structures.Product):
    """Structure whose scale is that of its templates."""

    def scale_carriers(self, count):
        return (0,)


def test_components_of_any_scale_carrier_are_ordered():
    W, H = np.ones((4, 2)), np.array([[1.0], [2.0]]) * np.ones(5)
    assert FactorView(Gained(), (W, H)).strongest(2) == [1, 0]


def test_a_silent_component_of_a_masked_model_has_its_template():
    structure, (M, W, H, *others) = STRUCTURES["masked"](np.random.default_rng(0))
    H[0] = 0
    factors = [na.Factor(F) for F in (M, W, H, *others)]
    d = na.decompose(np.ones((len(W), H.shape[1])), factors, structure=structure, max_iter=1)
    points = na.plot_factors(d, components=[0])["W"].collections[0].get_paths()[0].vertices
    assert np.allclose(points[1:-2, 0][::2], 0.92 * d.W[:, 0] / d.W[:, 0].max())


def test_channels_are_averaged():
    V = np.random.default_rng(0).random((2, 5, 7))
    X = [np.ones((2, 1)), np.ones((5, 1)), np.ones((1, 7))]
    d = na.decompose(V, [na.Factor(F) for F in X], structure=na.structures.Channels(), max_iter=1)
    assert np.allclose(d.plot(V, decibels=False)["V"].collections[0].get_array(), V.mean(0))


def test_a_model_without_frames_shows_its_templates():
    d = na.nmf(np.ones((4, 6)), 2, max_iter=1, rng=0)
    empty = replace(d, factors=(d.W, d.H[:, :0]))
    assert list(empty.plot()) == ["0", "1"]
    with pytest.raises(na.ParameterError, match=r"shape \(2, 0\); draw a decomposition"):
        na.plot_factors(empty)


class Tensor(na.structures.Product):
    """Structure with templates of four axes."""

    def templates(self, factors):
        return factors[0][None, None]


def test_templates_of_unknown_axes_are_refused():
    factors = [na.Factor(np.ones((4, 2))), na.Factor(np.ones((2, 5)))]
    d = na.decompose(np.ones((4, 5)), factors, structure=Tensor(), max_iter=1)
    with pytest.raises(na.ParameterError, match=r"its templates \(1, 1, 4, 2\)"):
        d.plot()


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
