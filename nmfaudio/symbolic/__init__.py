"""Notes, MIDI files, drum hits, and the alignment of scores with recordings."""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
