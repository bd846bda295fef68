"""Functions that separate a recording in one call, one for each separator."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nmfaudio._common.options import options, parameters_section
from nmfaudio._common.settings import check_settings
from nmfaudio._public import public
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
    A file that libsndfile reads, or samples in float32 or float64.
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
    A setting or the audio is invalid.

See Also
--------
{kind} : The same settings, as an object that can be called on several recordings.

Examples
--------
{example}
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
        check_settings(name, chosen, list(settings))
        separator = kind(**chosen)
        stems: Stems = separator(audio, sr, rng=rng, callback=callback)
        return stems

    # help() and editors read the signature: list every option in it instead of **chosen.
    signature = inspect.signature(separate_audio)
    fixed = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
    keywords = [
        inspect.Parameter(option.name, inspect.Parameter.KEYWORD_ONLY, default=option.default)
        for option in settings.values()
    ]
    signature = signature.replace(parameters=[*fixed, *keywords])
    separate_audio.__signature__ = signature  # type: ignore[attr-defined]
    separate_audio.__name__ = separate_audio.__qualname__ = name
    summary = SEPARATORS[name][1]
    separate_audio.__doc__ = _DOC.format(
        summary=summary[:1].upper() + summary[1:],
        kind=kind.__name__,
        settings=parameters_section(kind),
        example=inspect.cleandoc(example),
    )
    return public(separate_audio)


separate = _function(
    "separate",
    """
    >>> import numpy as np, nmfaudio as na
    >>> y = np.random.default_rng(0).standard_normal(8000)
    >>> list(na.separate(y, 8000, n_sources=3, n_components=6, max_iter=10))
    ['source-1', 'source-2', 'source-3']
    """,
)
hpss = _function(
    "hpss",
    """
    >>> import numpy as np, nmfaudio as na
    >>> y = np.random.default_rng(0).standard_normal(8000)
    >>> stems = na.hpss(y, 8000, n_components=4, models=2, max_iter=10)
    >>> list(stems)
    ['harmonic', 'percussive']
    >>> bool(np.allclose(stems["harmonic"] + stems["percussive"], y))
    True
    """,
)
drums = _function(
    "drums",
    """
    >>> import numpy as np, nmfaudio as na
    >>> y = np.random.default_rng(0).standard_normal(8000)
    >>> list(na.drums(y, 8000, parts=("kick", "snare"), max_iter=2))
    ['kick', 'snare']
    """,
)
guided = _function(
    "guided",
    """
    >>> import numpy as np, nmfaudio as na
    >>> rng, t = np.random.default_rng(0), np.arange(8000) / 8000
    >>> tone, hiss = np.sin(2770 * t), rng.standard_normal(8000)
    >>> y = tone + rng.standard_normal(8000)
    >>> list(na.guided(y, 8000, example={"tone": tone, "hiss": hiss}, max_iter=10))
    ['tone', 'hiss']
    """,
)
score = _function(
    "score",
    """
    >>> import numpy as np, nmfaudio as na
    >>> t = np.arange(8000) / 8000
    >>> y = np.sin(220 * 2 * np.pi * t) + np.sin(554.4 * 2 * np.pi * t) * (t > 0.5)
    >>> notes = [na.Note(0, 1, 57, track="cello"), na.Note(0.5, 1, 73, track="flute")]
    >>> list(na.score(y, 8000, score=notes, aligned=True, max_iter=5))
    ['cello', 'flute']
    """,
)
f0 = _function(
    "f0",
    """
    >>> import numpy as np, nmfaudio as na
    >>> y = np.random.default_rng(0).standard_normal(8000)
    >>> pitch = na.separators.Pitch(np.arange(0, 1, 0.01), np.linspace(220, 240, 100))
    >>> list(na.f0(y, 8000, pitch=pitch, n_components=4, max_iter=10))
    ['voice', 'rest']
    """,
)
denoise = _function(
    "denoise",
    """
    >>> import numpy as np, nmfaudio as na
    >>> t = np.arange(8000) / 8000
    >>> y = np.sin(2770 * t) * (t > 0.5) + 0.1 * np.random.default_rng(0).standard_normal(8000)
    >>> list(na.denoise(y, 8000, noise=(0, 0.5), models=1, max_iter=10))
    ['signal', 'noise']
    """,
)
paint = _function(
    "paint",
    """
    >>> import numpy as np, nmfaudio as na
    >>> y = np.random.default_rng(0).standard_normal(8000)
    >>> boxes = [{"source": "bass", "start": 0, "end": 1, "low": 0, "high": 500}]
    >>> list(na.paint(y, 8000, boxes=boxes, rest=True, n_components=2, max_iter=5))
    ['bass', 'rest']
    """,
)
regroup = _function(
    "regroup",
    """
    >>> import numpy as np, nmfaudio as na
    >>> y = np.random.default_rng(0).standard_normal(8000)
    >>> model = na.separate(y, 8000, n_components=4, max_iter=5).decomposition
    >>> list(na.regroup(y, 8000, saved=model, groups={"first": [0], "others": [1, 2, 3]}))
    ['first', 'others']
    """,
)
