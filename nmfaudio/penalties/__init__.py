"""What a factor costs by itself: one dataclass per penalty, here or in a user's own code."""

from nmfaudio.penalties.apart import Decorrelated, MinVolume
from nmfaudio.penalties.base import Penalty, Terms
from nmfaudio.penalties.graph import Graph, nearest_neighbours
from nmfaudio.penalties.prior import Prior
from nmfaudio.penalties.relevance import ARD
from nmfaudio.penalties.smooth import Smooth, SmoothRatio
from nmfaudio.penalties.sparse import L1, L2, Group, Log, LogGroup

__all__ = [
    "ARD",
    "L1",
    "L2",
    "Decorrelated",
    "Graph",
    "Group",
    "Log",
    "LogGroup",
    "MinVolume",
    "Penalty",
    "Prior",
    "Smooth",
    "SmoothRatio",
    "Terms",
    "nearest_neighbours",
]
