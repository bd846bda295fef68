"""Templates and activations of any structure, as pictures show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nmfaudio._common.validation import as_count
from nmfaudio.errors import ParameterError, ShapeError
from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.factorisation.structures import AttackDecay, Product, Structure, SumOfProducts

Factors = Decomposition | tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class FactorView:
    """Spectra and activations of the components of a model, whatever its structure.

    Parameters
    ----------
    structure : Structure
    factors : sequence of np.ndarray
        Factors of the structure.

    Raises
    ------
    ParameterError
        The structure has templates or activations that no picture shows.
    ShapeError
        The factors do not fit the structure.

    Examples
    --------
    >>> import nmfaudio as na
    >>> W, H = np.ones((4, 5, 2)), np.ones((2, 9))  # (lag, freq, component), (component, time)
    >>> view = FactorView(na.structures.Convolutive(), (W, H))
    >>> view.templates([1]).shape, view.activations([1]).shape, view.model().shape
    ((1, 4, 5), (1, 9), (5, 9))
    """

    structure: Structure
    factors: Sequence[np.ndarray]

    def __post_init__(self) -> None:
        shape = self.structure.shape(self.factors)
        W, H = self._W, self._H
        if not (len(shape) >= 2 and W.ndim in (2, 3) and H.ndim in (2, 3)):
            raise ParameterError(
                f"the model has shape {shape}, its templates {W.shape} and activations {H.shape}; "
                "pictures show templates (freq, component) or (lag, freq, component) and "
                "activations (component, time) or (shift, component, time)"
            )

    @property
    def _W(self) -> np.ndarray:
        return self.structure.templates(self.factors)

    @property
    def _H(self) -> np.ndarray:
        return self.structure.activations(self.factors)

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of frequencies and frames of the picture."""
        *_, bins, frames = self.structure.shape(self.factors)
        return bins, frames

    @property
    def n_components(self) -> int:
        """Number of components."""
        return self.structure.n_components(self.factors)

    def strongest(self, most: int) -> list[int]:
        """Components by decreasing energy.

        Parameters
        ----------
        most : int
            Largest number of components.

        Returns
        -------
        list of int
        """
        order: list[int] = np.argsort(-self._energies(), kind="stable").tolist()
        return order[: as_count(most, "max_components", low=1)]

    def _energies(self) -> np.ndarray:
        """Sum of the part of each component over all bins [shape=(component,)]."""
        structure, factors = self.structure, self.factors
        ones = np.ones(structure.shape(factors), factors[-1].dtype)
        # The model is linear in the activations, which carry its scale.
        sums = [
            (structure.adjoint(i, ones, factors) * factors[i]).sum(-1)
            for i in structure.scale_carriers(len(factors))
        ]
        found = np.concatenate([each.reshape(-1, each.shape[-1]).sum(0) for each in sums])
        if len(found) == self.n_components:
            return found
        return np.array([structure.part(factors, [k]).sum() for k in range(self.n_components)])

    def templates(self, components: Sequence[int]) -> np.ndarray:
        """Spectrum of each component, or its spectra over time.

        Where further factors shape a component, this is its spectrum in the model: under
        envelopes for `AttackDecay`, and the mean over time for a `SumOfProducts`.

        Parameters
        ----------
        components : sequence of int

        Returns
        -------
        np.ndarray [shape=(component, freq) or (component, lag, freq)]
        """
        chosen = list(components)
        if isinstance(self.structure, AttackDecay):
            W, E = (F[..., chosen] for F in self.factors[:2])
            effective: np.ndarray = np.einsum("sfk,sdk->kdf", W, E)
            return effective
        spectra = np.moveaxis(self._W[..., chosen], -1, 0)
        if isinstance(self.structure, SumOfProducts) and self.shape[1]:
            for row, k in enumerate(chosen):
                mean = self.structure.part(self.factors, [k]).mean(axis=-1)
                if mean.any():  # a silent component has its template alone
                    spectra[row] = mean
        return spectra

    def activations(self, components: Sequence[int]) -> np.ndarray:
        """Activation of each component, which for a `SumOfProducts` is its level in the model.

        Parameters
        ----------
        components : sequence of int

        Returns
        -------
        np.ndarray [shape=(component, time) or (component, shift, time)]
        """
        chosen = list(components)
        if isinstance(self.structure, SumOfProducts):  # masks hide any activation
            return np.array([self.structure.part(self.factors, [k]).sum(-2) for k in chosen])
        return np.moveaxis(self._H[..., chosen, :], -2, 0)

    def model(self) -> np.ndarray:
        """Model, its channels averaged.

        Returns
        -------
        np.ndarray [shape=(freq, time)]
        """
        return over_channels(self.structure.forward(self.factors))


def over_channels(V: np.ndarray) -> np.ndarray:
    """Mean over the axes before frequency and time.

    Parameters
    ----------
    V : np.ndarray [shape=(…, freq, time)]

    Returns
    -------
    np.ndarray [shape=(freq, time)]
    """
    return V if V.ndim == 2 else V.mean(axis=tuple(range(V.ndim - 2)))


def view_of(decomposition: Factors) -> FactorView:
    """View of a decomposition, or of the matrices W and H.

    Parameters
    ----------
    decomposition : Decomposition or (W, H)

    Returns
    -------
    FactorView

    Raises
    ------
    ParameterError, ShapeError
        There is nothing to draw, or the matrices do not fit each other.
    """
    if isinstance(decomposition, Decomposition):
        view = FactorView(decomposition.structure, decomposition.factors)
        if not view.shape[1]:
            raise ParameterError(
                f"activations have shape {decomposition.H.shape}; draw a decomposition of a "
                "recording, or the templates alone by plot_templates"
            )
        return view
    W, H = (np.asarray(F) for F in decomposition)
    if not W.ndim == H.ndim == 2 or W.shape[1] != len(H):
        raise ShapeError(
            f"W has shape {W.shape} and H {H.shape}; they must be (freq, component) and "
            "(component, time)"
        )
    return FactorView(Product(), (W, H))
