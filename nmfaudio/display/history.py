"""Course of a decomposition, collected by its callback."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nmfaudio._common.equality import EqualByContent
from nmfaudio._common.figures import draw
from nmfaudio._common.validation import as_count
from nmfaudio.errors import ParameterError
from nmfaudio.factorisation.loop import Progress
from nmfaudio.factorisation.structures import Structure


@dataclass(frozen=True, eq=False)
class Step(EqualByContent):
    """State of a decomposition at one of its checks.

    Parameters
    ----------
    iteration : int
    loss : float
        Objective.
    seconds : float
        Time since the `History` was made.
    factors : tuple of np.ndarray
        Copies of the factors; empty if these are not kept.

    Examples
    --------
    >>> import nmfaudio as na
    >>> na.display.Step(10, 2.5, 0.01, ()).iteration
    10
    """

    iteration: int
    loss: float
    seconds: float
    factors: tuple[np.ndarray, ...]


@dataclass(eq=False)
class History:
    """Callback that keeps the losses, times and factors of a decomposition.

    Pass it as ``callback=``, with ``check_every=1`` to keep each iteration, then to `plot_losses`
    or `plot_updates`. Several starts are told apart. Make a new one for each decomposition.

    Parameters
    ----------
    factors : bool
        Whether copies of the factors are kept, for `plot_updates`.
    every : int
        Every how many checks a step is kept.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> V, history = np.random.default_rng(0).random((20, 30)), na.display.History()
    >>> d = na.nmf(V, 3, max_iter=20, tol=0, check_every=5, rng=0, callback=history)
    >>> [step.iteration for step in history.steps()]
    [5, 10, 15, 20]
    >>> bool((history.steps()[-1].factors[0] == d.W).all())
    True
    """

    factors: bool = True
    every: int = 1
    starts: dict[int, list[Step]] = field(default_factory=dict, init=False, repr=False)
    """Steps of each start, by its index."""
    structure: Structure | None = field(default=None, init=False, repr=False)
    """Structure of the factors, known from the first step on."""
    _began: float = field(default_factory=time.perf_counter, init=False, repr=False)
    _checks: dict[int, int] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        self.every = as_count(self.every, "every", low=1)

    def __call__(self, progress: Progress) -> None:
        """Keep the state of a decomposition.

        Parameters
        ----------
        progress : Progress
        """
        self.structure = progress.structure
        seconds, start = time.perf_counter() - self._began, progress.start_index
        checks = self._checks[start] = self._checks.get(start, 0) + 1
        if checks % self.every == 0:
            copies = progress.factors if self.factors else ()
            self.starts.setdefault(start, []).append(
                Step(progress.iteration, progress.loss, seconds, copies)
            )

    @property
    def best(self) -> int:
        """Index of the start with the lowest last loss."""
        if not self.starts:
            raise ParameterError(
                "the history is empty; pass it as callback= to a decomposition of at least "
                f"{self.every} checks"
            )
        return min(self.starts, key=lambda start: (self.starts[start][-1].loss, start))

    def steps(self, start: int | None = None) -> list[Step]:
        """Return the steps of one start.

        Parameters
        ----------
        start : int, optional
            Index of the start. Default: the best one.

        Returns
        -------
        list of Step

        Raises
        ------
        ParameterError
            There is no such start, or no step was kept.
        """
        best = self.best
        chosen = best if start is None else as_count(start, "start", low=0)
        if chosen not in self.starts:
            kept = ", ".join(map(str, sorted(self.starts)))
            raise ParameterError(f"there is no start {chosen}; choose from {kept}")
        return self.starts[chosen]

    def plot(self, **options: Any) -> Any:
        """Draw the objective of each start.

        Parameters
        ----------
        **options
            Further arguments of `nmfaudio.display.plot_losses`.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        MissingExtraError
            matplotlib is not installed.
        """
        return draw("plot_losses", self, **options)
