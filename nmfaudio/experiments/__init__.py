"""Experiments: transcribers compared on pieces with known notes, described by a file."""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
