"""Separation without examples or scores: NMF, components grouped, one mask per group."""

from __future__ import annotations

import math
import operator
import os
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, SupportsIndex

from nmfaudio.errors import ParameterError
from nmfaudio.separators.base import option

# All that is heavy is imported where it is needed, so that the command's help stays quick.
if TYPE_CHECKING:
    import numpy as np

    from nmfaudio.decomposition import Decomposition
    from nmfaudio.engine import Callback
    from nmfaudio.grouping import Group
    from nmfaudio.separators.stems import Stems
    from nmfaudio.transforms import Stft

# Peaks beyond these are scaled by a power of two first: the power of a float32 would over- or
# underflow.
SOFTEST, LOUDEST = 2.0**-20, 2.0**20

# Memory, as measured: bytes of the process itself; how many real spectrograms are held while one is
# factored, and how many excerpts of it beside it while components are grouped; for how many chunks
# there are sums like templates, and how often those and activations are held; how many copies there
# are of the block that is turned back into audio (masked as complex, summed as float64).
_PROCESS = 200 * 2**20
_FACTORED = 3
_GROUPED = 7
_CHUNKS, _HELD = 16, 6
_BLOCKS = 8


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


@dataclass(frozen=True)
class BlindSeparator:
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
    max_iter: int = option(
        200, "iterations at most; more fit the mix closer and take longer", metavar="N"
    )
    tol: float = option(
        1e-4,
        "stop when ten iterations improved the fit by less than this share; 0 never stops early",
        metavar="SHARE",
    )
    init: str = option(
        "nndsvdar",
        "where the sounds start from: nndsvdar begins with the strongest patterns of the mix, spa "
        "with the moments least alike, random begins anywhere: another --seed, another result",
        choices=("nndsvdar", "spa", "random"),
    )
    n_fft: int | None = option(
        None,
        "window length in samples: longer tells pitches apart better, shorter smears drum hits "
        "less; by default the power of two nearest to 93 ms",
        parse=int,
        metavar="SAMPLES",
    )
    hop: int | None = option(
        None,
        "samples between windows: fewer are smoother and slower; by default a quarter of a window",
        parse=int,
        metavar="SAMPLES",
    )
    mask: Literal["soft", "binary"] = option(
        "soft",
        "soft shares each bit of sound among the stems, binary gives it to the strongest: less "
        "leaks, more artefacts",
        choices=("soft", "binary"),
    )
    mask_power: float = option(
        2.0,
        "how sharply soft masks divide: 1 keeps more of each sound and leaks more, 2 suits music",
        metavar="ALPHA",
    )

    def __post_init__(self) -> None:
        from nmfaudio._check import as_count, as_number
        from nmfaudio.divergences import divergence_named
        from nmfaudio.solvers import SOLVERS

        tidy: dict[str, Any] = {
            "components": as_count(self.components, "components", low=1),
            "max_iter": as_count(self.max_iter, "max_iter", low=0),
            "tol": as_number(self.tol, "tol", low=0),
            "mask_power": as_number(self.mask_power, "mask_power", above=0),
        }
        if not isinstance(self.beta_loss, str):
            tidy["beta_loss"] = as_number(self.beta_loss, "beta_loss")
        divergence_named(self.beta_loss)
        if self.sources != "auto":
            tidy["sources"] = as_count(self.sources, "sources", low=1)
            if tidy["sources"] > tidy["components"]:
                raise ParameterError(
                    f"sources is {self.sources}, more than the {self.components} components to "
                    "make them of; ask for fewer sources or more components"
                )
        if self.solver != "auto" and self.solver not in SOLVERS:
            names = ", ".join(("auto", *SOLVERS))
            raise ParameterError(f"solver is {self.solver!r}; it must be one of {names}")
        for name in ("n_fft", "hop"):
            if getattr(self, name) is not None:
                tidy[name] = as_count(getattr(self, name), name, low=1)
        for name, value in tidy.items():  # plain Python numbers, which JSON can take
            object.__setattr__(self, name, value)
        for name, allowed in (
            ("init", ("nndsvdar", "spa", "random")),
            ("mask", ("soft", "binary")),
        ):
            if getattr(self, name) not in allowed:
                raise ParameterError(
                    f"{name} is {getattr(self, name)!r}; it must be one of {', '.join(allowed)}"
                )

    def __call__(
        self,
        y: np.ndarray,
        sr: int,
        *,
        rng: int | np.random.Generator | None = 0,
        callback: Callback | None = None,
    ) -> Stems:
        """Take audio apart.

        Parameters
        ----------
        y : np.ndarray [shape=(channel, sample) or (sample,)]
            The mixture, float32 or float64; the stems have the same precision.
        sr : int
            Sample rate in Hz.
        rng : int, np.random.Generator or None
            Where chance comes from; the same seed gives the same bytes.
        callback : callable, optional
            Gets a `Progress` every ten iterations; True stops iterating.

        Returns
        -------
        Stems

        Raises
        ------
        ParameterError, ShapeError, ContentError
            A setting or `y` cannot work.
        """
        from nmfaudio._check import as_audio
        from nmfaudio.separators.stems import Masking, Stems, apply_masks, group_masks

        mixture = as_audio(y)
        stft = self._transform(sr)
        masking = Masking(self.mask_power, stft.power, self.mask == "binary")
        loudness = _power_of_two(mixture)
        scaled = mixture / loudness if loudness != 1 else mixture
        found, groups = self._grouped_components(scaled, stft, rng, callback)
        masks = group_masks(found, [group.components for group in groups.values()], masking)
        stems = apply_masks(masks, len(groups), scaled, stft)
        if loudness != 1:
            stems *= loudness
        settings = asdict(self) | {"seed": _seed(rng)}
        about = {
            "transform": stft.to_dict(),
            "settings": settings,
            "sources": {name: asdict(group) for name, group in groups.items()},
        }
        return Stems(
            dict(zip(groups, stems, strict=True)),
            mixture,
            sr,
            replace(found, about=about),
            stft,
            groups,
            masking,
            settings,
        )

    def _grouped_components(
        self,
        y: np.ndarray,
        stft: Stft,
        rng: int | np.random.Generator | None,
        callback: Callback | None,
    ) -> tuple[Decomposition, dict[str, Group]]:
        """The factored spectrogram of y, and which of its components make which source."""
        from nmfaudio.engine import nmf
        from nmfaudio.grouping import group_components
        from nmfaudio.separators.stems import analyse

        V = analyse(y, stft)
        found = nmf(
            V,
            self.components,
            beta_loss=self.beta_loss,
            solver=self.solver,
            init=self.init,
            max_iter=self.max_iter,
            tol=self.tol,
            callback=callback,
            rng=rng,
        )
        groups = group_components(
            V,
            found.W,
            found.H,
            frequencies=stft.frequencies,
            hop_seconds=stft.hop / stft.sr,
            sources=self.sources,
        )
        return found, groups

    def memory(self, y: np.ndarray, sr: int) -> int:
        """About how many bytes taking `y` apart needs at the peak, `y` and this process included.

        The mixture is there all the time. Beside it there are first the spectrogram and what
        factoring and grouping hold beside that; later, all stems and one block of their
        spectrograms.

        Parameters
        ----------
        y : np.ndarray [shape=(channel, sample)]
        sr : int
            Sample rate in Hz.

        Returns
        -------
        int
        """
        from nmfaudio.grouping import EVIDENCE_FRAMES, MOST_SOURCES
        from nmfaudio.separators.stems import BLOCK

        stft = self._transform(sr)
        frames = stft.n_frames(y.shape[1])
        frame = len(stft.frequencies) * y.itemsize
        sources = MOST_SOURCES if self.sources == "auto" else self.sources
        factors = self.components * (frames + _CHUNKS * len(stft.frequencies)) * y.itemsize
        factoring = frame * _FACTORED * frames + _HELD * factors
        grouping = frame * (frames + _GROUPED * min(frames, EVIDENCE_FRAMES))
        stems = sources * (y.nbytes + frame * _BLOCKS * len(y) * min(frames, BLOCK))
        return int(_PROCESS + y.nbytes + max(factoring, grouping, stems))

    def _transform(self, sr: int) -> Stft:
        from nmfaudio.divergences import divergence_named
        from nmfaudio.transforms import Stft, default_n_fft

        n_fft = default_n_fft(sr) if self.n_fft is None else self.n_fft
        # Itakura–Saito is a statement about powers (doi:10.1162/neco.2008.04-08-771).
        power = 2.0 if divergence_named(self.beta_loss).beta == 0 else 1.0
        return Stft(sr, n_fft, self.hop, power=power)  # type: ignore[arg-type]


