"""Stems: grouping of components, masks and rendering."""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)

REST = "rest"
"""Name of the stem that holds everything outside the other stems."""
