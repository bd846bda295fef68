"""Functions that separate a recording in one call, one for each separator."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nmfaudio._common.options import options, parameters_section
from nmfaudio._public import public
from nmfaudio.errors import ParameterError
from nmfaudio.separators import SEPARATORS
from nmfaudio.separators.base import load_separator

if TYPE_CHECKING:
    import numpy as np

    from nmfaudio.factorisation.loop import Callback
    from nmfaudio.stems.stems import Stems

_DOC = """{summary}.

Short form of ``{kind}(**settings)(audio, sr)``; see `{kind}` for the method and its references.

Parameters
----------
audio : path, or np.ndarray [shape=(channel, sample) or (sample,)]
    A file that libsndfile reads, or float samples.
sr : int, optional
    Sample rate of the samples in Hz; not given for a file.
rng : int, np.random.Generator or None
    Seed of the random numbers; the same seed gives the same bytes.
callback : callable, optional
    Called with a `Progress` every ten iterations; returning True stops the iterations.
{settings}
Returns
-------
Stems
    Named stems that sum to the mixture.

Raises
------
AudioFileError
    A file cannot be read.
ParameterError, ShapeError, ContentError
    A setting is out of range, or the audio cannot be used.

Examples
--------
>>> import nmfaudio as na
>>> stems = {example}
"""


def _function(name: str, example: str) -> Callable[..., Stems]:
    """Make the function of a separator, with the separator's options in its signature."""
    kind = load_separator(name)
    settings = {option.name: option for option in options(kind)}

    def separate_audio(
        audio: str | bytes | os.PathLike[str] | np.ndarray,
        sr: int | None = None,
        *,
        rng: int | np.random.Generator | None = 0,
        callback: Callback | None = None,
        **chosen: Any,
    ) -> Stems:
        unknown = sorted(set(chosen) - set(settings))
        if unknown:
            raise ParameterError(
                f"{name} has no setting {unknown[0]!r}; choose from {', '.join(settings)}"
            )
        separator = kind(**chosen)
        stems: Stems = separator(audio, sr, rng=rng, callback=callback)
        return stems

    own = inspect.signature(separate_audio)
    fixed = [p for p in own.parameters.values() if p.kind is not p.VAR_KEYWORD]
    keyword = inspect.Parameter.KEYWORD_ONLY
    more = [inspect.Parameter(o.name, keyword, default=o.default) for o in settings.values()]
    separate_audio.__signature__ = own.replace(parameters=[*fixed, *more])  # type: ignore[attr-defined]
    separate_audio.__name__ = separate_audio.__qualname__ = name
    summary = SEPARATORS[name][1]
    separate_audio.__doc__ = _DOC.format(
        summary=summary[:1].upper() + summary[1:],
        kind=kind.__name__,
        settings=parameters_section(kind),
        example=example,
    )
    return public(separate_audio)


separate = _function("separate", 'na.separate(na.example("drums"), sources=3)  # doctest: +SKIP')
hpss = _function("hpss", 'na.hpss(na.example("band"))  # doctest: +SKIP')
drums = _function("drums", 'na.drums(na.example("drums"))  # doctest: +SKIP')
guided = _function("guided", 'na.guided("mix.wav", example={"bass": "bass.wav"})  # doctest: +SKIP')
score = _function("score", 'na.score("mix.wav", score="score.mid")  # doctest: +SKIP')
f0 = _function("f0", 'na.f0("song.wav", pitch="pitch.csv")  # doctest: +SKIP')
denoise = _function("denoise", 'na.denoise("speech.wav", noise=(0, 1.2))  # doctest: +SKIP')
paint = _function("paint", 'na.paint("mix.wav", boxes="boxes.json")  # doctest: +SKIP')
regroup = _function(
    "regroup", 'na.regroup("mix.wav", saved="model.npz", groups={"low": [0, 3]})  # doctest: +SKIP'
)
