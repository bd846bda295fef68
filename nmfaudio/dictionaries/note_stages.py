"""Notes by themselves into templates: where each begins, and how it sounds from then on."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from nmfaudio._common.validation import as_choice, as_count, as_number
from nmfaudio.audio.masking import analyse
from nmfaudio.audio.transforms import Stft, Transform, default_n_fft
from nmfaudio.dictionaries.note_dictionary import NoteDictionary
from nmfaudio.dictionaries.note_learning import STAGE_SPANS, STAGES
from nmfaudio.dictionaries.template_conversion import unit_sums
from nmfaudio.errors import ContentError, ParameterError
from nmfaudio.factorisation.divergences import Beta
from nmfaudio.factorisation.engine import decompose
from nmfaudio.factorisation.factors import Factor

_BEGUN = 0.0025  # of the highest mean power: the sound is there. -26 dB
_SMOOTH = 0.002  # s up to now over which the power is taken
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
    """What notes are learned with where no transform is given: long windows, for low notes."""
    n_fft = 2 * default_n_fft(sr)
    return Stft(sr, n_fft, n_fft // 8, power=2.0 if beta == 0 else 1.0)


def sample_rate(audio: str | os.PathLike[str] | np.ndarray, sr: int | None = None) -> int:
    """Of a recording, in Hz: arrays have to say theirs.

    Raises
    ------
    ParameterError
        It is an array, and `sr` is None.
    AudioFileError
        The file cannot be read.
    """
    if isinstance(audio, np.ndarray):
        if sr is None:
            raise ParameterError("sr is missing; samples need their rate in Hz")
        return sr
    from nmfaudio.audio.io.decoding import open_audio

    with open_audio(audio) as opened:
        return opened.sr


def as_stages(spans: Mapping[str, tuple[float, float]] | None) -> list[Stage]:
    """Stages one after the other; see `NoteDictionary.from_folder`.

    Raises
    ------
    ParameterError
        A name is not one of `STAGES`, or they do not come one after the other.
    """
    spans = STAGE_SPANS if spans is None else spans
    if not isinstance(spans, Mapping):
        raise ParameterError(
            f"stages are {spans!r}; give a mapping of their names to (begin, end) in seconds"
        )
    found: list[Stage] = []
    for name in sorted(spans, key=lambda name: STAGES.index(as_choice(name, "a stage", STAGES))):
        try:
            begin, end = (as_number(time, f"a time of stage {name}") for time in spans[name])
        except (TypeError, ValueError):
            raise ParameterError(
                f"stage {name} is {spans[name]!r}; give (begin, end) in seconds after the onset"
            ) from None
        if not (found[-1].end if found else -np.inf) <= begin < end or end <= 0:
            raise ParameterError(
                f"stage {name} lasts from {begin:g} to {end:g} s after the onset; it must end after"
                f" it begins, after the onset, and begin no earlier than the one before it ends"
            )
        found.append(Stage(name, begin, end))
    whole = [Stage(None, STAGE_SPANS[STAGES[0]][0], STAGE_SPANS[STAGES[-1]][1])]
    return found or whole


def learn_notes(
    sounds: Iterable[NoteSound],
    transform: Transform,
    *,
    instrument: str,
    stages: Mapping[str, tuple[float, float]] | None,
    lags: int | None,
    beta: float,
    metadata: dict[str, Any],
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
        if count is None:
            each = stage_templates(sound, transform, spans, beta)
        else:
            each = [(parse_time_range(from_onset(sound, transform, 0), count), None)]
        if not each:
            raise ContentError(
                f"{sound.name}: ends before its {' and '.join(str(s.name) for s in spans)} begin; "
                "give stages that it has, or leave it out"
            )
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
        metadata,
        tuple(velocities),
        tuple(names),
    )


def from_onset(sound: NoteSound, transform: Transform, lead: int) -> np.ndarray:
    """The features of a note, of which frame `lead` is centred on the onset [shape=(freq, time)].

    What is heard before the onset counts as silence.
    """
    onset = find_onset(sound, transform.sr)
    before = round(lead * transform.hop_seconds * transform.sr)
    return analyse(np.pad(sound.samples[:, onset:], ((0, 0), (before, 0))), transform)


def find_onset(sound: NoteSound, sr: int) -> int:
    """The sample at which a sound begins: where its power comes within 26 dB of its highest.

    Raises
    ------
    ContentError
        The recording is silent.
    """
    power = (sound.samples.astype(np.float64) ** 2).sum(axis=0)
    width = max(1, round(_SMOOTH * sr))
    sums = np.cumsum(np.pad(power, (width, 0)))
    level = np.maximum(sums[width:] - sums[:-width], 0)
    if not level.any():
        raise ContentError(f"{sound.name}: is silent; nothing can be learned from it")
    return int(np.argmax(level > _BEGUN * level.max()))


def stage_templates(
    sound: NoteSound, transform: Transform, stages: list[Stage], beta: float
) -> list[tuple[np.ndarray, str | None]]:
    """The spectrum of each stage that is heard [shape=(freq,)], and its name."""
    step = transform.hop_seconds
    lead = max(0, math.ceil(-stages[0].begin / step))
    V = from_onset(sound, transform, lead)
    times = (np.arange(V.shape[1]) - lead) * step
    found = []
    for stage in stages:
        inside = V[:, (times >= stage.begin) & (times < stage.end)]
        if inside.any():
            found.append((spectrum(inside, beta), stage.name))
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


def parse_time_range(V: np.ndarray, lags: int) -> np.ndarray:
    """The first frames, followed by silence where there are fewer."""
    frames = V.T[:lags]
    return np.pad(frames, ((0, lags - len(frames)), (0, 0)))
