"""Tables of results as pandas data frames."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from nmfaudio._common.extras import missing_extra

if TYPE_CHECKING:
    import pandas


def to_dataframe(
    rows: Iterable[Mapping[str, Any]], *, index: str | None = None
) -> pandas.DataFrame:
    """Build a data frame from rows, each a mapping of column names to values.

    Parameters
    ----------
    rows : iterable of mapping
    index : str, optional
        Column that becomes the index.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    MissingExtraError
        pandas is not installed.
    """
    try:
        import pandas
    except ImportError as error:
        raise missing_extra("pandas", "data frames") from error
    frame = pandas.DataFrame.from_records([dict(row) for row in rows])
    return frame if index is None else frame.set_index(index)
