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
# # An experiment in transcription
#
# All steps of one, as a paper would have them: what notes sound like, pieces to tune on, others to
# test on, a table with intervals. And then one can hear what was found.
#
# The material is the project's own: Schumann's "Träumerei" with its score, and each of its 21
# pitches played alone.

# %%
from pathlib import Path

import numpy as np
from IPython.display import Audio

import nmfaudio as na
from nmfaudio.audio.io import read

here = Path.cwd()
samples = next(p for p in (here, *here.parents) if (p / "audio_samples").is_dir()) / "audio_samples"
folder = samples / "piano"
isolated = {int(path.stem): read(path) for path in (folder / "notes").glob("*.flac")}
sr = isolated[60].sr

# %% [markdown]
# ## What the notes sound like
#
# Each note gets three templates: its attack, what follows, and how it dies away. They are learned
# from the recording of the music and its score, not from the isolated notes. Of these the pieces
# are made that we test on, and a system must not know the very sounds that it is tested with.

# %%
known = na.dictionaries.learn_notes_from_recording(folder / "mixture.flac", folder / "score.mid")
known

# %% [markdown]
# A second dictionary needs no sound at all. It has the partials of strings, which get weaker in the
# same way for all.

# %%
partials = na.dictionaries.harmonic_notes(
    known.transform, pitches=sorted(set(known.pitches)), inharmonicity="piano"
)
partials

# %% [markdown]
# ## Pieces
#
# A data set is anything that gives pairs of audio and notes; those of mirdata will do. Ours is made
# up: notes at random, each of its own loudness and length, in a little noise.


# %%
def piece(seed, seconds=6.0, count=24):
    """Audio with its rate, and its notes."""
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
        start = round(onset * sr)
        y[start : start + len(sound)] += velocity**2 * sound
        score.append(na.Note(onset, onset + length, float(pitch), velocity))
    return (y.astype(np.float32), sr), score


development = [piece(seed) for seed in range(3)]
test = {f"piece {seed}": piece(seed) for seed in range(3, 9)}

# %% [markdown]
# ## Tune, then test
#
# The threshold is chosen on the development pieces. Those that results are reported on take no part
# in it.

# %%
plain = na.Transcriber(known)
tuned = na.Transcriber(known).tune(development).transcriber
systems = {
    "learned": plain,
    "learned, tuned": tuned,
    "partials, tuned": na.Transcriber(partials).tune(development).transcriber,
}
results = {
    name: na.metrics.evaluate_transcriptions(
        {title: (score, system.transcribe(*audio)) for title, (audio, score) in test.items()}
    )
    for name, system in systems.items()
}

# %% [markdown]
# ## The table
#
# F-measures by mir_eval, mean over the test pieces, with a bootstrap interval of 95 %: how far the
# mean would vary with other pieces of the same kind. Six pieces are few.

# %%
measures = {"onset_f": "onset", "offset_f": "onset, offset", "frame_f": "frames"}
print(f"{'F':16}" + "".join(f"{label:>22}" for label in measures.values()))
for name, result in results.items():
    cells = [result.interval(measure) for measure in measures]
    print(f"{name:16}" + "".join(f"{m:10.3f} ({low:.2f}–{high:.2f})" for m, low, high in cells))

# %% [markdown]
# Piece by piece, of the tuned one:

# %%
print(results["learned, tuned"])

# %% [markdown]
# ## See it and hear it
#
# The notes that were found lie over the salience, how strongly each pitch is heard.

# %%
audio, score = test["piece 3"]
found = tuned.transcribe(*audio)
found.plot()

# %% [markdown]
# Every note is a sound too: the stems add up to the recording. Here are all notes above middle C.

# %%
hands = found.stems(by="hand")
Audio(hands["right"], rate=sr)

# %% [markdown]
# Tolerances are settings. Where onsets may be off by 25 ms only, fewer are right:

# %%
for tolerance in (0.05, 0.025, 0.01):
    scores = na.evaluate_transcription(score, found, tolerance=tolerance)
    print(f"{1000 * tolerance:3.0f} ms: onset F {scores.onset_f:.3f}")
