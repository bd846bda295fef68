"""Notes of an instrument learned from a recording of music and its score."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nmfaudio._common.pitch import midi_to_hz
from nmfaudio._common.validation import as_count, as_number
from nmfaudio.audio.transforms import Transform
from nmfaudio.dictionaries.learning import RecordingReader
from nmfaudio.dictionaries.note_dictionary import NoteDictionary
from nmfaudio.dictionaries.note_learning import default_note_transform, sample_rate_of
from nmfaudio.dictionaries.note_stages import Stage, as_stages
from nmfaudio.dictionaries.recordings import Recording
from nmfaudio.dictionaries.template_conversion import unit_sums
from nmfaudio.errors import ContentError
from nmfaudio.factorisation.divergences import Beta, beta_named
from nmfaudio.factorisation.engine import Callback, decompose
from nmfaudio.factorisation.factors import Factor
from nmfaudio.symbolic.conversion import Notes, as_notes
from nmfaudio.symbolic.names import DRUM_CHANNEL
from nmfaudio.symbolic.note import Note

_PARTIAL_WIDTH = 0.5  # semitones on either side of a partial
_PARTIAL_ROWS = 2  # rows at least, on either side: the main lobe of a Hann window
_SOFTEST = 0.1  # initial activation of a note of velocity 0, in shares of the hardest


def learn_notes_from_recording(
    audio: str | os.PathLike[str] | np.ndarray,
    notes: Notes,
    *,
    sr: int | None = None,
    instrument: str = "piano",
    transform: Transform | None = None,
    stages: Mapping[str, tuple[float, float]] | None = None,
    tolerance: float = 0.05,
    beta_loss: str | float | Beta = 1.0,
    max_iter: int = 50,
    resample: bool = False,
    callback: Callback | None = None,
) -> NoteDictionary:
    """Learn the notes of an instrument from a recording of music and its aligned score.

    Score-informed NMF with a template for each pitch and stage. Activations are zero outside the
    notes of their pitch. Templates, apart from attacks, are zero farther than half a semitone, and
    two rows, from the partials of their pitch. Multiplicative updates keep these zeros.

    Parameters
    ----------
    audio : path, or np.ndarray [shape=(channel, sample) or (sample,)]
        The recording.
    notes : path, sequence of Note, or object of another package
        In time with the recording; see `nmfaudio.symbolic.align`, and `nmfaudio.symbolic.as_notes`
        for all accepted forms. Drums are ignored.
    sr : int, optional
        Sample rate of an array in Hz.
    instrument : str
        Label of all components.
    transform : Transform, optional
        By default as for `learn_notes`, at the sample rate of the recording.
    stages : mapping of str to (float, float), optional
        As for `learn_notes`, but each stage lasts until the next begins, and the last until the
        note ends.
    tolerance : float
        Seconds by which a note may begin earlier and end later than in the score.
    beta_loss : str, float or Beta
        β-divergence under which the templates are learned.
    max_iter : int
        Maximum number of iterations.
    resample : bool
        Whether the recording is resampled to the rate of `transform`; otherwise one of another
        rate is refused.
    callback : callable, optional
        Gets a `Progress` every ten iterations; True stops iterating.

    Returns
    -------
    NoteDictionary
        Sorted by pitch, then stage, without stages that are never active; each component sums to
        one. Velocities are the means of the notes of each pitch.

    Raises
    ------
    ParameterError
        A parameter is invalid.
    AudioFileError
        A file cannot be read.
    ContentError
        The recording is silent, or no note lies within it.

    References
    ----------
    S. Ewert and M. Müller, "Using score-informed constraints for NMF-based source separation",
    ICASSP 2012, doi:10.1109/ICASSP.2012.6287834.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> t = np.arange(8000) / 8000
    >>> low, high = np.sin(2 * np.pi * 440 * t), np.sin(2 * np.pi * 659.26 * t)
    >>> y = np.concatenate([low, low + high, high])
    >>> learned = na.dictionaries.learn_notes_from_recording(
    ...     y, [na.Note(0, 2, 69), na.Note(1, 3, 76)], sr=8000, stages={})
    >>> learned.transform.frequencies[learned.templates.argmax(0)].tolist()
    [441.40625, 660.15625]
    """
    recording = Recording(audio)
    beta = beta_named(beta_loss, "a dictionary").beta
    if transform is None:
        transform = default_note_transform(sample_rate_of(audio, sr), beta)
    V = RecordingReader(sr, transform, resample, beta).read(instrument, recording)
    score = as_notes(notes)
    return _fit_score(
        V,
        [note for note in score if note.channel != DRUM_CHANNEL],
        transform,
        as_stages(stages),
        instrument=instrument,
        tolerance=as_number(tolerance, "tolerance", low=0),
        beta=beta,
        max_iter=as_count(max_iter, "max_iter", low=0),
        callback=callback,
        metadata={"examples": {instrument: [recording.name]}},
    )


def _fit_score(
    V: np.ndarray,
    notes: Sequence[Note],
    transform: Transform,
    stages: Sequence[Stage],
    *,
    instrument: str,
    tolerance: float,
    beta: float,
    max_iter: int,
    callback: Callback | None,
    metadata: dict[str, Any],
) -> NoteDictionary:
    """Templates of pitched notes, fitted to the spectrogram V [shape=(freq, time)]."""
    pitches = sorted({note.pitch for note in notes})
    groups = [[note for note in notes if note.pitch == pitch] for pitch in pitches]
    gates = [_initial_activations(group, stages, transform, V, tolerance) for group in groups]
    # One component for each pitch and stage; the stages of a pitch follow one another.
    H = np.concatenate([np.zeros((0, V.shape[1]), V.dtype), *gates])
    if not (H.any() and V.any()):
        raise ContentError(
            f"{instrument}: none of the {len(notes)} pitched notes lies where the recording has "
            "sound; give notes that are in time with it, as na.symbolic.align makes them"
        )
    columns = [_initial_template(transform, pitch, stage) for pitch in pitches for stage in stages]
    W = np.stack(columns, axis=1).astype(V.dtype)
    fit = decompose(
        V,
        [Factor(W), Factor(H * V.mean(dtype=np.float64).astype(V.dtype))],
        divergence=Beta(beta),
        max_iter=max_iter,
        callback=callback,
    )
    used = np.flatnonzero(fit.H.any(axis=1) & fit.W.any(axis=0)).tolist()
    owners = [k // len(stages) for k in used]  # indices of pitches
    means = [float(np.mean([note.velocity for note in group])) for group in groups]
    return NoteDictionary(
        unit_sums(fit.W[:, used]),
        (instrument,) * len(used),
        transform,
        tuple(pitches[i] for i in owners),
        beta,
        "templates",
        metadata,
        tuple(means[i] for i in owners),
        tuple(stages[k % len(stages)].name for k in used),
    )


def _initial_activations(
    notes: Sequence[Note],
    stages: Sequence[Stage],
    transform: Transform,
    V: np.ndarray,
    tolerance: float,
) -> np.ndarray:
    """Initial activations of the stages of a pitch, 0 outside its notes [shape=(stage, time)]."""
    times = transform.times(V.shape[1])
    H = np.zeros((len(stages), V.shape[1]), V.dtype)
    begins = [*(stage.begin for stage in stages), np.inf]
    for note in notes:
        for row, begin, following in zip(H, begins, begins[1:], strict=False):
            # A stage lasts until the next begins, so that every frame of a note has one.
            onset, end = note.onset + begin, min(note.onset + following, note.offset)
            if onset < note.offset:
                inside = (times >= onset - tolerance) & (times <= end + tolerance)
                row[inside] = np.maximum(row[inside], _SOFTEST + note.velocity)
    return H


def _initial_template(transform: Transform, pitch: float, stage: Stage) -> np.ndarray:
    """Initial template of a stage, 0 where it has to stay 0 [shape=(freq,)].

    An attack may have any spectrum, as the stroke of a hammer has. Other stages are restricted to
    the neighbourhood of the partials, whose magnitudes fall with frequency.
    """
    f = transform.frequencies
    f0 = midi_to_hz(pitch)
    template: np.ndarray = f0 / np.maximum(f, f0)
    if stage.name == "attack":
        return template
    partial = np.maximum(np.rint(f / f0), 1) * f0  # the nearest to each row
    distance = np.abs(f - partial)
    limit = np.maximum(partial * (2 ** (_PARTIAL_WIDTH / 12) - 1), _PARTIAL_ROWS * np.gradient(f))
    template[distance > limit] = 0
    return template
