"""Algorithms that run several decompositions in sequence, one per module."""

from nmfaudio.factorisation.recipes.deep import DeepDecomposition, deep_nmf
from nmfaudio.factorisation.recipes.feature_weighting import FeatureWeighted, feature_weighted_nmf
from nmfaudio.factorisation.recipes.tempering import temper

__all__ = ["DeepDecomposition", "FeatureWeighted", "deep_nmf", "feature_weighted_nmf", "temper"]
