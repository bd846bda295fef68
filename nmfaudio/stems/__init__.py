"""Stems from grouped components: grouping, masks, rendering."""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)

REST = "rest"
"""Name of the stem of everything that no other stem holds."""
