"""Selection of the number of components: one module per method."""

from nmfaudio.factorisation.rank_selection.choice import METHODS, select_rank
from nmfaudio.factorisation.rank_selection.result import RankSelection

__all__ = ["METHODS", "RankSelection", "select_rank"]
