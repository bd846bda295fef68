"""Harmonic from percussive: averaged convolutive models, divided by median-filter evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nmfaudio._common.options import documented, option
from nmfaudio._public import public
from nmfaudio.separators.pipeline import GroupedDecomposition, NmfSeparator, SeparationInput

# Heavy modules are imported where they are used, so that the help of the command stays fast.
if TYPE_CHECKING:
    import numpy as np

    from nmfaudio.factorisation.decomposition import Decomposition
    from nmfaudio.factorisation.engine import Callback


NAMES = ("harmonic", "percussive")


@public
@documented
@dataclass(frozen=True, kw_only=True)
class HpssSeparator(NmfSeparator):
    """Take a recording apart into what sounds on and what is struck.

    Several models of the magnitude spectrogram, from different random starts, are added up: their
    errors differ and cancel, what they share stays. Each is made of components that last a few
    frames (NMFD), so that a stroke with its decay is one component. The components of all models
    are divided into two natural classes by how percussive a median filter finds them, and what
    sounds together with them. The parameters are those of the command ``nmfaudio hpss``.

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

    >>> import numpy as np
    >>> t = np.arange(16000) / 8000
    >>> tone, clicks = 0.1 * np.sin(2 * np.pi * 440 * t), np.zeros(16000)
    >>> clicks[1000::4000] = 1
    >>> stems = HpssSeparator(components=4, models=2)(tone + clicks, 8000)
    >>> [bool(abs(stems[name][0] - true)[500:-500].max() < 0.1)
    ...  for name, true in (("harmonic", tone), ("percussive", clicks))]
    [True, True]
    """

    residual: bool = option(
        False, "give a third stem too: what is neither clearly harmonic nor clearly percussive"
    )
    components: int = option(
        25,
        "how many sounds each model is made of; more catch finer detail and split sounds into more "
        "pieces",
        short="-k",
        metavar="N",
    )
    lags: int = option(
        4,
        "how many windows long a sound is: more suit drums with long decays, fewer suit fast music",
        metavar="N",
    )
    models: int = option(
        5, "how many models are averaged; more are better and take longer", metavar="N"
    )
    max_iter: int = option(
        60, "iterations per model at most; more fit the mix closer and take longer", metavar="N"
    )

    def __post_init__(self) -> None:
        from nmfaudio._common.validation import as_count

        super().__post_init__()
        for name in ("components", "lags", "models"):
            self._set(name, as_count(getattr(self, name), name, low=1))

    def model(self, inputs: SeparationInput) -> GroupedDecomposition:
        """Add models up, and divide their components by how percussive they are."""
        from nmfaudio.separators.ensemble import averaged
        from nmfaudio.stems.grouping import group_by_percussiveness

        found = averaged(
            inputs.V,
            lambda report, rng: self._fit(inputs.V, report, rng),
            self.models,
            callback=inputs.callback,
            rng=inputs.rng,
        )
        groups = group_by_percussiveness(
            inputs.V,
            found.W,
            found.H,
            ("harmonic", "residual", "percussive") if self.residual else NAMES,
            frequencies=inputs.transform.frequencies,
            hop_seconds=inputs.transform.hop_seconds,
        )
        order = (*NAMES, "residual") if self.residual else NAMES
        return GroupedDecomposition(found, {name: groups[name] for name in order})

    def size(self) -> tuple[int, int]:
        """Components, each counted once per window it lasts, and stems."""
        return self.components * self.lags * self.models, 3 if self.residual else 2

    def _fit(self, V: np.ndarray, report: Callback, rng: np.random.Generator) -> Decomposition:
        """One model."""
        from nmfaudio.factorisation.engine import decompose
        from nmfaudio.factorisation.factors import Factor
        from nmfaudio.factorisation.initialisation import random_factors
        from nmfaudio.factorisation.structures import Convolutive

        bins, frames = V.shape
        templates = min(self.lags, frames), bins, self.components
        W, H = random_factors(templates, (self.components, frames), None, None)
        return decompose(
            V,
            [Factor(W, name="W"), Factor(H, name="H")],
            structure=Convolutive(),
            max_iter=self.max_iter,
            tol=self.tol,
            callback=report,
            rng=rng,
        )
