"""Laws of structures, penalties and divergences, which the tests of the package apply to its own.

Each law is a function that raises a `ParameterError` with the size of the violation.
"""

from nmfaudio.factorisation.laws.divergences import check_divergence
from nmfaudio.factorisation.laws.penalties import check_penalty
from nmfaudio.factorisation.laws.structures import check_structure

__all__ = ["check_divergence", "check_penalty", "check_structure"]
