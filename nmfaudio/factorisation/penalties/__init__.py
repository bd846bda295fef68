"""Penalties on factors."""

from nmfaudio.factorisation.penalties.ard import ARD
from nmfaudio.factorisation.penalties.base import Penalty, Terms
from nmfaudio.factorisation.penalties.diversity import Decorrelated, MinVolume
from nmfaudio.factorisation.penalties.graph import Graph, nearest_neighbours
from nmfaudio.factorisation.penalties.group_sparsity import GroupSparsity, LogGroupSparsity
from nmfaudio.factorisation.penalties.prior import Prior
from nmfaudio.factorisation.penalties.smoothness import Smooth, SmoothRatio
from nmfaudio.factorisation.penalties.sparsity import L1, L2, Log

__all__ = [
    "ARD",
    "L1",
    "L2",
    "Decorrelated",
    "Graph",
    "GroupSparsity",
    "Log",
    "LogGroupSparsity",
    "MinVolume",
    "Penalty",
    "Prior",
    "Smooth",
    "SmoothRatio",
    "Terms",
    "nearest_neighbours",
]
