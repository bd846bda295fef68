"""What a factor costs by itself: one dataclass per penalty, here or in a user's own code."""

from nmfaudio.penalties.base import Penalty, Terms
from nmfaudio.penalties.relevance import ARD
from nmfaudio.penalties.smooth import Smooth
from nmfaudio.penalties.sparse import L1, L2

__all__ = ["ARD", "L1", "L2", "Penalty", "Smooth", "Terms"]
