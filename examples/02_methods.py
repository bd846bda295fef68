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
# # One set of parts
#
# The methods of the field, each in a few lines: a structure, a divergence, penalties, weights and
# what may move are put together in one call, `na.decompose`. `na.nmf` is its short form.
#
# The recording is the start of Schumann's "Träumerei": eleven pitches in less than six seconds.

# %%
from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Audio

import nmfaudio as na
from nmfaudio.audio.io import read

here = Path.cwd()
samples = next(p for p in (here, *here.parents) if (p / "audio_samples").is_dir()) / "audio_samples"
piano = read(samples / "piano" / "mixture.flac", stop=5.7)
stft = na.Stft(piano.sr, n_fft=4096, hop=2048)
Z = stft.forward(piano.samples)
V = stft.features(Z)
print(f"V has {V.shape[0]} frequencies and {V.shape[1]} frames")


# %%
def show(d, **options):
    """Templates and activations in Hz and seconds."""
    return na.plot_factors(
        replace(d, metadata={"transform": stft.to_dict()}), top_hz=2000, **options
    )


show(na.nmf(V, 11, rng=0))

# %% [markdown]
# ## Solvers
#
# From the same start they go down to much the same place, at different speeds. `bmme` extrapolates
# multiplicative updates (`mu`); `hals` is for the squared distance.

# %%
figure, panels = plt.subplots(1, 2, figsize=(10, 3), layout="constrained")
for axes, loss in zip(panels, ("kl", "frobenius"), strict=True):
    solvers = ("mu", "bmme") if loss == "kl" else ("mu", "bmme", "hals")
    settings = {"beta_loss": loss, "max_iter": 300, "tol": 0, "check_every": 1, "rng": 0}
    runs = {solver: na.nmf(V, 11, solver=solver, **settings) for solver in solvers}
    lowest = min(d.losses[-1] for d in runs.values())
    for solver, d in runs.items():
        axes.semilogy(d.checks[:-1], d.losses[:-1] / lowest - 1, label=solver)
    axes.set(title=loss, xlabel="iteration", ylabel="above the lowest")
    axes.legend()

# %% [markdown]
# ## Sparse
#
# An L1 penalty on the activations, with templates of norm 1 so that scale cannot hide from it.

# %%
rng = np.random.default_rng(0)
W0, H0 = rng.random((len(V), 11)), rng.random((11, V.shape[1])) * V.mean()
for weight in (0, 1, 4):
    d = na.decompose(
        V, [na.Factor(W0, unit="l2"), na.Factor(H0, penalties=(na.penalties.L1(weight),))]
    )
    quiet = (d.H < 1e-3 * d.H.max()).mean()
    print(f"L1({weight}): {quiet:.0%} of the activations are (nearly) zero")

# %% [markdown]
# ## Smooth
#
# `Smooth` charges for jumps from frame to frame.

# %%
for weight in (0, 0.1, 1):
    d = na.decompose(
        V, [na.Factor(W0, unit="l2"), na.Factor(H0, penalties=(na.penalties.Smooth(weight),))]
    )
    jumps = np.square(np.diff(d.H)).sum() / np.square(d.H).sum()
    print(f"Smooth({weight}): jumps have {jumps:.2f} of the energy")

# %% [markdown]
# ## Supervised
#
# Templates of single notes, kept as they are: then H is a piano roll.

# %%
pitches = [41, 46, 48, 53, 57, 60, 64, 65, 69, 72, 77]


def note(pitch):
    """The template of a note, from a recording of it alone."""
    alone = read(samples / "piano" / "notes" / f"{pitch}.flac")
    return na.nmf(stft.features(stft.forward(alone.samples)), 1, rng=0).W


notes = np.hstack([note(pitch) for pitch in pitches])
notes /= notes.max(0)
roll = na.nmf(V, W=notes, update_W=False, rng=0)
assert np.array_equal(roll.W, notes)
show(roll, components=range(11))

# %% [markdown]
# ## Semi-supervised
#
# Some templates are known, the rest is found: here the four highest notes are given.

# %%
known = np.array(pitches) >= 65
W0 = np.where(known, notes, rng.random(notes.shape))
d = na.nmf(V, W=W0, update_W=~known, rng=0)
assert np.array_equal(d.W[:, known], notes[:, known])
print(f"objective {d.losses[-1]:.0f}, with all templates given {roll.losses[-1]:.0f}")

# %% [markdown]
# ## Score-informed
#
# Where the score has no note, the activation is zero and stays so. The templates are free.

