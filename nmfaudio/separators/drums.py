"""Drums: one stem for each part of the kit, from templates that learn the kit at hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nmfaudio.errors import ParameterError
from nmfaudio.separators.base import option
from nmfaudio.separators.modelled import Model, ModelSeparator, Scene

if TYPE_CHECKING:
    import numpy as np

    from nmfaudio.decomposition import Decomposition
    from nmfaudio.transforms import Stft

PARTS = ("kick", "snare", "hihat", "toms", "cymbals")
"""The parts of a kit that there are shipped templates of."""

_MANY = 4  # components of a part in the end: no two of its hits sound alike
_FINISH = 6  # iterations at full resolution, with the activations known


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


@dataclass(frozen=True, kw_only=True)
class DrumSeparator(ModelSeparator):
    """Take drums apart into kick, snare, hi-hat and what else is asked for.

    Non-negative matrix factor deconvolution: each part of the kit is a short spectrogram that
    recurs. The templates that ship with the package say what a kick, a snare and a hi-hat sound
    like in general; those of the kit at hand are learned from the recording itself, first one for
    each part, then several, on what each part has for itself under the masks found so far.

    Raises
    ------
    ParameterError
        A setting is out of range.

    References
    ----------
    P. Smaragdis, "Non-negative matrix factor deconvolution; extraction of multiple sound sources
    from monophonic inputs", ICA 2004, doi:10.1007/978-3-540-30110-3_63.

    C. Dittmar and M. Müller, "Reverse engineering the Amen break: score-informed separation and
    restoration applied to drum recordings", IEEE/ACM TASLP 24(9), 2016,
    doi:10.1109/TASLP.2016.2567645.

    Examples
    --------
    >>> import numpy as np
    >>> y = np.random.default_rng(0).standard_normal((1, 8000))
    >>> stems = DrumSeparator(max_iter=2)(y, 8000)
    >>> list(stems)
    ['kick', 'snare', 'hihat']
    """

    examples = ("drums.wav", "drums.wav --parts kick,snare,hihat,toms,cymbals")

    parts: tuple[str, ...] = option(
        ("kick", "snare", "hihat"),
        f"which parts the kit has, of {', '.join(PARTS)}",
        parse=_names,
        metavar="NAMES",
    )
    max_iter: int = option(
        30, "iterations at most for each of the four stages of learning the kit", metavar="N"
    )
    tol: float = option(
        0.0,
        "stop a stage when ten iterations improved the fit by less than this share; 0 never stops "
        "early",
        metavar="SHARE",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        unknown = [part for part in self.parts if part not in PARTS]
        if unknown or not self.parts or len(set(self.parts)) < len(self.parts):
            raise ParameterError(
                f"parts is {','.join(self.parts)!r}; name each part once, of {', '.join(PARTS)}"
            )

    def size(self) -> tuple[int, int]:
        return _MANY * len(self.parts), len(self.parts)

    def transform(self, sr: int) -> Stft:
        from nmfaudio.transforms import Stft, default_n_fft

        n_fft = default_n_fft(sr) // 2 if self.n_fft is None else self.n_fft  # hits are short
        return Stft(sr, n_fft, self.hop)  # type: ignore[arg-type]

    def model(self, scene: Scene) -> Model:
        from nmfaudio.separators.drum_kit import Bands, shipped_templates

        bands = Bands.of(len(scene.V))
        V = bands.pool(scene.V)
        known = shipped_templates(self.parts, scene.transform)
        W, H = self._meet(V, bands.pool(known).astype(V.dtype), scene)
        W, H = self._divide(V, W, H, scene)
        both = self._decompose(V, W, H, scene)
        found = self._decompose(
            scene.V, bands.spread(both.W), both.H, scene, free=(True, False), max_iter=_FINISH
        )
        of_part = {part: range(_MANY * i, _MANY * (i + 1)) for i, part in enumerate(self.parts)}
        return Model(found, of_part)

    def _meet(self, V: np.ndarray, W: np.ndarray, scene: Scene) -> tuple[np.ndarray, np.ndarray]:
        """One template for each part, adapted to the recording where it is surely heard."""
        import numpy as np

        H = np.full((W.shape[2], V.shape[1]), V.mean(), V.dtype)
        H = self._decompose(V, W, H, scene, free=(False, True)).H
        peaks = np.maximum(H.max(axis=1, keepdims=True), np.finfo(H.dtype).tiny)
        met = self._decompose(V, W, H * (H / peaks), scene)
        return met.W, met.H

    def _divide(
        self, V: np.ndarray, W: np.ndarray, H: np.ndarray, scene: Scene
    ) -> tuple[np.ndarray, np.ndarray]:
        """Several templates for each part, learned on its share of V."""
        import numpy as np

        from nmfaudio.engine import generator
        from nmfaudio.masks import soft_masks
        from nmfaudio.structures import Convolutive

        rng = generator(scene.rng)
        models = [Convolutive().part((W, H), [k]) for k in range(len(H))]
        Ws, Hs = [], []
        for k, mask in enumerate(soft_masks(models, alpha=2.0, power=1.0)):
            apart = np.exp(0.5 * rng.standard_normal((*W.shape[:2], _MANY)))
            shares = rng.uniform(0.5 / _MANY, 1.5 / _MANY, (_MANY, H.shape[1]))
            own = self._decompose(
                V * mask,
                W[..., [k]] * apart.astype(W.dtype),
                H[[k]] * shares.astype(H.dtype),
                scene,
            )
            Ws.append(own.W)
            Hs.append(own.H)
        return np.concatenate(Ws, axis=2), np.concatenate(Hs)

    def _decompose(
        self,
        V: np.ndarray,
        W: np.ndarray,
        H: np.ndarray,
        scene: Scene,
        *,
        free: tuple[bool, bool] = (True, True),
        max_iter: int | None = None,
    ) -> Decomposition:
        from nmfaudio.engine import decompose
        from nmfaudio.factors import Factor
        from nmfaudio.structures import Convolutive

        return decompose(
            V,
            [Factor(W, free[0], name="W"), Factor(H, free[1], name="H")],
            structure=Convolutive(),
            solver="mu",
            max_iter=self.max_iter if max_iter is None else max_iter,
            tol=self.tol,
            callback=scene.callback,
        )
