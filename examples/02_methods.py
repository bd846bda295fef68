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
# # Methods of the literature
#
# Each method takes a few lines: a structure, a divergence, penalties, weights and fixed entries are
# combined in one call of `na.decompose`. `na.nmf` is its short form.
#
# The recording is the beginning of Schumann's "Träumerei", with its score.

# %%
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Audio

import nmfaudio as na

piano = na.read(na.example("piano"), stop=5.7)
stft = na.Stft(piano.sr, n_fft=4096, hop=2048)
Z = stft.forward(piano.samples)
V = stft.features(Z)
score = [
    note for note in na.read_notes(na.example("piano", "score.mid")) if note.onset < 5.7
]
pitches = sorted({int(note.pitch) for note in score})
print(f"V has {V.shape[0]} frequencies and {V.shape[1]} frames")
print(f"{len(score)} notes of {len(pitches)} pitches")


# %%
def show(d, **options):
    """Plot templates and activations in Hz and seconds."""
    return na.plot_factors(
        replace(d, metadata={"transform": stft.to_dict()}), top_hz=2000, **options
    )


show(na.nmf(V, 11, rng=0))

# %% [markdown]
# ## Solvers
#
# `bmme` extrapolates multiplicative updates (`mu`); `hals` is for the Frobenius norm. All start
# from the same factors and end at different objectives, so that the curves share their beginning,
# not their end. The cell counts the iterations to within 1 % of the last objective of `mu`.

# %%
figure, panels = plt.subplots(1, 2, figsize=(10, 3), layout="constrained")
for axes, loss in zip(panels, ("kl", "frobenius"), strict=True):
    solvers = ("mu", "bmme") if loss == "kl" else ("mu", "bmme", "hals")
    settings = {
        "beta_loss": loss,
        "max_iter": 300,
        "tol": 0,
        "check_every": 1,
        "rng": 0,
    }
    runs = {solver: na.nmf(V, 11, solver=solver, **settings) for solver in solvers}
    assert all(np.isclose(d.losses[0], runs["mu"].losses[0]) for d in runs.values())
    for (solver, d), style in zip(runs.items(), ("-", "--", ":"), strict=False):
        axes.semilogy(d.checks, d.losses / d.losses[0], style, label=solver)
        near = d.checks[np.argmax(d.losses <= 1.01 * runs["mu"].losses[-1])]
        print(
            f"{loss:9} {solver:4} near after {near:3} iterations, "
            f"ends at {d.losses[-1]:.0f}"
        )
    axes.set(title=loss, xlabel="iteration", ylabel="objective / first objective")
    axes.legend()

# %% [markdown]
# ## Sparse
#
# An L1 penalty on the activations. Templates have norm 1, since the penalty could otherwise be
# avoided by scaling.

# %%
rng = np.random.default_rng(0)
W0, H0 = rng.random((len(V), 11)), rng.random((11, V.shape[1])) * V.mean()
for weight in (0, 1, 4):
    d = na.decompose(
        V,
        [na.Factor(W0, unit="l2"), na.Factor(H0, penalties=(na.penalties.L1(weight),))],
    )
    small = (d.H < 1e-3 * d.H.max()).mean()
    print(f"L1({weight}): {small:.0%} of the activations are (nearly) zero")

# %% [markdown]
# ## Smooth
#
# `Smooth` penalises differences between neighbouring frames.

# %%
for weight in (0, 0.1, 1):
    d = na.decompose(
        V,
        [
            na.Factor(W0, unit="l2"),
            na.Factor(H0, penalties=(na.penalties.Smooth(weight),)),
        ],
    )
    roughness = np.square(np.diff(d.H)).sum() / np.square(d.H).sum()
    print(f"Smooth({weight}): differences have {roughness:.2f} of the energy")

# %% [markdown]
# ## Supervised
#
# With fixed templates of single notes, H is a piano roll: the cell measures how much of it falls
# within the notes of the score.


# %%
def template(pitch):
    """Template of a note, learned from an isolated recording."""
    isolated = na.read(na.example("piano", f"notes/{pitch}.flac"))
    return na.nmf(stft.features(stft.forward(isolated.samples)), 1, rng=0).W


notes = np.hstack([template(pitch) for pitch in pitches])
notes /= notes.max(0)
roll = na.nmf(V, W=notes, update_W=False, rng=0)
assert np.array_equal(roll.W, notes)

seconds = stft.times(V.shape[1])
support = np.zeros((11, V.shape[1]), bool)
for note in score:
    near = (seconds > note.onset - 0.1) & (seconds < note.offset + 0.5)
    support[pitches.index(note.pitch)] |= near
inside = roll.H[support].sum() / roll.H.sum()
print(
    f"the score covers {support.mean():.0%} of the entries of H "
    f"and {inside:.0%} of its sum"
)
show(roll, components=range(11))

# %% [markdown]
# ## Semi-supervised
#
# Some templates are known and the others are learned: here the four highest notes are known.

# %%
known = np.array(pitches) >= 65
W0 = np.where(known, notes, rng.random(notes.shape))
d = na.nmf(V, W=W0, update_W=~known, rng=0)
assert np.array_equal(d.W[:, known], notes[:, known])
print(f"objective {d.losses[-1]:.0f}, with all templates known {roll.losses[-1]:.0f}")