def separate(
    audio: str | bytes | os.PathLike[str] | np.ndarray,
    sr: int | None = None,
    *,
    rng: int | np.random.Generator | None = 0,
    callback: Callback | None = None,
    **settings: Any,
) -> Stems:
    """Take a recording apart: the short form of `BlindSeparator`.

    Parameters
    ----------
    audio : path, or np.ndarray [shape=(channel, sample) or (sample,)]
        A file that libsndfile reads, or float samples.
    sr : int
        Sample rate of the samples in Hz; a file knows its own.
    rng : int, np.random.Generator or None
        Where chance comes from; the same seed gives the same bytes.
    callback : callable, optional
        Gets a `Progress` every ten iterations; True stops iterating.
    **settings
        Fields of `BlindSeparator`: sources, components, beta_loss, solver, max_iter, tol, init,
        n_fft, hop, mask, mask_power.

    Returns
    -------
    Stems

    Raises
    ------
    AudioFileError
        The file cannot be read.
    ParameterError, ShapeError, ContentError
        A setting or the audio cannot work.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> y = np.random.default_rng(0).standard_normal(8000)
    >>> stems = na.separate(y, 8000, sources=3, components=6, max_iter=5, rng=0)
    >>> bool(abs(stems.residual()).max() < 1e-12)
    True
    """
    unknown = set(settings) - set(BlindSeparator.__dataclass_fields__)
    if unknown:
        known = ", ".join(BlindSeparator.__dataclass_fields__)
        raise ParameterError(f"no setting is called {min(unknown)!r}; there are: {known}")
    separator = BlindSeparator(**settings)
    if isinstance(audio, str | bytes | os.PathLike):
        if sr is not None:
            raise ParameterError(f"sr is {sr}, but a file knows its own rate; leave sr out")
        from nmfaudio.io import read

        recording = read(audio)
        return separator(recording.samples, recording.sr, rng=rng, callback=callback)
    if sr is None:
        raise ParameterError("sr is missing; samples need their rate in Hz")
    return separator(audio, sr, rng=rng, callback=callback)


def _seed(rng: int | np.random.Generator | None) -> int | None:
    """The seed that can be written down, of a NumPy integer too."""
    return operator.index(rng) if isinstance(rng, SupportsIndex) else None


def _power_of_two(y: np.ndarray) -> float:
    """The power of two below the peak where that is extreme, else 1."""
    peak = float(max(y.max(), -y.min()))
    return 1.0 if peak == 0 or SOFTEST <= peak <= LOUDEST else 2.0 ** math.floor(math.log2(peak))
