"""What a decomposition found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nmfaudio._check import as_count
from nmfaudio.divergences import Divergence
from nmfaudio.structures import Structure


@dataclass(frozen=True, eq=False)
class Decomposition:
    """The factors a decomposition found, and how it went.

    Attributes
    ----------
    factors : tuple of np.ndarray
        For NMF W [shape=(freq, component)] and H [shape=(component, time)].
    losses : np.ndarray [shape=(check,)]
        The objective (divergence and penalties) at the start and at each check, float64.
    checks : np.ndarray [shape=(check,)]
        The iteration of each loss, from 0.
    converged : bool
        Whether `tol` was reached.
    structure : Structure
    divergence : Divergence
    about : Mapping
        What else should travel with it, made of JSON types: for separated audio the transform,
        the settings and the grouping.
    """

    factors: tuple[np.ndarray, ...]
    losses: np.ndarray
    checks: np.ndarray
    converged: bool
    structure: Structure
    divergence: Divergence
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def W(self) -> np.ndarray:
        """Templates [shape=(freq, component)] or [shape=(lag, freq, component)]."""
        return self.factors[-2]

    @property
    def H(self) -> np.ndarray:
        """Activations [shape=(component, time)]."""
        return self.factors[-1]

    @property
    def n_iter(self) -> int:
        """Iterations done."""
        return int(self.checks[-1])

    @property
    def n_components(self) -> int:
        return len(self.H)

    def model(self) -> np.ndarray:
        """The model of V [shape=(freq, time)]."""
        return self.structure.forward(self.factors)

    def part(self, components: Sequence[int]) -> np.ndarray:
        """What these components contribute to the model [shape=(freq, time)]."""
        high = self.n_components - 1
        chosen = [as_count(k, "component", low=0, high=high) for k in components]
        return self.structure.part(self.factors, chosen)

    def component(self, k: int) -> np.ndarray:
        """What component `k` contributes to the model [shape=(freq, time)]."""
        return self.part([k])
