"""Non-negative matrix factorisation: structures, divergences, penalties, solvers and the loop."""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
