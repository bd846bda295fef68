"""Sound and spectrograms: reading and writing, transforms, masks, phase and spatial filters."""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
