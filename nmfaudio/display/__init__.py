"""Figures of decompositions, stems, dictionaries and transcriptions, drawn with matplotlib.

Every function needs the extra ``nmfaudio[plot]`` and returns a figure that pyplot does not keep: a
notebook shows it, and ``figure.savefig(path)`` writes it.
"""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
