"""From audio to spectrograms and back: each transform knows its own inverse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nmfaudio.audio.transforms.base import Transform
from nmfaudio.audio.transforms.cqt import Cqt
from nmfaudio.audio.transforms.filterbank import Erb, Mel
from nmfaudio.audio.transforms.stft import Stft, default_n_fft
from nmfaudio.errors import ParameterError

__all__ = [
    "TRANSFORMS",
    "Cqt",
    "Erb",
    "Mel",
    "Stft",
    "Transform",
    "default_n_fft",
    "transform_from",
]

TRANSFORMS: dict[str, type[Any]] = {t.kind: t for t in (Stft, Mel, Erb, Cqt)}
"""Those that a saved model can name."""


def transform_from(parameters: Mapping[str, Any]) -> Transform:
    """The transform whose `to_dict` this is.

    Parameters
    ----------
    parameters : mapping
        As saved with a model; without ``"kind"``, as once written, they are of an `Stft`.

    Returns
    -------
    Transform

    Raises
    ------
    ParameterError
        There is no transform of this kind, or it does not take these parameters.

    Examples
    --------
    >>> mel = Mel(16000, n_mels=40)
    >>> transform_from(mel.to_dict()) == mel
    True
    """
    fields = dict(parameters)
    kind = fields.pop("kind", Stft.kind)
    if kind not in TRANSFORMS:
        raise ParameterError(f"no transform is called {kind!r}; there are: {', '.join(TRANSFORMS)}")
    try:
        transform: Transform = TRANSFORMS[kind](**fields)
    except TypeError as error:
        raise ParameterError(f"these are not the parameters of {kind!r}: {error}") from None
    return transform
