"""How factors make up the model: one file per structure, one place in `STRUCTURES`."""

from nmfaudio.structures.attack_decay import AttackDecay, attack_decay_envelopes
from nmfaudio.structures.base import Factors, Structure
from nmfaudio.structures.channels import Channels
from nmfaudio.structures.convolutive import Convolutive
from nmfaudio.structures.convolutive_2d import Convolutive2D
from nmfaudio.structures.harmonic import Harmonic
from nmfaudio.structures.masked import Masked
from nmfaudio.structures.product import Product
from nmfaudio.structures.source_filter import SourceFilter
from nmfaudio.structures.spectra import filter_bumps, glottal_sources, harmonic_atoms

__all__ = [
    "STRUCTURES",
    "AttackDecay",
    "Channels",
    "Convolutive",
    "Convolutive2D",
    "Factors",
    "Harmonic",
    "Masked",
    "Product",
    "SourceFilter",
    "Structure",
    "attack_decay_envelopes",
    "filter_bumps",
    "glottal_sources",
    "harmonic_atoms",
]

STRUCTURES: dict[str, Structure] = {
    s.name: s
    for s in (
        Product(),
        Convolutive(),
        Channels(),
        Convolutive2D(),
        Harmonic(),
        SourceFilter(),
        Masked(),
        AttackDecay(),
    )
}
"""Those that a saved decomposition can name."""