# %%
score = [  # pitch, onset and end in seconds
    *((60, 0.10, 1.15), (41, 1.13, 3.00), (65, 1.16, 3.02), (60, 2.12, 4.68), (57, 2.13, 4.69)),
    *((48, 3.00, 3.86), (64, 3.01, 3.45), (65, 3.45, 3.88), (53, 3.87, 4.74), (69, 3.88, 4.30)),
    *((72, 4.31, 4.77), (77, 4.75, 5.70), (46, 4.75, 5.70)),
]
seconds = stft.times(V.shape[1])
support = np.zeros((11, V.shape[1]), bool)
for pitch, onset, end in score:
    support[pitches.index(pitch)] |= (seconds > onset - 0.1) & (seconds < end + 0.5)
informed = na.decompose(V, [na.Factor(notes + 1e-3), na.Factor(H0 * support, free=support)])
assert not informed.H[~support].any()
show(informed, components=range(11))

# %% [markdown]
# The right hand alone, by a mask of what its notes explain:

# %%
mask = informed.part(np.flatnonzero(known)) / np.maximum(informed.model(), 1e-12)
Audio(stft.inverse(mask * Z, piano.samples.shape[1]), rate=stft.sr)

# %% [markdown]
# ## Missing bins
#
# Bins of weight 0 have no say; the model fills them in.

# %%
hidden = rng.random(V.shape) < 0.3
d = na.nmf(V, 11, weights=~hidden, rng=0)
average = np.broadcast_to(V.mean(1, keepdims=True), V.shape)
error, guess = (abs(V - Y)[hidden].mean() for Y in (d.model(), average))
print(f"hidden bins: the model misses them by {error / guess:.0%} of what the average frame does")

# %% [markdown]
# ## Deep
#
# Templates of templates: eleven sounds, and of these five that hold what sounds together.

# %%
deep = na.recipes.deep_nmf(V, [11, 5], init="spa", rng=0)
print("objective, layer by layer and then together:", *deep.joint.losses[[0, -1]].round())
show(deep.layer(2))

# %% [markdown]
# ## Feature weights
#
# Which frequencies can be relied on is learned: noise in a band loses its say.

# %%
noisy = slice(150, 200)
spoiled = V[:400] / V[:400].mean(1, keepdims=True)
spoiled[noisy] = 2 * rng.random(spoiled[noisy].shape)
found = na.recipes.feature_weighted_nmf(spoiled, 11, beta_loss="kl", rng=0)
figure, axes = plt.subplots(figsize=(6, 2.5), layout="constrained")
axes.plot(stft.frequencies[:400], found.feature_weights)
axes.axvspan(*stft.frequencies[[150, 200]], color="0.9", label="noise")
axes.set(xlabel="Hz", ylabel="weight")
plt.show()

# %% [markdown]
# ## Tempering
#
# The Itakura–Saito divergence hears the quietest partials, and is easily caught in poor minima. β
# may go down to it in steps from the Kullback–Leibler divergence. Whether that ends lower than the
# direct way is a matter of luck: try both.

# %%
power = V[:400] ** 2
factors = [na.Factor(rng.random((400, 11))), na.Factor(H0)]
tempered = na.recipes.temper(power, factors, solver="bmme", max_iter=50)
direct = na.decompose(power, factors, divergence=na.Beta(0), solver="bmme", max_iter=6 * 50, tol=0)
print(f"objective {tempered.losses[-1]:.0f} in steps, {direct.losses[-1]:.0f} directly")

# %% [markdown]
# ## Templates that last
#
# NMFD: each component is a short spectrogram, as a drum hit is: kick, snare and hi-hat.

# %%
drums = read(samples / "drums" / "mixture.wav", stop=4.0)
hits = na.Stft(drums.sr, n_fft=2048, hop=1024)
X = hits.features(hits.forward(drums.samples))
start = na.nmf(X, 3, init="spa", rng=0)
lagged = na.Factor(np.repeat(start.W[None], 8, axis=0) * 0.8 ** np.arange(8)[:, None, None])
d = na.decompose(X, [lagged, na.Factor(start.H)], structure=na.structures.Convolutive(), rng=0)
print(
    f"objective {start.losses[-1]:.0f} with templates of one frame, {d.losses[-1]:.0f} with eight"
)
figure, panels = plt.subplots(1, 3, figsize=(10, 2.5), layout="constrained", sharey=True)
for k, axes in enumerate(panels):
    hit = np.sqrt(d.W[:, :400, k].T)
    axes.imshow(hit, origin="lower", aspect="auto", cmap="magma", extent=(0, 8, 0, 8.6))
    axes.set(title=f"component {k}", xlabel="lag")
panels[0].set_ylabel("kHz")
plt.show()
