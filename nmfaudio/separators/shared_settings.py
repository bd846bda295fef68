"""Settings that all separators share."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

from nmfaudio._common.json_types import as_json
from nmfaudio._common.options import documented, option
from nmfaudio._common.settings import Settings
from nmfaudio.errors import ParameterError

# Slow imports are inside the functions that need them, so that `nmfaudio COMMAND --help` is fast.
if TYPE_CHECKING:
    from nmfaudio.audio.masking import Masking
    from nmfaudio.audio.transforms import Stft
    from nmfaudio.stems.rendering import Refinement

RENDERING = ("mask", "mask_power", "spatial", "refine")
"""Settings by which the stems of a model are made."""

_MOST_CHANNELS = 32  # with the spatial filter: a second of sound at 8 kHz takes ten


@documented
@dataclass(frozen=True, kw_only=True)
class SharedSettings(Settings):
    """Settings of iterations, transform, masks and rendering.

    Raises
    ------
    ParameterError
        A setting is out of range.
    """

    max_iter: int = option(
        200,
        "maximum number of iterations; more fit the mixture better and take longer",
        metavar="N",
    )
    tol: float = option(
        1e-4,
        "stop once ten iterations improve the fit by less than this fraction; 0 never stops early",
        metavar="FRACTION",
    )
    n_fft: int | None = option(
        None,
        "window length in samples: longer windows resolve pitches better, shorter ones smear drum "
        "hits less; by default the power of two nearest to 93 ms",
        parse=int,
        metavar="SAMPLES",
    )
    hop: int | None = option(
        None,
        "hop length in samples: shorter hops give smoother masks and take longer; by default a "
        "quarter of the window",
        parse=int,
        metavar="SAMPLES",
    )
    mask: Literal["soft", "binary"] = option(
        "soft",
        "kind of mask: soft divides each bin among the stems, binary gives it to the strongest "
        "one, which leaks less and causes more artefacts",
        choices=("soft", "binary"),
    )
    mask_power: float = option(
        2.0,
        "exponent of the soft masks: 1 keeps more of each source and leaks more, 2 suits music",
        metavar="ALPHA",
    )
    spatial: Literal["wiener", "mask"] = option(
        "wiener",
        "treatment of several channels: wiener also separates sources by their positions, mask "
        "treats all channels alike",
        choices=("wiener", "mask"),
    )
    refine: Literal["none", "consistent", "misi"] = option(
        "consistent",
        "refinement of the phases: consistent makes overlapping frames of a stem agree (slightly "
        "cleaner; takes up to two thirds longer), misi fits phases to the masks (only for very "
        "good masks), none keeps those of the mixture",
        choices=("none", "consistent", "misi"),
    )

    def __post_init__(self) -> None:
        from nmfaudio._common.validation import as_choice, as_count, as_number, shown

        self._set("max_iter", as_count(self.max_iter, "max_iter", low=0))
        self._set("tol", as_number(self.tol, "tol", low=0))
        self._set("mask_power", as_number(self.mask_power, "mask_power", above=0))
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(item.default, bool) and not isinstance(value, bool):
                raise ParameterError(f"{item.name} is {shown(value)}; it must be True or False")
        as_choice(self.mask, "mask", ("soft", "binary"))
        as_choice(self.spatial, "spatial", ("wiener", "mask"))
        as_choice(self.refine, "refine", ("none", "consistent", "misi"))
        for name in ("n_fft", "hop"):
            if getattr(self, name) is not None:
                self._set(name, as_count(getattr(self, name), name, low=1))

    def _set(self, name: str, value: Any) -> None:
        """Set a field of the frozen dataclass in `__post_init__`, to its validated value."""
        object.__setattr__(self, name, value)

    def transform(self, sr: int) -> Stft:
        """Return the transform for audio of a sample rate.

        Parameters
        ----------
        sr : int
            Sample rate in Hz.

        Returns
        -------
        Stft
            Short-time Fourier transform with the settings `n_fft` and `hop`.
        """
        from nmfaudio.audio.transforms import Stft, default_n_fft

        n_fft = default_n_fft(sr) if self.n_fft is None else self.n_fft
        return Stft(sr, n_fft, self.hop)  # type: ignore[arg-type]

    def settings(self) -> dict[str, Any]:
        """Return all settings.

        Returns
        -------
        dict
            Values by field name, JSON-serialisable.
        """
        return {f.name: as_json(getattr(self, f.name)) for f in fields(self)}

    def check_channels(self, shape: tuple[int, ...]) -> None:
        """Check, before any work, that a recording has channels that can be separated.

        Parameters
        ----------
        shape : tuple of (int, int)
            Number of channels and of samples.

        Raises
        ------
        ShapeError
            It looks transposed.
        ParameterError
            The spatial filter would take too long.
        """
        from nmfaudio._common.validation import require_channels_first

        require_channels_first(shape)
        if self.spatial == "wiener" and shape[0] > _MOST_CHANNELS:
            raise ParameterError(
                f"the recording has {shape[0]} channels, and spatial filtering, whose time grows "
                f"with their cube, takes up to {_MOST_CHANNELS}; set spatial='mask', or process "
                "fewer channels"
            )

    def rendering(self, transform: Stft) -> tuple[Masking, Refinement]:
        """Return the settings of masks and rendering.

        Parameters
        ----------
        transform : Stft
            Transform of the recording.

        Returns
        -------
        masking : Masking
        refinement : Refinement
        """
        from nmfaudio.audio.masking import Masking
        from nmfaudio.stems.rendering import Refinement

        masking = Masking(self.mask_power, transform.power, self.mask == "binary")
        return masking, Refinement(self.spatial == "wiener", self.refine)
