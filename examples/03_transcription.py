# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A transcription experiment
#
# All steps of an experiment as in a paper: note templates, development pieces, test pieces, and a
# table with confidence intervals. Finally, the transcription is plotted and played.
#
# The recordings are samples of the package: Schumann's "Träumerei" with its score, and each of its
# pitches in isolation. **All are renders of one piano preset**, so the experiment is an easy one: a
# piano that is known in advance.

# %%
import numpy as np
from IPython.display import Audio

import nmfaudio as na

folder = na.example("piano", "notes")
isolated = {int(path.stem): na.read(path) for path in sorted(folder.glob("*.flac"))}
sr = isolated[60].sr
print(f"{len(isolated)} pitches at {sr} Hz")

# %% [markdown]
# ## Note templates
#
# Each note has three templates: attack, early and late part. They are learned from the recording of
# the piece and its score. The test pieces below are assembled from other recordings, the isolated
# notes, but of the same piano. Scores of these templates therefore say nothing of other pianos.

# %%
known = na.dictionaries.learn_notes_from_recording(
    na.example("piano"), na.example("piano", "score.mid")
)
known

# %% [markdown]
# A second dictionary needs no recording. Its templates are the partials of strings with the same
# decay over frequency for all notes. It has no information on this piano.

# %%
partials = na.dictionaries.harmonic_notes(
    known.transform, pitches=sorted(set(known.pitches)), inharmonicity="piano"
)
partials

# %% [markdown]
# ## Pieces
#
# A data set is any iterable of pairs of audio and notes, such as those of mirdata. This one is
# synthetic: random notes of random velocity and length in weak noise.


# %%
def piece(seed, seconds=6.0, count=24):
    """Audio with its sample rate, and its notes."""
    rng = np.random.default_rng(seed)
    y = 0.001 * rng.standard_normal(round((seconds + 2) * sr))
    score = []
    for pitch in rng.choice(list(isolated), count):
        onset, length, velocity = (
            rng.uniform(0, seconds),
            rng.uniform(0.3, 1.5),
            rng.uniform(0.3, 1),
        )
        sound = isolated[int(pitch)].samples[0, : round(length * sr)].copy()
        sound[-2000:] *= np.linspace(1, 0, 2000)
        first = round(onset * sr)
        y[first : first + len(sound)] += velocity**2 * sound
        score.append(na.Note(onset, onset + length, float(pitch), velocity))
    return (y.astype(np.float32), sr), score


development = [piece(seed) for seed in range(3)]
test = {f"piece {seed}": piece(seed) for seed in range(3, 9)}

# %% [markdown]
# ## Tune, then test
#
# The threshold is chosen on the development pieces only; results are reported on the test pieces.

# %%
plain = na.Transcriber(known)
tuning = plain.tune(development)
tuned = tuning.transcriber
of_partials = na.Transcriber(partials).tune(development)
for name, result in {"learned": tuning, "partials": of_partials}.items():
    print(
        f"{name}: threshold {result.best['threshold']:.3f}, "
        f"default {plain.decoding.threshold:.3f}"
    )
systems = {
    "learned": plain,
    "learned, tuned": tuned,
    "partials, tuned": of_partials.transcriber,
}
results = {
    name: na.metrics.evaluate_transcriptions(
        {
            title: (score, system.transcribe(*audio))
            for title, (audio, score) in test.items()
        }
    )
    for name, system in systems.items()
}

# %% [markdown]
# ## The table
#
# F-measures by mir_eval, mean over the test pieces with a 95 % bootstrap interval, which estimates
# the variation of the mean over other pieces of the same kind. Six pieces are few.

# %%
measures = {"onset_f": "onset", "offset_f": "onset, offset", "frame_f": "frames"}
print(f"{'F':16}" + "".join(f"{label:>22}" for label in measures.values()))
for name, result in results.items():
    cells = [result.interval(measure) for measure in measures]
    print(
        f"{name:16}"
        + "".join(f"{m:10.3f} ({low:.2f}–{high:.2f})" for m, low, high in cells)
    )

# %% [markdown]
# Scores of each piece, for the tuned system with learned templates:

# %%
print(results["learned, tuned"])

# %% [markdown]
# ## Plot and listen
#
# The transcribed notes are drawn on top of the salience, the strength of each pitch over time.

# %%
audio, score = test["piece 3"]
transcription = tuned.transcribe(*audio)
transcription.plot()

# %% [markdown]
# Notes can be rendered as stems, which sum to the recording. This transcription has no tracks, so
# `hand` divides its notes at middle C:

# %%
hands = transcription.stems(by="hand")
error = np.abs(hands.residual()).max()
print(f"stems {', '.join(hands)}; largest |recording − Σ stems| {error:.0e}")
Audio(hands["right"], rate=sr)

# %% [markdown]
# The onset tolerance is a parameter. Below the hop of the transform the F-measure falls steeply:

# %%
pairs = {
    title: (score, tuned.transcribe(*audio)) for title, (audio, score) in test.items()
}
hop = known.transform.hop / known.transform.sr
print(f"hop {1000 * hop:.0f} ms")
for tolerance in (0.05, 0.025, 0.0125, 0.00625):
    scores = na.metrics.evaluate_transcriptions(pairs, tolerance=tolerance)
    mean, low, high = scores.interval("onset_f")
    print(
        f"within {1000 * tolerance:5.2f} ms: onset F {mean:.3f} ({low:.2f}–{high:.2f})"
    )
