"""Figures of decompositions, stems, dictionaries and transcriptions, drawn with matplotlib.

Every function needs the extra ``nmfaudio[plot]``. Those of one panel draw into the axes ``ax`` and
return them, those of several panels draw into the figure ``fig`` and return `Panels`, axes by name.
Without these arguments they make a figure that pyplot does not keep: a notebook shows it, and
``axes.figure.savefig(path)`` writes it. Fonts, lines and backgrounds are those of the current style
of matplotlib, light or dark.
"""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
