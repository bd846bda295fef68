"""Sequences of decompositions: one file per recipe, made of `nmf` and `decompose` alone."""

from nmfaudio.recipes.deep import DeepDecomposition, deep_nmf
from nmfaudio.recipes.features import FeatureWeighted, feature_weighted_nmf
from nmfaudio.recipes.tempering import temper

__all__ = ["DeepDecomposition", "FeatureWeighted", "deep_nmf", "feature_weighted_nmf", "temper"]