# %% [markdown]
# ## Score-informed
#
# Where the score has no note, the activation is zero and remains zero. All templates are updated.

# %%
informed = na.decompose(
    V, [na.Factor(notes + 1e-3), na.Factor(H0 * support, free=support)]
)
assert not informed.H[~support].any()
show(informed, components=range(11))

# %% [markdown]
# A Wiener mask of the four highest pitches separates the notes from F4 upwards:

# %%
mask = informed.part(np.flatnonzero(known)) / np.maximum(informed.model(), 1e-12)
Audio(stft.inverse(mask * Z, piano.samples.shape[1]), rate=stft.sr)

# %% [markdown]
# ## Missing bins
#
# Bins of weight 0 do not enter the objective; the model fills them in.

# %%
hidden = rng.random(V.shape) < 0.3
d = na.nmf(V, 11, weights=~hidden, rng=0)
average = np.broadcast_to(V.mean(1, keepdims=True), V.shape)
error, baseline = (abs(V - Y)[hidden].mean() for Y in (d.model(), average))
print(
    f"hidden bins: error of the model {error / baseline:.0%} "
    "of that of the average frame"
)

# %% [markdown]
# ## Deep
#
# Templates of templates: the templates of the second layer are mixtures of those of the first.

# %%
deep = na.recipes.deep_nmf(V, [11, 5], init="spa", rng=0)
print(
    "objective after layer-wise and after joint fitting:",
    *deep.joint.losses[[0, -1]].round(),
)
show(deep.layer(2))

# %% [markdown]
# ## Feature weights
#
# The reliability of each frequency is learned: a noisy band gets low weights.

# %%
noisy = slice(150, 200)
spoiled = V[:400] / V[:400].mean(1, keepdims=True)
spoiled[noisy] = 2 * rng.random(spoiled[noisy].shape)
weighted = na.recipes.feature_weighted_nmf(spoiled, 11, beta_loss="kl", rng=0)
figure, axes = plt.subplots(figsize=(6, 2.5), layout="constrained")
axes.plot(stft.frequencies[:400], weighted.feature_weights)
axes.axvspan(*stft.frequencies[[150, 200]], color="0.9", label="noise")
axes.set(xlabel="Hz", ylabel="weight")
plt.show()
within = weighted.feature_weights[noisy]
others = np.delete(weighted.feature_weights, noisy)
print(
    f"median weight {np.median(within):.2f} in the noise, "
    f"{np.median(others):.2f} elsewhere"
)

# %% [markdown]
# ## Tempering
#
# The Itakura–Saito divergence depends on ratios alone, so that weak partials count as much as
# strong ones. Tempering approaches it in steps of β from the Kullback–Leibler divergence. Whether
# the final objective is lower depends on data and initialisation: try both.

# %%
power = V[:400] ** 2
factors = [na.Factor(rng.random((400, 11))), na.Factor(H0)]
tempered = na.recipes.temper(power, factors, solver="bmme", max_iter=50)
direct = na.decompose(
    power, factors, divergence=na.Beta(0), solver="bmme", max_iter=6 * 50, tol=0
)
print(
    f"objective {tempered.losses[-1]:.0f} with tempering, "
    f"{direct.losses[-1]:.0f} without"
)

# %% [markdown]
# ## Convolutive
#
# NMFD: each component is a short spectrogram, such as a drum hit. The titles name the drum whose
# recording is most similar to the part of the component in the model.

# %%
drums = na.read(na.example("drums"), stop=4.0)
hits = na.Stft(drums.sr, n_fft=2048, hop=1024)
X = hits.features(hits.forward(drums.samples))
plain = na.nmf(X, 3, init="spa", rng=0)
lagged = na.Factor(
    np.repeat(plain.W[None], 8, axis=0) * 0.8 ** np.arange(8)[:, None, None]
)
d = na.decompose(
    X, [lagged, na.Factor(plain.H)], structure=na.structures.Convolutive(), rng=0
)
print(
    f"objective {plain.losses[-1]:.0f} with templates of one frame, "
    f"{d.losses[-1]:.0f} with eight"
)


def similarity(A, B):
    """Cosine similarity of two spectrograms."""
    return (A * B).sum() / (np.linalg.norm(A) * np.linalg.norm(B))


kit = {}
for name in ("kick", "snare", "hihat"):
    source = na.read(na.example("drums", f"sources/{name}.flac"), stop=4.0)
    kit[name] = hits.features(hits.forward(source.samples))
figure, panels = plt.subplots(
    1, 3, figsize=(10, 2.5), layout="constrained", sharey=True
)
for k, axes in enumerate(panels):
    cosines = {name: similarity(d.part([k]), source) for name, source in kit.items()}
    drum = max(cosines, key=cosines.get)
    hit = np.sqrt(d.W[:, :400, k].T)
    axes.imshow(hit, origin="lower", aspect="auto", cmap="magma", extent=(0, 8, 0, 8.6))
    axes.set(title=f"{k}: {drum}, cosine {cosines[drum]:.2f}", xlabel="lag")
panels[0].set_ylabel("kHz")
plt.show()
