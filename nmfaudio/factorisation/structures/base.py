"""Interface of structures: maps from factors to the model of the data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from nmfaudio._common.docstrings import copy_docstrings

Factors = Sequence[np.ndarray]
"""Factors of a structure, in its order."""


class Structure(ABC):
    r"""Map from factors to the model Y of the data V.

    A model is a sum of products of non-negative factors, linear or affine in each of them. A
    subclass defines `shape`, `component_axes`, `forward` and `adjoint`; every solver, penalty and
    divergence then works with it; `nmfaudio.check_structure` tests it, and `nmfaudio.register` lets
    files name it by the class attribute `name`. All time axes are last; component axes are last in
    templates and first in activations.

    By default the last factor is the activations, with the components and all of the time axis, and
    the one before the templates. A structure with other factors after these defines `n_components`,
    `templates` and `activations` too, and `excerpt` where a further factor has a time axis.

    Notes
    -----
    With :math:`\mathcal{A}(X)` the model of factors :math:`X` (`forward`), and
    :math:`\mathcal{A}_i^\top` its transposed derivative with respect to factor :math:`i`
    (`adjoint`),

    .. math::

        \langle \mathcal{A}(X + D) - \mathcal{A}(X), G \rangle
            = \langle D_i, \mathcal{A}_i^\top(G; X) \rangle

    for any :math:`D` that is zero in all factors but :math:`i`. The majorisers of multiplicative
    updates hold for affine maps too: terms without factor :math:`i` act as components that stay
    constant.

    Examples
    --------
    Plain NMF observed through a fixed filter bank K (band, freq), Y = K W H:

    >>> import numpy as np, nmfaudio as na
    >>> K = np.array([[1.0, 0.5, 0.0], [0.0, 0.5, 1.0]])
    >>> class Banded(na.structures.Product):
    ...     def shape(self, factors):
    ...         return len(K), super().shape(factors)[1]
    ...     def forward(self, factors):
    ...         W, H = factors
    ...         return K @ W @ H
    ...     def adjoint(self, i, G, factors):
    ...         W, H = factors
    ...         return K.T @ G @ H.T if i == 0 else (K @ W).T @ G
    >>> rng = np.random.default_rng(0)
    >>> d = na.decompose(rng.random((2, 5)), [na.Factor(rng.random((3, 1))),
    ...                  na.Factor(rng.random((1, 5)))], structure=Banded())
    >>> d.W.shape
    (3, 1)
    """

    name: ClassVar[str]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        copy_docstrings(Structure, cls)

    @abstractmethod
    def shape(self, factors: Factors) -> tuple[int, ...]:
        """Return the shape of the model.

        Parameters
        ----------
        factors : sequence of np.ndarray
            Factors of the model.

        Returns
        -------
        tuple of int
            (…, freq, time).

        Raises
        ------
        ShapeError
            The shapes of the factors do not fit each other.
        """

    @abstractmethod
    def component_axes(self, count: int) -> tuple[int | None, ...]:
        """Return the component axis of each factor.

        Parameters
        ----------
        count : int
            Number of factors.

        Returns
        -------
        tuple of int or None
            One per factor; None where no axis of it lists all components.
        """

    @abstractmethod
    def forward(self, factors: Factors) -> np.ndarray:
        """Return the model Y.

        Parameters
        ----------
        factors : sequence of np.ndarray
            Factors of the model.

        Returns
        -------
        np.ndarray [shape=(…, freq, time)]
            Model, of the dtype of the factors.
        """

    @abstractmethod
    def adjoint(self, i: int, G: np.ndarray, factors: Factors) -> np.ndarray:
        """Return the transposed derivative of the model, applied to G.

        Parameters
        ----------
        i : int
            Factor with respect to which the derivative is taken.
        G : np.ndarray [shape=(…, freq, time)]
            Array shaped like the model, such as the gradient of a divergence.
        factors : sequence of np.ndarray
            Factors of the model.

        Returns
        -------
        np.ndarray
            Array shaped like factor `i`.
        """

    def scale_carriers(self, count: int) -> tuple[int, ...]:
        """Return the factors that carry the scale of the model.

        Parameters
        ----------
        count : int
            Number of factors.

        Returns
        -------
        tuple of int
            Indices of factors; multiplying each of them by s multiplies the model by s.
        """
        return (count - 1,)

    def n_components(self, factors: Factors) -> int:
        """Return the number of components.

        Parameters
        ----------
        factors : sequence of np.ndarray
            Factors of the model.

        Returns
        -------
        int
            Number of components.
        """
        axis = self.component_axes(len(factors))[-1]
        return int(factors[-1].shape[axis or 0])

    def templates(self, factors: Factors) -> np.ndarray:
        """Return the templates of all components.

        Parameters
        ----------
        factors : sequence of np.ndarray
            Factors of the model.

        Returns
        -------
        np.ndarray [shape=(…, freq, component)]
            Spectrum, or spectra, of each component.
        """
        return factors[-2]

    def activations(self, factors: Factors) -> np.ndarray:
        """Return the activations of all components.

        Parameters
        ----------
        factors : sequence of np.ndarray
            Factors of the model.

        Returns
        -------
        np.ndarray [shape=(…, component, time)]
            Gain of each template over time.
        """
        return factors[-1]

    def levels(self, factors: Factors) -> np.ndarray:
        """Return the level of each component over time, for templates that sum to one.

        This is its activation, unless a component extends over several frames.

        Parameters
        ----------
        factors : sequence of np.ndarray
            Factors of the model.

        Returns
        -------
        np.ndarray [shape=(…, component, time)]
            Level of each component in each frame.
        """
        return self.activations(factors)

    def delays(self, factors: Factors) -> np.ndarray:
        """Return the delay from the activation of each component to its peak.

        Parameters
        ----------
        factors : sequence of np.ndarray
            Factors of the model.

        Returns
        -------
        np.ndarray [shape=(component,)]
            Delays in frames.
        """
        return np.zeros(self.n_components(factors), int)

    def excerpt(self, factors: Factors, frames: slice) -> tuple[Factors, int]:
        """Return factors of an excerpt in time.

        Parameters
        ----------
        factors : sequence of np.ndarray
            Factors of the model.
        frames : slice
            Frames of the excerpt, with a start and a stop.

        Returns
        -------
        factors : sequence of np.ndarray
            Factors whose model ends with these frames.
        extra : int
            Number of frames that this model has before them.
        """
        return (*factors[:-1], factors[-1][..., frames]), 0

    def select(self, factors: Factors, components: Sequence[int]) -> Factors:
        """Return factors of a model of a subset of the components.

        Parameters
        ----------
        factors : sequence of np.ndarray
            Factors of the model.
        components : sequence of int
            Indices of components.

        Returns
        -------
        sequence of np.ndarray
            Factors of these components alone.
        """
        return [
            F if axis is None else np.take(F, components, axis=axis)
            for F, axis in zip(factors, self.component_axes(len(factors)), strict=True)
        ]

    def part(
        self, factors: Factors, components: Sequence[int], frames: slice | None = None
    ) -> np.ndarray:
        """Return the contribution of components to the model.

        Parameters
        ----------
        factors : sequence of np.ndarray
            Factors of the model.
        components : sequence of int
            Indices of components.
        frames : slice, optional
            Frames, with a start and a stop; all by default.

        Returns
        -------
        np.ndarray [shape=(…, freq, time)]
            Model of these components. The parts of a partition sum to `forward`.
        """
        extra = 0
        if frames is not None:
            factors, extra = self.excerpt(factors, frames)
        return self.forward(self.select(factors, components))[..., extra:]


def defines_model(cls: type, names: Sequence[str]) -> bool:
    """Return whether methods of some names define the model of a class of structures.

    A class derived from it may define another model: it then defines `forward` or `adjoint`, but
    none of these methods.
    """

    def depth(name: str) -> int:
        """Position in the method resolution order of the class that defines a method."""
        return next(n for n, base in enumerate(cls.__mro__) if name in vars(base))

    return min(map(depth, names)) <= min(depth("forward"), depth("adjoint"))
