"""Structures whose model is a sum of entrywise products of plain factorisations and masks."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, TypeGuard

import numpy as np

from nmfaudio._common.docstrings import copy_docstrings
from nmfaudio.factorisation.structures.base import Factors, Structure, defines_model
from nmfaudio.kernels.products import product

Term = Sequence[tuple[int, ...]]


class SumOfProducts(Structure):
    r"""Structure whose model is a sum of entrywise products.

    A subclass defines `shape`, `component_axes` and `terms`; the model and its adjoint follow from
    them. Multiplicative updates then take one pass over V per factor of templates, with all updates
    of activations in between, instead of two per factor.

    Notes
    -----
    Each entry of a term is the product of templates W (freq, component) and activations H
    (component, time), or a mask M, (freq, time) or with 1 for either; the entries of a term are
    multiplied entrywise, and the terms added:

    .. math::

        Y = \sum_g \bigodot_{j \in g} W_j H_j

    Examples
    --------
    Plain NMF with a gain of each frame and one of each frequency:

    >>> import numpy as np, nmfaudio as na
    >>> class Equalised(na.structures.SumOfProducts):
    ...     def shape(self, factors):
    ...         return na.structures.Product().shape(factors[:2])
    ...     def component_axes(self, count):
    ...         return 1, 0, None, None
    ...     def scale_carriers(self, count):
    ...         return (1,)
    ...     def n_components(self, factors):
    ...         return factors[0].shape[1]
    ...     def templates(self, factors):
    ...         return factors[0]
    ...     def activations(self, factors):
    ...         return factors[1]
    ...     def excerpt(self, factors, frames):
    ...         W, H, gains, filters = factors
    ...         return (W, H[:, frames], gains[:, frames], filters), 0
    ...     def terms(self, count):
    ...         return [[(0, 1), (2,), (3,)]]
    >>> na.check_structure(Equalised(), [(9, 2), (2, 12), (1, 12), (9, 1)])
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        copy_docstrings(SumOfProducts, cls)

    @abstractmethod
    def terms(self, count: int) -> Sequence[Term]:
        """Return the terms of the sum.

        Parameters
        ----------
        count : int
            Number of factors.

        Returns
        -------
        sequence of sequences of tuples of int
            The entries of each term: two indices of factors, of templates and of their activations,
            or one index, of a mask. Every factor is in one entry.
        """

    def forward(self, factors: Factors) -> np.ndarray:
        shape = self.shape(factors)
        out = np.zeros(shape, factors[0].dtype, order="F")
        for term in self.terms(len(factors)):
            out += _product_of(term, factors, np.ones(shape, out.dtype, order="F"))
        return out

    def adjoint(self, i: int, G: np.ndarray, factors: Factors) -> np.ndarray:
        term = next(term for term in self.terms(len(factors)) if any(i in entry for entry in term))
        own = next(entry for entry in term if i in entry)
        # The other entries of the term multiply G.
        others = [entry for entry in term if entry is not own]
        G = _product_of(others, factors, np.array(G, order="F"))
        if len(own) == 1:  # summed over the axes along which the mask broadcasts
            axes = tuple(axis for axis in (0, 1) if factors[i].shape[axis] == 1)
            return np.asarray(G.sum(axes, keepdims=True))
        W, H = own
        return product(G, factors[H].T) if i == W else product(factors[W].T, G)


def has_sum_of_products(structure: Structure) -> TypeGuard[SumOfProducts]:
    """Return whether the model of a structure is that of its `terms`."""
    return isinstance(structure, SumOfProducts) and defines_model(type(structure), ("terms",))


def _product_of(entries: Term, factors: Factors, out: np.ndarray) -> np.ndarray:
    """Multiply `out` (freq, time) by entries of a term, in place, and return it."""
    for entry in entries:
        out *= factors[entry[0]] if len(entry) == 1 else product(*(factors[i] for i in entry))
    return out
