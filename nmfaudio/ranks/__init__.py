"""How many components: one file per method, one place in `METHODS`."""

from nmfaudio.ranks.choice import METHODS, select_rank
from nmfaudio.ranks.result import RankSelection

__all__ = ["METHODS", "RankSelection", "select_rank"]
