"""Templates of sounds, notes and drums: learned, made, shipped and saved."""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
