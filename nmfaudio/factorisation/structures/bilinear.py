"""Structures whose model is a product of two matrices that are computed from factors."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, TypeGuard

import numpy as np

from nmfaudio._common.docstrings import copy_docstrings
from nmfaudio.factorisation.structures.base import Factors, Structure, defines_model
from nmfaudio.kernels.products import accumulate, product


class Bilinear(Structure):
    r"""Structure whose model is a product of a matrix of templates and one of activations.

    All factors but the last make the templates, unless `n_left` says otherwise. A subclass defines
    `shape`, `component_axes`, `left` and `left_adjoint`; the model and its adjoint follow from
    them. Multiplicative updates then take one pass over V per iteration, and one more for each
    further factor of the templates, instead of two per factor.

    Notes
    -----
    With W (freq, component) computed from the first factors by `left`, and H (component, time)
    from the others by `right`, :math:`Y = W H`. If W has lags, (lag, freq, component), Y is that
    of `Convolutive`.

    Examples
    --------
    Templates that are smooth over frequency, by a fixed matrix S (freq, freq):

    >>> import numpy as np, nmfaudio as na
    >>> S = np.array([[2.0, 1, 0], [1, 2, 1], [0, 1, 2]])
    >>> class Smoothed(na.structures.Bilinear):
    ...     def shape(self, factors):
    ...         return len(factors[0]), factors[1].shape[1]
    ...     def component_axes(self, count):
    ...         return 1, 0
    ...     def left(self, factors):
    ...         return S.astype(factors[0].dtype) @ factors[0]
    ...     def left_adjoint(self, i, G, factors):
    ...         return S.T.astype(G.dtype) @ G
    >>> na.check_structure(Smoothed(), [(3, 2), (2, 9)])
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        copy_docstrings(Bilinear, cls)

    def n_left(self, count: int) -> int:
        """Return the number of factors that the templates are made of.

        Parameters
        ----------
        count : int
            Number of factors.

        Returns
        -------
        int
            Number of first factors, at least 1 and less than `count`.
        """
        return count - 1

    @abstractmethod
    def left(self, factors: Factors) -> np.ndarray:
        """Return the matrix of templates.

        Parameters
        ----------
        factors : sequence of np.ndarray
            Factors of the model.

        Returns
        -------
        np.ndarray [shape=(freq, component) or (lag, freq, component)]
            Affine in each of the first factors. For a model of several channels the first axis
            is frequency and channel, (freq · channel).
        """

    @abstractmethod
    def left_adjoint(self, i: int, G: np.ndarray, factors: Factors) -> np.ndarray:
        """Return the transposed derivative of `left`, applied to G.

        Parameters
        ----------
        i : int
            One of the first factors.
        G : np.ndarray
            Array shaped like the matrix of templates.
        factors : sequence of np.ndarray
            Factors of the model.

        Returns
        -------
        np.ndarray
            Array shaped like factor `i`.
        """

    def right(self, factors: Factors) -> np.ndarray:
        """Return the matrix of activations.

        Parameters
        ----------
        factors : sequence of np.ndarray
            Factors of the model.

        Returns
        -------
        np.ndarray [shape=(component, time)]
            By default the last factor, with all axes but time made one. A view of the last factor
            tells that it is the matrix itself, and not another function of it.
        """
        return factors[-1].reshape(-1, factors[-1].shape[-1])

    def right_adjoint(self, i: int, G: np.ndarray, factors: Factors) -> np.ndarray:
        """Return the transposed derivative of `right`, applied to G.

        Parameters
        ----------
        i : int
            One of the other factors.
        G : np.ndarray [shape=(component, time)]
            Array shaped like the matrix of activations.
        factors : sequence of np.ndarray
            Factors of the model.

        Returns
        -------
        np.ndarray
            Array shaped like factor `i`.
        """
        return G.reshape(factors[i].shape)

    def forward(self, factors: Factors) -> np.ndarray:
        rows = _forward(self.left(factors), self.right(factors))  # (time, freq · channel)
        return rows.reshape(self.shape(factors)[::-1]).T

    def adjoint(self, i: int, G: np.ndarray, factors: Factors) -> np.ndarray:
        rows = np.ascontiguousarray(G.T).reshape(G.shape[-1], -1)  # (time, freq · channel)
        if i < self.n_left(len(factors)):
            W, H = self.left(factors), self.right(factors)
            return self.left_adjoint(i, _left_gradient(rows, W, H), factors)
        return self.right_adjoint(i, _right_gradient(rows, self.left(factors)), factors)


def has_bilinear_model(structure: Structure) -> TypeGuard[Bilinear]:
    """Return whether the model of a structure is the product of its `left` and `right`."""
    names = ("left", "left_adjoint", "right", "right_adjoint")
    return isinstance(structure, Bilinear) and defines_model(type(structure), names)


def _forward(W: np.ndarray, H: np.ndarray) -> np.ndarray:
    """Return the model [shape=(time, row)] of W (row, component) or (lag, row, component)."""
    if W.ndim == 2:
        return product(W, H).T
    rows = np.ascontiguousarray(H.T)  # (time, component)
    time = len(rows)
    out = np.zeros((time, W.shape[1]), W.dtype)
    for lag, template in enumerate(W[:time]):
        accumulate(rows[: time - lag], np.ascontiguousarray(template.T), out[lag:])
    return out


def _left_gradient(rows: np.ndarray, W: np.ndarray, H: np.ndarray) -> np.ndarray:
    """Return ``Σ_t rows[t, f] H[k, t − d]``, shaped like W."""
    if W.ndim == 2:
        return product(rows.T, H.T)
    time = len(rows)
    out = np.zeros((len(W), H.shape[0], W.shape[1]), W.dtype)  # (lag, component, row)
    for lag in range(min(len(W), time)):
        accumulate(np.ascontiguousarray(H[:, : time - lag]), rows[lag:], out[lag])
    return out.transpose(0, 2, 1)


def _right_gradient(rows: np.ndarray, W: np.ndarray) -> np.ndarray:
    """Return ``Σ_d Σ_f W[d, f, k] rows[t + d, f]`` [shape=(component, time)]."""
    if W.ndim == 2:
        return product(W.T, rows.T)
    time = len(rows)
    out = np.zeros((time, W.shape[2]), W.dtype)
    for lag, template in enumerate(W[:time]):
        accumulate(rows[lag:], np.ascontiguousarray(template), out[: time - lag])
    return out.T
