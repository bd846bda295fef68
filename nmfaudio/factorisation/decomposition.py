"""Result of a decomposition."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nmfaudio._common.equality import EqualByContent
from nmfaudio._common.figures import build_html, draw
from nmfaudio._common.files import load_archive, save_archive, show
from nmfaudio._common.files.sources import MALFORMED
from nmfaudio._common.validation import as_count, as_number
from nmfaudio._public import public
from nmfaudio.errors import AudioFileError, ParameterError
from nmfaudio.factorisation.divergences import DIVERGENCES, Beta, Divergence
from nmfaudio.factorisation.factors import Factor
from nmfaudio.factorisation.structures import STRUCTURES, Structure

_KIND = "decomposition"
_MOST = 2**31 - 1  # iterations of a file


def require_decomposition(value: Any) -> None:
    """`ParameterError` unless a value is a `Decomposition`."""
    if not isinstance(value, Decomposition):
        raise ParameterError(
            f"decomposition is a {type(value).__name__}; it must be a Decomposition, as nmf returns"
        )


@public
@dataclass(frozen=True, eq=False, repr=False)
class Decomposition(EqualByContent):
    """Factors of a decomposition, and the course of its objective.

    Parameters
    ----------
    factors : tuple of np.ndarray
        Factors in the order of the structure; for plain NMF W [shape=(freq, component)] and H
        [shape=(component, time)].
    losses : np.ndarray [shape=(check,)]
        Objective (divergence and penalties) at the start and at each check, float64.
    checks : np.ndarray [shape=(check,)]
        Iteration of each loss, from 0.
    converged : bool
        Whether `tol` was reached.
    structure : Structure
        Structure of the model.
    divergence : Divergence
        Divergence that was minimised.
    metadata : Mapping
        Further JSON-serialisable data that is saved along: for separated audio the transform, the
        settings and the grouping of components.
    start_losses : np.ndarray [shape=(start,)]
        Final objective of each of the `n_init` starts, of which the lowest belongs to this result;
        NaN for starts that a callback prevented. Empty in files of early versions.
    fitted : tuple of Factor
        Factors as passed to `decompose`, with the result as initial values: passing them again
        continues the decomposition. Empty if loaded from a file, which has no penalties.
    weights : np.ndarray or None
        Weights of the fit, shaped like V; None if all are 1, and if loaded from a file, which has
        no weights.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> V = np.random.default_rng(0).random((20, 30))
    >>> d = na.nmf(V, 3, rng=0)
    >>> d.W.shape, d.H.shape, d.n_components
    ((20, 3), (3, 30), 3)
    >>> W, H = d
    >>> parts = [d.component(k) for k in range(3)]
    >>> bool(np.allclose(sum(parts), d.model()))
    True
    """

    factors: tuple[np.ndarray, ...]
    losses: np.ndarray
    checks: np.ndarray
    converged: bool
    structure: Structure
    divergence: Divergence
    metadata: Mapping[str, Any] = field(default_factory=dict)
    start_losses: np.ndarray = field(default_factory=lambda: np.empty(0))
    # What is not saved takes no part in comparisons, so that a loaded decomposition is equal.
    fitted: tuple[Factor, ...] = field(default=(), compare=False)
    weights: np.ndarray | None = field(default=None, compare=False)

    def __iter__(self) -> Iterator[np.ndarray]:
        """Iterate over the factors: ``W, H = na.nmf(V, 20)``, as many as the structure has."""
        return iter(self.factors)

    @property
    def W(self) -> np.ndarray:
        """Templates [shape=(freq, component)] or [shape=(lag, freq, component)]."""
        return self.structure.templates(self.factors)

    @property
    def H(self) -> np.ndarray:
        """Activations [shape=(component, time)] or [shape=(shift, component, time)]."""
        return self.structure.activations(self.factors)

    def __repr__(self) -> str:
        shapes = " · ".join("×".join(map(str, F.shape)) for F in self.factors)
        ended = "converged" if self.converged else "not converged"
        return (
            f"Decomposition({self.structure}, {self.divergence}, factors {shapes}, "
            f"{self.n_iter} iterations, {ended}{self._spread()})"
        )

    def _repr_html_(self) -> str:
        return build_html("decomposition_html", self)

    def _spread(self) -> str:
        """Range of the final objectives, if there were several starts."""
        ends = self.start_losses[np.isfinite(self.start_losses)]
        if len(ends) < 2:
            return ""
        return f", {len(ends)} starts ended between {ends.min():.6g} and {ends.max():.6g}"

    @property
    def n_iter(self) -> int:
        """Number of iterations."""
        return int(self.checks[-1])

    @property
    def n_components(self) -> int:
        """Number of components."""
        return self.structure.n_components(self.factors)

    def model(self) -> np.ndarray:
        """Compute the model of V from the factors.

        Returns
        -------
        np.ndarray [shape=(…, freq, time)]
        """
        return self.structure.forward(self.factors)

    def part(self, components: Sequence[int], frames: slice | None = None) -> np.ndarray:
        """Compute the contribution of several components to the model.

        Parameters
        ----------
        components : sequence of int
            Indices of components.
        frames : slice, optional
            Consecutive frames ``slice(start, stop)`` to compute. Default: all.

        Returns
        -------
        np.ndarray [shape=(…, freq, time)]

        Raises
        ------
        ParameterError
            A component does not exist, or `frames` is not a slice.
        """
        if not np.iterable(components):
            raise ParameterError(
                f"components is {components!r}; it must be a sequence of indices, or use "
                "component(k) for one"
            )
        if not (frames is None or isinstance(frames, slice)):
            raise ParameterError(f"frames is {frames!r}; it must be slice(start, stop) or None")
        high = self.n_components - 1
        chosen = [as_count(k, "component", low=0, high=high) for k in components]
        return self.structure.part(self.factors, chosen, frames)

    def plot(self, V: np.ndarray | None = None, **options: Any) -> Any:
        """Draw templates and activations beside V, or the templates alone if there are no frames.

        Parameters
        ----------
        V : np.ndarray [shape=(…, freq, time)], optional
            Data. Default: the model.
        **options
            Further arguments of `nmfaudio.plot_factors`, or of `nmfaudio.display.plot_templates`
            for the model of a file without its activations.

        Returns
        -------
        nmfaudio.display.Panels

        Raises
        ------
        MissingExtraError
            matplotlib is not installed.
        ParameterError
            Templates or activations have further axes.
        """
        if not self.H.size:
            return draw("plot_templates", self, **options)
        return draw("plot_factors", self, V=V, **options)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Save to an ``.npz`` file of arrays and a JSON header, without pickle.

        Parameters
        ----------
        path : str or os.PathLike
            Path of the file.
        overwrite : bool
            Replace an existing file.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        OutputError
            The file exists, or cannot be written.
        ParameterError
            The structure or the divergence is not registered (see `nmfaudio.register`), so `load`
            could not restore it.
        """
        structure, parameters = STRUCTURES.pack(self.structure)
        divergence, fields = DIVERGENCES.pack(self.divergence)
        header = {
            "kind": _KIND,
            "structure": structure,
            **({"structure_parameters": parameters} if parameters else {}),
            "divergence": fields if divergence == Beta.name else {"name": divergence, **fields},
            "losses": self.losses.tolist(),
            "checks": self.checks.tolist(),
            "converged": self.converged,
            "start_losses": [x if np.isfinite(x) else None for x in self.start_losses.tolist()],
            "about": dict(self.metadata),
        }
        arrays = {f"factor-{i}": F for i, F in enumerate(self.factors)}
        return save_archive(path, header, arrays, overwrite=overwrite)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Decomposition:
        """Load a decomposition from a file written by `save`.

        Parameters
        ----------
        path : str or os.PathLike
            Path of the file.

        Returns
        -------
        Decomposition

        Raises
        ------
        AudioFileError
            The file cannot be read, is not a decomposition, or names a structure or divergence
            whose module has not been imported.
        """
        header, arrays = load_archive(path, kind=_KIND)
        try:
            parameters = header.get("structure_parameters", {})
            structure = STRUCTURES.unpack(header["structure"], parameters)
            divergence = dict(header["divergence"])
            factors = tuple(arrays[f"factor-{i}"] for i in range(len(arrays)))
            structure.shape(factors)
            checks = [as_count(n, "a check", low=0, high=_MOST) for n in header["checks"]]
            losses = [as_number(loss, "a loss") for loss in header["losses"]]
            if not checks or len(losses) != len(checks):
                raise ParameterError(f"it has {len(losses)} losses and {len(checks)} checks")
            return cls(
                factors,
                np.array(losses, np.float64),
                np.array(checks, np.int64),
                bool(header["converged"]),
                structure,
                DIVERGENCES.unpack(divergence.pop("name", Beta.name), divergence),
                dict(header["about"]),
                np.array(header.get("start_losses", []), np.float64),  # None is read as NaN
            )
        except MALFORMED as error:
            raise AudioFileError(
                f"{show(path)}: not a decomposition that can be loaded: {error}"
            ) from error

    def component(self, k: int) -> np.ndarray:
        """Compute the contribution of one component to the model.

        Parameters
        ----------
        k : int
            Index of the component.

        Returns
        -------
        np.ndarray [shape=(…, freq, time)]
        """
        return self.part([k])
