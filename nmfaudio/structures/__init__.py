"""How factors make up the model: one file per structure, one place in `STRUCTURES`."""

from nmfaudio.structures.base import Factors, Structure
from nmfaudio.structures.convolutive import Convolutive
from nmfaudio.structures.product import Product

__all__ = ["STRUCTURES", "Convolutive", "Factors", "Product", "Structure"]

STRUCTURES: dict[str, Structure] = {s.name: s for s in (Product(), Convolutive())}
"""Those that a saved decomposition can name."""
