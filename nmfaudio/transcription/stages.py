"""Notes by themselves into templates: where each begins, and how it sounds from then on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from nmfaudio._check import as_choice, as_count, as_number
from nmfaudio.divergences import Beta
from nmfaudio.engine import decompose
from nmfaudio.errors import ContentError, ParameterError
from nmfaudio.factors import Factor
from nmfaudio.separators.stems import analyse
from nmfaudio.transcription.dictionary import NoteDictionary
from nmfaudio.transcription.makers import STAGE_ENDS, STAGES
from nmfaudio.transcription.transposing import unit_sums
from nmfaudio.transforms import Stft, Transform, default_n_fft

_BEGUN = 0.0025  # of the highest mean power: the sound is there. -26 dB
_SMOOTH = 0.002  # s over which the power is taken
_ITERATIONS = 50


class Stage(NamedTuple):
    """A stretch of a note, in seconds after its onset."""

    name: str | None
    begin: float
    end: float


class NoteSound(NamedTuple):
    """A recording of one note by itself."""

    samples: np.ndarray  # (channel, sample)
    pitch: float
    velocity: float | None
    name: str  # what messages call it


def usual_transform(sr: int, beta: float) -> Stft:
    """What notes are learned with where no transform is given."""
    return Stft(sr, default_n_fft(sr), power=2.0 if beta == 0 else 1.0)


def as_stages(ends: Mapping[str, float] | None) -> list[Stage]:
    """Stages one after the other; see `NoteDictionary.from_folder`.

    Raises
    ------
    ParameterError
        A name is not one of `STAGES`, or they do not end one after the other.
    """
    ends = STAGE_ENDS if ends is None else ends
    if not isinstance(ends, Mapping):
        raise ParameterError(
            f"stages are {ends!r}; give a mapping of their names to the seconds at which they end"
        )
    found: list[Stage] = []
    for name in sorted(ends, key=lambda name: STAGES.index(as_choice(name, "a stage", STAGES))):
        begin = found[-1].end if found else 0.0
        end = as_number(ends[name], f"the end of {name}")
        if end <= begin:
            raise ParameterError(
                f"stage {name} ends {end:g} s after the onset, and begins at {begin:g} s; stages "
                f"are {', '.join(STAGES)}, each of which ends later than the one before"
            )
        found.append(Stage(name, begin, end))
    return found or [Stage(None, 0.0, STAGE_ENDS[STAGES[-1]])]


def learn_notes(
    sounds: Iterable[NoteSound],
    transform: Transform,
    *,
    instrument: str,
    stages: Mapping[str, float] | None,
    lags: int | None,
    beta: float,
    about: dict[str, Any],
) -> NoteDictionary:
    """The templates of notes by themselves; see `NoteDictionary.from_folder`."""
    if lags is not None and stages is not None:
        raise ParameterError(
            "lags and stages are both given; templates of several frames have no "
            "stages, leave one out"
        )
    beta = as_number(beta, "beta")
    spans = as_stages(stages)
    count = None if lags is None else as_count(lags, "lags", low=2)
    templates, pitches, velocities, names = [], [], [], []
    for sound in sounds:
        V = from_onset(sound, transform)
        if count is None:
            each = stage_templates(V, transform, spans, beta)
        else:
            each = [(stretch(V, count), None)]
        templates += [template for template, _ in each]
        names += [name for _, name in each]
        pitches += [sound.pitch] * len(each)
        velocities += [sound.velocity] * len(each)
    if not templates:
        raise ContentError(f"{instrument}: there is no note to learn from; give at least one")
    return NoteDictionary(
        unit_sums(np.stack(templates, axis=-1)),
        (instrument,) * len(templates),
        transform,
        tuple(pitches),
        beta,
        "templates" if count is None else "convolutive",
        about,
        tuple(velocities),
        tuple(names),
    )


def from_onset(sound: NoteSound, transform: Transform) -> np.ndarray:
    """The features of a note, of which frame 1 is centred on the onset [shape=(freq, time)]."""
    onset = find_onset(sound, transform.sr)
    hop = round(float(transform.times(2)[1]) * transform.sr)
    return analyse(np.pad(sound.samples[:, onset:], ((0, 0), (hop, 0))), transform)


def find_onset(sound: NoteSound, sr: int) -> int:
    """The sample at which a sound begins: where its power comes within 26 dB of its highest.

    Raises
    ------
    ContentError
        The recording is silent.
    """
    power = (sound.samples.astype(np.float64) ** 2).sum(axis=0)
    width = max(1, round(_SMOOTH * sr))
    sums = np.cumsum(np.pad(power, (width // 2, width - width // 2)))
    level = np.maximum(sums[width:] - sums[:-width], 0)
    if not level.any():
        raise ContentError(f"{sound.name}: is silent; nothing can be learned from it")
    return int(np.argmax(level > _BEGUN * level.max()))


def stage_templates(
    V: np.ndarray, transform: Transform, stages: list[Stage], beta: float
) -> list[tuple[np.ndarray, str | None]]:
    """The spectrum of each stage that is heard [shape=(freq,)], and its name."""
    step = float(transform.times(2)[1])
    times = (np.arange(V.shape[1]) - 1) * step
    found = []
    for n, stage in enumerate(stages):
        # The frame before the onset hears it too.
        inside = (times >= (stage.begin if n else -step)) & (times < stage.end)
        if V[:, inside].any():
            found.append((spectrum(V[:, inside], beta), stage.name))
    return found


def spectrum(V: np.ndarray, beta: float) -> np.ndarray:
    """The one template that V is nearest to being a multiple of, frame by frame [shape=(freq,)]."""
    # Under Kullback-Leibler the sums over time and frequency are the optimum already.
    d = decompose(
        V,
        [Factor(V.sum(axis=1, keepdims=True)), Factor(V.sum(axis=0, keepdims=True) / V.sum())],
        divergence=Beta(beta),
        max_iter=_ITERATIONS,
        tol=1e-5,
    )
    template: np.ndarray = d.W[:, 0]
    return template


def stretch(V: np.ndarray, lags: int) -> np.ndarray:
    """The first frames from the onset on, followed by silence where there are fewer."""
    frames = V.T[1 : 1 + lags]
    return np.pad(frames, ((0, lags - len(frames)), (0, 0)))
