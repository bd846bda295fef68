"""Options of learning templates, for one dictionary or for one of each file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nmfaudio._common.options import name_or_number, option
from nmfaudio.cli.command import ComputingCommand
from nmfaudio.cli.parser import at_least

# Slow imports are inside the functions that need them, so that --help is fast.
if TYPE_CHECKING:
    from nmfaudio.audio.transforms import Transform

MAX_ITER = 100
"""Largest number of iterations, of templates and convolutive."""

_LEARNING = "learning"
_HOPS = 4  # hops per window


@dataclass(frozen=True, kw_only=True)
class LearningOptions(ComputingCommand):
    """Command that learns templates."""

    kind: str | None = option(
        None,
        "exemplars, frames of the recordings chosen to differ; templates, spectra that sum to the"
        " recordings; or convolutive, short spectrograms that do, for hits (default: exemplars)",
        choices=("exemplars", "templates", "convolutive"),
        group=_LEARNING,
    )
    size: int | None = option(
        None,
        "components for each label, and for each file of a folder (default: 300 exemplars,"
        " 30 templates or 10 convolutive; for files of a folder 10, 3 or 1; of a corpus 64)",
        short="-k",
        parse=at_least(1),
        metavar="N",
        group=_LEARNING,
    )
    lags: int | None = option(
        None,
        "frames in a component (default: 1; 10 of convolutive ones)",
        parse=at_least(1),
        metavar="N",
        group=_LEARNING,
    )
    n_fft: int | None = option(
        None,
        "window length in samples (default: the power of two nearest to 93 ms, or for notes to"
        " 186 ms)",
        parse=at_least(2),
        metavar="N",
        group=_LEARNING,
    )
    hop: int | None = option(
        None,
        "samples between windows (default: a quarter of a window, an eighth for notes)",
        parse=at_least(1),
        metavar="N",
        group=_LEARNING,
    )
    beta_loss: str | float = option(
        1.0,
        "beta-divergence, for learning and for separation: 1 Kullback-Leibler, 0 Itakura-Saito,"
        " 2 squared error; or kl, is, frobenius",
        parse=name_or_number,
        metavar="LOSS",
        group=_LEARNING,
    )
    max_iter: int | None = option(
        None,
        "maximum number of iterations, of templates and convolutive (default: 100), of"
        " --recording (default: 50) and of --corpus (default: 200)",
        parse=at_least(0),
        metavar="N",
        group=_LEARNING,
    )

    def transform(self, sr: int, hops_per_window: int = _HOPS) -> Transform | None:
        """Transform with the chosen window and hop; None if neither was chosen."""
        if self.n_fft is None and self.hop is None:
            return None
        from nmfaudio.audio.transforms import Stft, default_n_fft
        from nmfaudio.factorisation.divergences import beta_named

        beta = beta_named(self.beta_loss, "learn").beta
        power = 2.0 if beta == 0 else 1.0  # Itakura-Saito models power spectra
        n_fft = self.n_fft or default_n_fft(sr)
        return Stft(sr, n_fft, self.hop or max(1, n_fft // hops_per_window), power=power)
