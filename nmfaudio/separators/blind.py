"""Separation without examples or scores: NMF, components grouped, one mask per group."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from nmfaudio._common.options import documented, option
from nmfaudio._public import public
from nmfaudio.errors import ParameterError
from nmfaudio.separators.pipeline import GroupedDecomposition, NmfSeparator, SeparationInput

# Heavy modules are imported where they are used, so that the help of the command stays fast.
if TYPE_CHECKING:
    from nmfaudio.audio.transforms import Stft


def _number_or_auto(text: str) -> int | str:
    if text == "auto":
        return text
    try:
        return int(text)
    except ValueError:
        raise ParameterError(f"{text!r} is neither a whole number nor auto") from None


def _name_or_number(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text


@public
@documented
@dataclass(frozen=True, kw_only=True)
class BlindSeparator(NmfSeparator):
    """Take a recording apart with nothing known about it.

    The magnitude spectrogram is factored into components. Each is then given to a source: with
    two sources by how percussive it is, with more by pitch range too. Sources of a full
    mix that overlap in pitch and rhythm, such as a voice among guitars, cannot be told apart this
    way. The parameters are those of the command ``nmfaudio separate``; see `options`.

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
    >>> import numpy as np
    >>> y = np.random.default_rng(0).standard_normal((1, 8000))
    >>> stems = BlindSeparator(components=4, max_iter=5)(y, 8000)
    >>> list(stems)
    ['harmonic', 'percussive']
    """

    sources: int | Literal["auto"] = option(
        2,
        "how many stems: 2 splits harmonic from percussive, more split by pitch range too, "
        "auto looks how many can be told apart",
        short="-s",
        parse=_number_or_auto,
        metavar="N",
    )
    components: int = option(
        30,
        "how many sounds the mix is taken to be made of; more catch finer detail and split "
        "instruments into more pieces",
        short="-k",
        metavar="N",
    )
    beta_loss: str | float = option(
        "kl",
        "what counts as a misfit: kl suits most music, is also hears the quietest parts, frobenius "
        "follows the loudest; or a number β",
        parse=_name_or_number,
        metavar="LOSS",
    )
    solver: str = option(
        "auto",
        "how the fit is improved: mu takes any loss, bmme needs fewer iterations for β ≤ 2, hals "
        "or pg for frobenius; ccd is slow but exact, for kl; auto takes the fastest",
        metavar="NAME",
    )
    init: str = option(
        "nndsvdar",
        "where the sounds start from: nndsvdar begins with the strongest patterns of the mix, spa "
        "with the moments least alike, random begins anywhere: another --seed, another result",
        choices=("nndsvdar", "spa", "random"),
    )

    refine: Literal["none", "consistent", "misi"] = option(
        "none",
        "consistent looks for stems whose frames agree with each other, misi for phases that fit "
        "the masks: they help where the masks are good",
        choices=("none", "consistent", "misi"),
    )

    def __post_init__(self) -> None:
        from nmfaudio._common.validation import as_choice, as_count, as_number
        from nmfaudio.factorisation.divergences import divergence_named
        from nmfaudio.factorisation.solvers import SOLVERS

        super().__post_init__()
        self._set("components", as_count(self.components, "components", low=1))
        if not isinstance(self.beta_loss, str):
            self._set("beta_loss", as_number(self.beta_loss, "beta_loss"))
        divergence_named(self.beta_loss)
        if self.sources != "auto":
            self._set("sources", as_count(self.sources, "sources", low=1))
            if self.sources > self.components:
                raise ParameterError(
                    f"sources is {self.sources}, more than the {self.components} components to "
                    "make them of; ask for fewer sources or more components"
                )
        as_choice(self.solver, "solver", ("auto", *SOLVERS))
        as_choice(self.init, "init", ("nndsvdar", "spa", "random"))

    def model(self, inputs: SeparationInput) -> GroupedDecomposition:
        """Factor the spectrogram, and group the components."""
        from nmfaudio.factorisation.engine import nmf
        from nmfaudio.stems.grouping import group_components

        found = nmf(
            inputs.V,
            self.components,
            beta_loss=self.beta_loss,
            solver=self.solver,
            init=self.init,
            max_iter=self.max_iter,
            tol=self.tol,
            callback=inputs.callback,
            rng=inputs.rng,
        )
        groups = group_components(
            inputs.V,
            found.W,
            found.H,
            frequencies=inputs.transform.frequencies,
            hop_seconds=inputs.transform.hop_seconds,
            sources=self.sources,
        )
        return GroupedDecomposition(found, groups)

    def size(self) -> tuple[int, int]:
        """How many components and stems."""
        from nmfaudio.stems.grouping import MAX_SOURCES

        return self.components, MAX_SOURCES if self.sources == "auto" else self.sources

    def transform(self, sr: int) -> Stft:
        """The transform for audio of this sample rate: of powers for Itakura–Saito."""
        from nmfaudio.factorisation.divergences import divergence_named

        # Itakura–Saito is a statement about powers (doi:10.1162/neco.2008.04-08-771).
        power = 2.0 if divergence_named(self.beta_loss).beta == 0 else 1.0
        return replace(super().transform(sr), power=power)
