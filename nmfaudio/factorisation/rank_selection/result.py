"""What a search for the number of components found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nmfaudio._common.figures import new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class RankSelection:
    """How many components V needs, and what speaks for it.

    Attributes
    ----------
    best : int
        The rank that the method chose.
    scores : Mapping of int to float
        Per rank, in rising order. NaN for ranks that were not reached because a callback stopped.
    meaning : str
        What a score is, and which is better.
    method : str
    """

    best: int
    scores: Mapping[int, float]
    meaning: str
    method: str

    @property
    def ranks(self) -> tuple[int, ...]:
        """The ranks that were compared, rising."""
        return tuple(self.scores)

    def plot(self) -> Figure:
        """Draw the scores over the ranks, the best one marked.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        MissingExtraError
            matplotlib is not installed.
        """
        figure: Figure = new_figure(6, 3)
        from matplotlib.ticker import MaxNLocator  # new_figure has said if it is missing

        axes = figure.subplots()
        scores = np.array(list(self.scores.values()))
        axes.plot(self.ranks, scores, ".-")
        axes.plot(self.best, self.scores[self.best], "o", label=f"best: {self.best}")
        if np.nanmax(scores) > 3 * np.nanmin(scores) > 0:  # one bad fold would flatten all the rest
            axes.set_yscale("log")
        what, better = self.meaning.split("; ")
        axes.set(xlabel="components", ylabel=what, title=f"{self.method}: {better}")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        axes.legend()
        return figure
