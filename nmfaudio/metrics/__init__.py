"""How near an estimate is to the truth."""

from nmfaudio.metrics.bsseval import BssEval
from nmfaudio.metrics.evaluation import Evaluation, evaluate
from nmfaudio.metrics.scale_invariant import best_assignment, si_sdr

__all__ = ["BssEval", "Evaluation", "best_assignment", "evaluate", "si_sdr"]
