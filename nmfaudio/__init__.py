"""Audio source separation and transcription by non-negative matrix factorisation.

Public names are listed in ``__init__.pyi``. Importing the package loads nothing heavy: each name
is imported when it is first used.
"""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
