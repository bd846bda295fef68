"""Transcription of pitched notes and drum hits: models, decoding, results."""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
