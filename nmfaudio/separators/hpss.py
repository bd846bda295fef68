"""Harmonic–percussive separation by averaged convolutive models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nmfaudio._common.options import documented, option
from nmfaudio._public import public
from nmfaudio.separators.inputs import GroupedDecomposition, SeparationInput
from nmfaudio.separators.pipeline import NmfSeparator

# Slow imports are inside the functions that need them, so that --help is fast.
if TYPE_CHECKING:
    import numpy as np

    from nmfaudio.factorisation.decomposition import Decomposition
    from nmfaudio.factorisation.engine import Callback
    from nmfaudio.separators.blockwise import Learned
    from nmfaudio.stems.grouping import ComponentGroup


NAMES = ("harmonic", "percussive")
_LEARNING_RUN = 16  # consecutive frames of a long recording that templates are learned from


@public
@documented
@dataclass(frozen=True, kw_only=True)
class HpssSeparator(NmfSeparator):
    """Separate harmonic from percussive sounds.

    Several convolutive models (NMFD) of the spectrogram, from different random initialisations,
    are averaged, so that their errors partly cancel. Templates of several frames model a hit
    and its decay by one component. The components of all models are divided into two
    natural classes by their percussiveness: the share of their energy under the percussive mask
    of a median filter, averaged over the components that are active together.

    Raises
    ------
    ParameterError
        A setting is out of range.

    References
    ----------
    D. Fitzgerald, "Harmonic/percussive separation using median filtering", DAFx 2010,
    https://arrow.tudublin.ie/argcon/67/.

    P. Smaragdis, "Non-negative matrix factor deconvolution; extraction of multiple sound sources
    from monophonic inputs", ICA 2004, doi:10.1007/978-3-540-30110-3_63.

    Examples
    --------
    A tone with clicks:

    >>> import numpy as np, nmfaudio as na
    >>> t = np.arange(16000) / 8000
    >>> tone, clicks = 0.1 * np.sin(2 * np.pi * 440 * t), np.zeros(16000)
    >>> clicks[1000::4000] = 1
    >>> stems = na.HpssSeparator(n_components=4, models=2)(tone + clicks, 8000)
    >>> [bool(abs(stems[name][0] - true)[500:-500].max() < 0.1)
    ...  for name, true in (("harmonic", tone), ("percussive", clicks))]
    [True, True]
    """

    residual: bool = option(
        False,
        "add a third stem of the sounds half-way between harmonic and percussive; it is soft, and "
        "changes the other two little",
    )
    n_components: int = option(
        25,
        "number of components of each model; more capture finer detail and split sounds into more "
        "pieces",
        short="-k",
        metavar="N",
        flag="--components",
    )
    lags: int = option(
        4,
        "number of frames that a template spans: more suit drums with long decays, fewer suit fast "
        "music",
        metavar="N",
    )
    models: int = option(
        5, "number of models to average; more separate better and take longer", metavar="N"
    )
    max_iter: int = option(
        60,
        "maximum number of iterations of each model; more fit the mixture better and take longer",
        metavar="N",
    )

    def __post_init__(self) -> None:
        from nmfaudio._common.validation import as_count

        super().__post_init__()
        for name in ("n_components", "lags", "models"):
            self._set(name, as_count(getattr(self, name), name, low=1))

    def model(self, inputs: SeparationInput) -> GroupedDecomposition:
        """Average several models, and divide their components by percussiveness.

        Parameters
        ----------
        inputs : SeparationInput
            The recording.

        Returns
        -------
        GroupedDecomposition
            The model, and the components of each stem.
        """
        fitted = self._mean_model(inputs.V, inputs)
        return GroupedDecomposition(fitted, self._groups(inputs.V, fitted, inputs))

    def learn(self, inputs: SeparationInput) -> Learned:
        """Average several models of runs of frames, and divide their components.

        Parameters
        ----------
        inputs : SeparationInput
            The recording.

        Returns
        -------
        Learned
            The templates, and the components of each stem.
        """
        from nmfaudio.separators.block_fits import (
            CONVOLUTIVE_ITERATIONS,
            AveragedTemplates,
            convolutive_halo,
        )
        from nmfaudio.separators.blockwise import LEARNING_FRAMES, Learned, fitted_evidence

        # Not in a variable, which would keep the frames in memory.
        fitted = self._mean_model(inputs.training_frames(LEARNING_FRAMES, _LEARNING_RUN)[0], inputs)
        halo = convolutive_halo(len(fitted.W))
        fit = AveragedTemplates(self.models, CONVOLUTIVE_ITERATIONS, halo)
        evidence = fitted_evidence(fitted, fit, inputs)
        return Learned(fitted, self._groups(*evidence, inputs), fit)

    @property
    def learns_from_all(self) -> bool:
        """True if `learn` takes `SeparationInput.training_frames`."""
        return True

    def _mean_model(self, V: np.ndarray, inputs: SeparationInput) -> Decomposition:
        """Average several models of a spectrogram."""
        from nmfaudio.separators.ensemble import average_models

        return average_models(
            V,
            lambda _, report, rng: self._fit(V, report, rng),
            self.models,
            callback=inputs.callback,
            rng=inputs.rng,
        )

    def _groups(
        self, V: np.ndarray, fitted: Decomposition, inputs: SeparationInput
    ) -> dict[str, ComponentGroup]:
        """Divide the components of a spectrogram by percussiveness."""
        from nmfaudio.stems.grouping import group_by_percussiveness

        groups = group_by_percussiveness(
            V,
            fitted.W,
            fitted.H,
            ("harmonic", "residual", "percussive") if self.residual else NAMES,
            frequencies=inputs.transform.frequencies,
            hop_seconds=inputs.transform.hop_seconds,
        )
        return {name: groups[name] for name in self.stem_names}

    @property
    def stem_names(self) -> tuple[str, ...]:
        """Names of the stems."""
        return (*NAMES, "residual") if self.residual else NAMES

    def size(self) -> tuple[int, int]:
        """Return upper bounds of the numbers of components and stems.

        Returns
        -------
        tuple of (int, int)
            Number of components, each counted once per frame of its template, and number of stems.
        """
        return self.n_components * self.lags * self.models, 3 if self.residual else 2

    def _fit(
        self, V: np.ndarray, report: Callback | None, rng: np.random.Generator
    ) -> Decomposition:
        """Fit one convolutive model from a random initialisation."""
        from nmfaudio.factorisation.engine import decompose
        from nmfaudio.factorisation.factors import Factor
        from nmfaudio.factorisation.initialisation import random_factors
        from nmfaudio.factorisation.structures import Convolutive

        bins, frames = V.shape  # a template is no longer than the recording
        templates = min(self.lags, frames), bins, self.n_components
        W, H = random_factors(templates, (self.n_components, frames), None, None)
        return decompose(
            V,
            [Factor(W, name="W"), Factor(H, name="H")],
            structure=Convolutive(),
            max_iter=self.max_iter,
            tol=self.tol,
            callback=report,
            rng=rng,
        )
