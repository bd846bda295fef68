"""Structures: models of the data as functions of factors."""

from nmfaudio._common.registry import Registry
from nmfaudio.factorisation.structures.attack_decay import AttackDecay, attack_decay_envelopes
from nmfaudio.factorisation.structures.base import Factors, Structure
from nmfaudio.factorisation.structures.bilinear import Bilinear
from nmfaudio.factorisation.structures.channels import Channels
from nmfaudio.factorisation.structures.convolutive import Convolutive
from nmfaudio.factorisation.structures.convolutive_2d import Convolutive2D
from nmfaudio.factorisation.structures.harmonic import Harmonic
from nmfaudio.factorisation.structures.masked import Masked
from nmfaudio.factorisation.structures.product import Product
from nmfaudio.factorisation.structures.source_filter import SourceFilter
from nmfaudio.factorisation.structures.spectra import filter_bumps, glottal_sources, harmonic_atoms
from nmfaudio.factorisation.structures.sum_of_products import SumOfProducts

__all__ = [
    "STRUCTURES",
    "AttackDecay",
    "Bilinear",
    "Channels",
    "Convolutive",
    "Convolutive2D",
    "Factors",
    "Harmonic",
    "Masked",
    "Product",
    "SourceFilter",
    "Structure",
    "SumOfProducts",
    "attack_decay_envelopes",
    "filter_bumps",
    "glottal_sources",
    "harmonic_atoms",
]

STRUCTURES = Registry(
    "structure",
    "name",
    ("forward", "adjoint", "component_axes"),
    (
        Product,
        Convolutive,
        Channels,
        Convolutive2D,
        Harmonic,
        SourceFilter,
        Masked,
        AttackDecay,
    ),
)
"""Structures that a saved decomposition can name."""
