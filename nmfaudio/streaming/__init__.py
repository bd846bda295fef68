"""Streams: separation and transcription of audio that arrives block by block."""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
