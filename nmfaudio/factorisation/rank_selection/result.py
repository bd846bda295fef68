"""Result of a selection of the number of components."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nmfaudio._common.dataframes import to_dataframe
from nmfaudio._common.equality import EqualByContent
from nmfaudio._common.figures import draw

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False)
class RankSelection(EqualByContent):
    """Selected number of components, and the scores of all ranks that were compared.

    Parameters
    ----------
    best : int
        Selected rank.
    scores : Mapping of int to float
        Score of each rank, in ascending order of ranks; NaN for ranks not reached because a
        callback stopped the search.
    meaning : str
        Description of the scores, and of which are better.
    method : str
        Name of the method, as in `select_rank`.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> rng = np.random.default_rng(0)
    >>> V = rng.poisson(rng.gamma(0.5, 20, (20, 3)) @ rng.gamma(0.5, 2, (3, 50)))
    >>> selection = na.rank_selection.select_rank(V, range(1, 5), method="error", rng=0)
    >>> selection.best, selection.ranks
    (3, (1, 2, 3, 4))
    """

    best: int
    scores: Mapping[int, float]
    meaning: str
    method: str

    @property
    def ranks(self) -> tuple[int, ...]:
        """Ranks that were compared, in ascending order."""
        return tuple(self.scores)

    def to_dataframe(self) -> pandas.DataFrame:
        """Return the scores as a table.

        Returns
        -------
        pandas.DataFrame
            Column ``score``, indexed by rank.

        Raises
        ------
        MissingExtraError
            pandas is not installed.
        """
        rows = ({"rank": rank, "score": score} for rank, score in self.scores.items())
        return to_dataframe(rows, index="rank")

    def plot(self, **options: Any) -> Axes:
        """Draw the scores over the ranks, with the selected rank marked.

        Parameters
        ----------
        **options
            Further arguments of `nmfaudio.display.plot_rank_scores`.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        MissingExtraError
            matplotlib is not installed.
        """
        axes: Axes = draw("plot_rank_scores", self, **options)
        return axes
