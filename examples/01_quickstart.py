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
# # A file in, stems out
#
# Three things in five minutes: take a recording apart, look at the model behind it, and hear that
# the parts add up to the whole.
#
# You need `pip install '.[notebook]'` in the checkout, and a recording. Here it is an eight-second
# drum groove that comes with the project.

# %%
from pathlib import Path

import numpy as np

import nmfaudio as na

here = Path.cwd()
samples = next(p for p in (here, *here.parents) if (p / "audio_samples").is_dir()) / "audio_samples"
song = samples / "drums" / "mixture.wav"

# %% [markdown]
# ## Take it apart
#
# One call reads the file, factors its spectrogram into components, and shares the sound out among
# as many sources as you ask for. Sources are ordered by energy.

# %%
stems = na.separate(song, sources=3, rng=0)
stems

# %% [markdown]
# Each source is a group of components. What was seen in them is kept: how much of the energy they
# hold, where it lies, and how percussive it is.

# %%
for name, group in stems.groups.items():
    print(
        f"{name}: {len(group.components)} components, {group.energy_share:.0%} of the energy, "
        f"around {group.centre_hz:.0f} Hz, percussiveness {group.percussiveness:.2f}"
    )

# %% [markdown]
# ## See it
#
# The mixture's spectrogram, and what each source got of it.

# %%
na.plot_stems(stems)

# %% [markdown]
# The model behind it is `V ≈ W H`. Each column of `W` is a spectrum that comes back again and again
# (a template), each row of `H` says when and how loud (its activations). Here are the components of
# the loudest source: the rhythm can be read off `H`.

# %%
na.plot_factors(stems.decomposition, components=stems.groups["source-1"].components)

# %% [markdown]
# The objective falls at every step: it measures how badly `W H` fits the spectrogram `V`.

# %%
na.display.plot_losses(stems.decomposition)

# %% [markdown]
# ## Hear it


# %%
def player(y):
    """A player for audio of shape (channel, sample)."""
    from IPython.display import Audio

    return Audio(y, rate=stems.sr, normalize=False)


player(stems.mixture)

# %%
player(stems["source-1"])

# %%
player(stems["source-2"])

# %%
player(stems["source-3"])

# %% [markdown]
# ## They add up
#
# Every bit of the mixture goes somewhere: the masks of all sources sum to one, so the stems sum to
# the mixture. What is left is rounding.

# %%
error = np.abs(stems.residual()).max()
print(f"largest |mix − Σ stems|: {error:.1e}")
assert error < 1e-6

# %% [markdown]
# ## Keep it
#
# `save` writes one file per stem, `decomposition.save` the model. Both refuse to overwrite.

# %%
import tempfile

with tempfile.TemporaryDirectory() as folder:
    print(*(path.name for path in stems.save(folder).paths), sep="\n")
    stems.decomposition.save(Path(folder) / "model.npz")
    again = na.Decomposition.load(Path(folder) / "model.npz")

assert np.array_equal(again.W, stems.decomposition.W)

# %% [markdown]
# Next: give it something to go by. `na.nmf(V, W=..., update_W=False)` uses templates you already
# have; `na.decompose` composes any structure, divergence and penalty.
