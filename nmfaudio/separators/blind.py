"""Separation without examples or scores, by NMF with grouped components."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from nmfaudio._common.options import documented, name_or_number, option
from nmfaudio._public import public
from nmfaudio.errors import ParameterError
from nmfaudio.separators.inputs import GroupedDecomposition, SeparationInput
from nmfaudio.separators.pipeline import NmfSeparator

# Slow imports are inside the functions that need them, so that --help is fast.
if TYPE_CHECKING:
    import numpy as np

    from nmfaudio.audio.transforms import Stft
    from nmfaudio.factorisation.decomposition import Decomposition
    from nmfaudio.separators.blockwise import Learned
    from nmfaudio.stems.grouping import ComponentGroup


_START_ITERATIONS = 10  # of the activations of all frames, before templates are updated too
_COPYING = ("pg", "ccd")  # solvers with arrays as large as the spectrogram


def _number_or_auto(text: str) -> int | str:
    """Parse a number of sources."""
    if text == "auto":
        return text
    try:
        return int(text)
    except ValueError:
        raise ParameterError(f"{text!r} is neither an integer nor auto") from None


@public
@documented
@dataclass(frozen=True, kw_only=True)
class BlindSeparator(NmfSeparator):
    """Separate a recording into sources without examples or scores.

    The spectrogram is factored by NMF, and each component is assigned to a source: with two
    sources by its percussiveness, with more by its pitch range too. Sources that overlap in pitch
    and rhythm, such as a voice among guitars, are not separated this way.

    Raises
    ------
    ParameterError
        A setting is out of range.

    References
    ----------
    T. Virtanen, "Monaural sound source separation by nonnegative matrix factorization with
    temporal continuity and sparseness criteria", IEEE TASLP 15(3), 2007,
    doi:10.1109/TASL.2006.885253.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> y = np.random.default_rng(0).standard_normal((1, 8000))
    >>> stems = na.BlindSeparator(n_components=4, max_iter=5)(y, 8000)
    >>> list(stems)
    ['harmonic', 'percussive']
    """

    n_sources: int | Literal["auto"] = option(
        2,
        "number of stems: 2 separates harmonic from percussive sounds, more are also divided by "
        "pitch range, auto estimates the number",
        short="-s",
        parse=_number_or_auto,
        metavar="N",
        flag="--sources",
    )
    n_components: int = option(
        30,
        "number of components of the model; more capture finer detail and split instruments into "
        "more pieces",
        short="-k",
        metavar="N",
        flag="--components",
    )
    beta_loss: str | float = option(
        "kl",
        "beta-divergence of the fit: kl suits most music, is weights quiet parts more, frobenius "
        "weights loud parts more; or a number β",
        parse=name_or_number,
        metavar="LOSS",
    )
    solver: str = option(
        "auto",
        "algorithm of the factorisation: mu works with every loss, bmme needs fewer iterations for "
        "β ≤ 2, hals and pg minimise frobenius, ccd is slow but exact for kl; auto chooses the "
        "fastest",
        metavar="NAME",
    )
    init: str = option(
        "nndsvdar",
        "initialisation of the factors: nndsvdar takes the strongest patterns of the mixture, spa "
        "the frames that differ most, random gives a different result for each seed",
        choices=("nndsvdar", "spa", "random"),
    )

    refine: Literal["none", "consistent", "misi"] = option(
        "none",
        "refinement of the phases: consistent makes overlapping frames of a stem agree, misi fits "
        "phases to the masks (both help only where the masks are good), none keeps those of the "
        "mixture",
        choices=("none", "consistent", "misi"),
    )

    def __post_init__(self) -> None:
        from nmfaudio._common.validation import as_choice, as_count, as_number
        from nmfaudio.factorisation.divergences import beta_named
        from nmfaudio.factorisation.solvers import SOLVERS

        super().__post_init__()
        self._set("n_components", as_count(self.n_components, "n_components", low=1))
        if not isinstance(self.beta_loss, str):
            self._set("beta_loss", as_number(self.beta_loss, "beta_loss"))
        beta_named(self.beta_loss, "separate")
        if self.n_sources != "auto":
            self._set("n_sources", as_count(self.n_sources, "n_sources", low=1))
            if self.n_sources == 1:
                raise ParameterError(
                    "n_sources is 1, whose only stem would be the whole recording; use 2 or more, "
                    "or auto"
                )
            if self.n_sources > self.n_components:
                raise ParameterError(
                    f"n_sources is {self.n_sources}, but there are only {self.n_components} "
                    "components; use fewer sources or more components"
                )
        as_choice(self.solver, "solver", ("auto", *SOLVERS))
        as_choice(self.init, "init", ("nndsvdar", "spa", "random"))

    def model(self, inputs: SeparationInput) -> GroupedDecomposition:
        """Factor the spectrogram by NMF, and group the components.

        Parameters
        ----------
        inputs : SeparationInput
            The recording.

        Returns
        -------
        GroupedDecomposition
            The model, and the components of each stem.
        """
        fitted = self._fit(inputs.V, inputs)
        return GroupedDecomposition(fitted, self._groups(inputs.V, fitted, inputs))

    def learn(self, inputs: SeparationInput) -> Learned:
        """Factor single frames of the recording, and group the components.

        Parameters
        ----------
        inputs : SeparationInput
            The recording.

        Returns
        -------
        Learned
            The templates, and the components of each stem.
        """
        from nmfaudio.separators.block_fits import FixedTemplates
        from nmfaudio.separators.blockwise import LEARNING_FRAMES, Learned, fitted_evidence

        fit = FixedTemplates()
        if inputs.learns_from_disk(LEARNING_FRAMES):
            fitted = self._fit_all(inputs, LEARNING_FRAMES)
        else:
            fitted = self._fit(inputs.spread_frames(LEARNING_FRAMES)[0], inputs)
        evidence = fitted_evidence(fitted, fit, inputs)
        return Learned(fitted, self._groups(*evidence, inputs), fit)

    @property
    def learns_from_all(self) -> bool:
        """True if `learn` takes `SeparationInput.training_frames`."""
        return self.solver not in _COPYING

    def _fit(self, V: np.ndarray, inputs: SeparationInput, **start: Any) -> Decomposition:
        """Factor a spectrogram by NMF; `start` are the arguments of `nmf` for another start."""
        from nmfaudio.factorisation.engine import nmf

        return nmf(
            V,
            self.n_components,
            beta_loss=self.beta_loss,
            solver=self.solver,
            max_iter=self.max_iter,
            tol=self.tol,
            callback=inputs.callback,
            rng=inputs.rng,
            **({"init": self.init} | start),
        )

    def _fit_all(self, inputs: SeparationInput, count: int) -> Decomposition:
        """Factor all frames, which are on disk, from the templates of `count` frames on."""
        from nmfaudio.factorisation.loop import numbered
        from nmfaudio.factorisation.online import activations

        # Initialisations from the spectrogram would copy it.
        first, second = (
            replace(inputs, callback=numbered(inputs.callback, n, 2)) for n in range(2)
        )
        start = self._fit(inputs.spread_frames(count)[0], first)
        V, scale = self._frames_on_disk(inputs)
        H = activations(V, start.W, start.divergence, max_iter=_START_ITERATIONS)
        fitted = self._fit(V, second, init="random", W=start.W, H=H)
        return replace(
            fitted,
            factors=(fitted.W, fitted.H * fitted.H.dtype.type(scale)),
            losses=fitted.losses * scale ** (fitted.divergence.degree or 0.0),
        )

    def _frames_on_disk(self, inputs: SeparationInput) -> tuple[np.ndarray, float]:
        """All frames as NMF needs them, which would otherwise copy them; and their divisor."""
        from nmfaudio.factorisation.divergences import beta_named
        from nmfaudio.factorisation.loop import scale_for

        divergence = beta_named(self.beta_loss, "separate")
        if divergence.beta > 0:
            return inputs.all_frames(), 1.0
        mean = float(inputs.levels.mean()) / len(inputs.transform.frequencies)
        scale = scale_for(mean, divergence.degree)
        peak = inputs.peak / scale
        return inputs.all_frames(lambda V: divergence.raised(V / V.dtype.type(scale), peak)), scale

    def _groups(
        self, V: np.ndarray, fitted: Decomposition, inputs: SeparationInput
    ) -> dict[str, ComponentGroup]:
        """Group the components of a spectrogram."""
        from nmfaudio.stems.grouping import group_components

        return group_components(
            V,
            fitted.W,
            fitted.H,
            frequencies=inputs.transform.frequencies,
            hop_seconds=inputs.transform.hop_seconds,
            n_sources=self.n_sources,
        )

    def size(self) -> tuple[int, int]:
        """Return upper bounds of the numbers of components and stems.

        Returns
        -------
        tuple of (int, int)
            Number of components, number of stems.
        """
        from nmfaudio.stems.grouping import MAX_SOURCES

        return self.n_components, MAX_SOURCES if self.n_sources == "auto" else self.n_sources

    def transform(self, sr: int) -> Stft:
        """Return the transform for audio of a sample rate.

        Parameters
        ----------
        sr : int
            Sample rate in Hz.

        Returns
        -------
        Stft
            Of powers for the Itakura–Saito divergence, else of magnitudes.
        """
        from nmfaudio.factorisation.divergences import beta_named

        # The Itakura–Saito divergence models variances, that is powers (Févotte et al. 2009,
        # doi:10.1162/neco.2008.04-08-771).
        power = 2.0 if beta_named(self.beta_loss, "separate").beta == 0 else 1.0
        return replace(super().transform(sr), power=power)
