"""Neighbouring frequency bins pooled into bands of proportional width."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class FrequencyBands:
    """Partition of the bins of a spectrogram into bands.

    NMF in bands takes a fraction of the time of NMF in bins, with nearly the same activations.

    Parameters
    ----------
    edges : np.ndarray [shape=(band,)]
        First bin of each band, ascending from 0.
    n_bins : int
        Number of bins of the spectrogram.

    Examples
    --------
    >>> bands = FrequencyBands.proportional(8, 0.5)
    >>> bands.edges.tolist()
    [0, 1, 2, 3, 4, 6]
    >>> bands.pool(np.ones((8, 1)))[:, 0].tolist()
    [1.0, 1.0, 1.0, 1.0, 2.0, 2.0]
    """

    edges: np.ndarray
    n_bins: int

    @classmethod
    def proportional(cls, n_bins: int, width: float) -> FrequencyBands:
        """Return bands whose width is a share of their frequency, at least one bin each.

        Parameters
        ----------
        n_bins : int
        width : float
            Width of a band divided by the frequency of its first bin.

        Returns
        -------
        FrequencyBands
        """
        edges = [0]
        while (following := edges[-1] + max(1, int(edges[-1] * width))) < n_bins:
            edges.append(following)
        return cls(np.array(edges), n_bins)

    @property
    def widths(self) -> np.ndarray:
        """Number of bins in each band."""
        return np.diff(self.edges, append=self.n_bins)

    def pool(self, X: np.ndarray, axis: int = -2) -> np.ndarray:
        """Sum the bins of each band.

        Parameters
        ----------
        X : np.ndarray
            `n_bins` long along `axis`.
        axis : int
            Frequency axis.

        Returns
        -------
        np.ndarray
        """
        pooled: np.ndarray = np.add.reduceat(X, self.edges, axis=axis)
        return pooled

    def spread(self, X: np.ndarray) -> np.ndarray:
        """Distribute the value of each band evenly over its bins.

        Parameters
        ----------
        X : np.ndarray [shape=(..., band, column)]

        Returns
        -------
        np.ndarray [shape=(..., bin, column)]
        """
        widths = self.widths
        even: np.ndarray = np.repeat(X / widths[:, None].astype(X.dtype), widths, axis=-2)
        return even
