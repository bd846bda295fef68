"""How many components: one file per method, one place in `METHODS`."""

from nmfaudio.factorisation.rank_selection.choice import METHODS, select_rank
from nmfaudio.factorisation.rank_selection.result import RankSelection

__all__ = ["METHODS", "RankSelection", "select_rank"]
