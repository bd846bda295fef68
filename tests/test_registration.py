"""Own structures, divergences and transforms: registered ones come back, others are refused."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio._common.registry import Registry
from nmfaudio.audio.transforms import TRANSFORMS
from nmfaudio.errors import AudioFileError
from nmfaudio.factorisation.divergences import DIVERGENCES
from nmfaudio.factorisation.structures import STRUCTURES

rng = np.random.default_rng(0)


@dataclass(frozen=True)
class Doubled(na.structures.Product):
    name: ClassVar[str] = "test-doubled"
    gain: float = 2.0

    def forward(self, factors):
        W, H = factors
        return W.dtype.type(self.gain) * (W @ H)

    def adjoint(self, i, G, factors):
        return G.dtype.type(self.gain) * super().adjoint(i, G, factors)


@dataclass(frozen=True)
class Halved(na.Beta):
    name: ClassVar[str] = "test-halved"


@dataclass(frozen=True)
class Louder(na.Stft):
    kind: ClassVar[str] = "test-louder"


def decomposed(structure=None, divergence=None):
    factors = [na.Factor(rng.random(shape) + 0.1) for shape in ((9, 2), (2, 12))]
    settings = {"structure": structure, "divergence": divergence, "max_iter": 2}
    return na.decompose(rng.random((9, 12)) + 0.1, factors, **settings)


CASES = [
    (
        STRUCTURES,
        Doubled,
        lambda: decomposed(structure=Doubled(3.0)),
        na.Decomposition,
        "structure",
    ),
    (
        DIVERGENCES,
        Halved,
        lambda: decomposed(divergence=Halved(0.5)),
        na.Decomposition,
        "divergence",
    ),
    (
        TRANSFORMS,
        Louder,
        lambda: na.Dictionary(np.ones((257, 1)), ["a"], Louder(8000, 512)),
        na.Dictionary,
        "transform",
    ),
]


@pytest.mark.parametrize(("registry", "cls", "make", "loader", "part"), CASES)
def test_only_what_is_registered_is_saved_and_it_comes_back(
    registry, cls, make, loader, part, tmp_path
):
    path, item = tmp_path / "a.npz", make()
    with pytest.raises(na.ParameterError, match=f"{part} {cls.__name__} .*@nmfaudio.register"):
        item.save(path)
    assert not path.exists()
    assert na.register(cls) is cls
    item.save(path)
    assert getattr(loader.load(path), part) == getattr(item, part)
    name = getattr(cls, registry.attribute)
    del registry[name]  # as in another session
    with pytest.raises(
        AudioFileError, match=f"unknown {part} '{name}': import the module"
    ) as error:
        loader.load(path)
    assert "\n" not in str(error.value)


def test_a_structure_without_a_name_says_so():
    class Nameless(na.structures.Structure):
        shape = na.structures.Product.shape
        component_axes = na.structures.Product.component_axes

        def forward(self, factors):
            return factors[0] @ factors[1]

        def adjoint(self, i, G, factors):
            return G @ factors[1].T if i == 0 else factors[0].T @ G

    na.check_structure(Nameless(), [(9, 2), (2, 12)])  # which needs none
    with pytest.raises(na.ParameterError, match="Nameless has no name; give the class one"):
        na.register(Nameless)
    with pytest.raises(na.ParameterError, match="Nameless is not registered"):
        decomposed(structure=Nameless()).save("never.npz")


def test_names_belong_to_one_class():
    class Other(na.structures.Product):
        name = "product"

    with pytest.raises(na.ParameterError, match=r"'product' is already .*Product"):
        na.register(Other)
    assert na.register(Doubled) is na.register(Doubled)


def test_fields_that_are_no_json_are_refused(tmp_path):
    @na.register
    @dataclass(frozen=True, eq=False)
    class Banded(na.structures.Product):
        name: ClassVar[str] = "test-banded"
        K: object = None

    d = decomposed(structure=Banded(np.ones(3)))
    with pytest.raises(na.ParameterError, match=r"Banded cannot be saved: .*'K'"):
        d.save(tmp_path / "d.npz")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("wrong", [3, na.Factor, Doubled()])
def test_anything_else_cannot_be_registered(wrong):
    with pytest.raises(na.ParameterError, match="cannot be registered"):
        na.register(wrong)


def test_a_registry_is_a_mapping_of_names():
    assert isinstance(STRUCTURES, Registry)
    assert STRUCTURES.named("product") is na.structures.Product
