"""Every separator and both transcribers keep their measured figures, on the samples.

``python tests/regression/test_figures.py`` prints the figures to enter in `MEASURED`.
"""

from __future__ import annotations

import numpy as np
import pytest

import nmfaudio as na

SECONDS = 6


def excerpt(name, file=None, start=0.0):
    """Samples of a stretch of a sample recording, in one channel, and their rate."""
    y, sr = na.read(na.example(name, file), start=start, stop=start + SECONDS)
    return y.mean(axis=0, keepdims=True), sr


def sources(name, *files):
    """Sources by name, their sum and their rate."""
    found = {file: excerpt(name, f"sources/{file}.flac") for file in files}
    sr = next(iter(found.values()))[1]
    true = {file: y for file, (y, _) in found.items()}
    return true, np.sum(list(true.values()), axis=0), sr


def improvement(true, stems, mixture):
    """Mean SI-SDR of the stems, less that of the mixture, in dB."""
    return float(
        np.mean(
            [
                na.metrics.si_sdr(y[0], stems[name][0]) - na.metrics.si_sdr(y[0], mixture[0])
                for name, y in true.items()
            ]
        )
    )


def separate():
    true, mixture, sr = sources("drums", "kick", "snare", "hihat")
    stems = list(na.separate(mixture, sr, n_sources=3).values())
    order = na.metrics.best_assignment([y[0] for y in true.values()], [e[0] for e in stems])
    return improvement(true, {n: stems[k] for n, k in zip(true, order, strict=True)}, mixture)


def hpss():
    parts, mixture, sr = sources("band", "drums", "bass", "keys")
    true = {"percussive": parts["drums"], "harmonic": parts["bass"] + parts["keys"]}
    return improvement(true, na.hpss(mixture, sr), mixture)


def drums():
    true, mixture, sr = sources("drums", "kick", "snare", "hihat")
    return improvement(true, na.drums(mixture, sr), mixture)


def guided():
    true, mixture, sr = sources("band", "drums", "bass", "keys")
    examples = {name: excerpt("band", f"sources/{name}.flac", start=6)[0] for name in true}
    return improvement(true, na.guided(mixture, sr, example=examples), mixture)


def score():
    true, mixture, sr = sources("trio", "oboe", "guitar", "bassoon")
    notes = [n for n in na.read_notes(na.example("trio", "score.mid")) if n.onset < SECONDS]
    return improvement(true, na.score(mixture, sr, score=notes), mixture)


def f0():
    parts, mixture, sr = sources("trio", "oboe", "guitar", "bassoon")
    times, hertz = np.arange(0, SECONDS, 0.01), np.zeros(100 * SECONDS)
    for note in na.read_notes(na.example("trio", "score.mid")):
        if note.track == "oboe":
            hertz[(times >= note.onset) & (times < note.offset)] = 440 * 2 ** (
                (note.pitch - 69) / 12
            )
    true = {"voice": parts["oboe"], "rest": parts["guitar"] + parts["bassoon"]}
    pitch = na.separators.Pitch(times, hertz)
    return improvement(true, na.f0(mixture, sr, pitch=pitch), mixture)


def denoise():
    y, sr = excerpt("trio", "sources/oboe.flac")
    rng = np.random.default_rng(0)
    noise, other = 0.3 * y.std() * rng.standard_normal((2, *y.shape)).astype(y.dtype)
    return improvement(
        {"signal": y, "noise": noise}, na.denoise(y + noise, sr, noise=other), y + noise
    )


def paint():
    true, mixture, sr = sources("drums", "kick", "snare", "hihat")
    bands = {"kick": (30, 150), "snare": (180, 5000), "hihat": (7000, 20000)}
    boxes = [
        {"source": name, "start": 0, "end": SECONDS, "low": low, "high": high}
        for name, (low, high) in bands.items()
    ]
    return improvement(true, na.paint(mixture, sr, boxes=boxes), mixture)


def regroup():
    parts, mixture, sr = sources("band", "drums", "bass", "keys")
    true = {"percussive": parts["drums"], "harmonic": parts["bass"] + parts["keys"]}
    stems = na.separate(mixture, sr)
    groups = {name: list(group.components) for name, group in stems.groups.items()}
    return improvement(
        true, na.regroup(mixture, sr, saved=stems.decomposition, groups=groups), mixture
    )


def onset_f(found, true):
    notes = [note for note in true if note.onset < SECONDS]
    return 100 * na.metrics.evaluate_transcription(notes, found).onset_f


def transcribe():
    y, sr = excerpt("piano")
    return onset_f(na.Transcriber()(y, sr).notes, na.read_notes(na.example("piano", "score.mid")))


def transcribe_trio():
    """Mean over the instruments: a note counts for the one that it was assigned to."""
    y, sr = excerpt("trio")
    names = ("oboe", "guitar", "bassoon")
    first, *further = map(na.dictionaries.instrument_notes, names)
    found = na.Transcriber(first.merge(*further))(y, sr).notes
    true = na.read_notes(na.example("trio", "score.mid"))
    parts = [[[n for n in notes if n.track == name] for notes in (found, true)] for name in names]
    return float(np.mean([onset_f(*part) for part in parts]))


def transcribe_drums():
    y, sr = excerpt("drums")
    found = na.DrumTranscriber()(y, sr).notes
    notes = na.read_notes(na.example("drums", "score.mid"))
    scores = na.metrics.evaluate_transcription(
        [note for note in notes if note.onset < SECONDS], found, drums=True
    )
    return 100 * float(np.mean([f for _, _, f in scores.drums.values()]))


FIGURES = {
    f.__name__: f
    for f in (
        separate,
        hpss,
        drums,
        guided,
        score,
        f0,
        denoise,
        paint,
        regroup,
        transcribe,
        transcribe_trio,
        transcribe_drums,
    )
}
# Gain in SI-SDR over the mixture in dB; F of onsets within 50 ms in per cent.
MEASURED = {
    "separate": 16.8,
    "hpss": 10.1,
    "drums": 16.8,
    "guided": 11.6,
    "score": 14.4,
    "f0": 7.2,
    "denoise": 16.6,
    "paint": 13.1,
    "regroup": 10.3,
    "transcribe": 100.0,
    "transcribe_trio": 79.2,
    "transcribe_drums": 96.5,
}
TOLERANCE = 0.7  # processors round differently, and a note of the samples is 1 to 3 per cent


@pytest.mark.parametrize("name", FIGURES)
def test_it_is_as_good_as_it_was(name):
    assert FIGURES[name]() > MEASURED[name] - TOLERANCE


if __name__ == "__main__":
    for name, figure in FIGURES.items():
        print(f'    "{name}": {figure():.1f},')
