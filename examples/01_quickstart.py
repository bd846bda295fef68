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
# # Quickstart: from a file to stems
#
# In five minutes: separate a recording, look at the model behind it, and check that the stems sum
# to the mixture.
#
# This needs `pip install '.[notebook]'` in the checkout and a recording, here an eight-second drum
# groove that ships with the package. On Colab and the like the next cell installs the package,
# from the day it is published.

# %%
import importlib.util
import subprocess
import sys

if importlib.util.find_spec("nmfaudio") is None:
    wanted = "nmfaudio[plot]"
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", wanted], check=True)

# %%
from pathlib import Path

import numpy as np

import nmfaudio as na

song = na.example("drums")

# %% [markdown]
# ## Separate
#
# One call reads the file, factorises its spectrogram into components, and groups them into the
# requested number of sources. Sources are ordered by energy.

# %%
stems = na.separate(song, n_sources=3, rng=0)
stems

# %% [markdown]
# Each source is a group of components, described by its share of the energy, its spectral centre
# and its percussiveness.

# %%
for name, group in stems.groups.items():
    print(
        f"{name}: {len(group.components)} components, "
        f"{group.energy_share:.0%} of the energy, "
        f"around {group.centre_hz:.0f} Hz, percussiveness {group.percussiveness:.2f}"
    )

# %% [markdown]
# ## Plot
#
# The spectrograms of the mixture and of the stems:

# %%
na.plot_stems(stems)

# %% [markdown]
# The model is `V ≈ W H`. Each column of `W` is a template, a spectrum that recurs in the recording;
# each row of `H` holds the activations of a template over time. Here are the components of the
# source with the highest energy: `H` shows the rhythm.

# %%
na.plot_factors(stems.decomposition, components=stems.groups["source-1"].components)

# %% [markdown]
# The objective measures the divergence of `V` from `W H`. It decreases from check to check.

# %%
assert (np.diff(stems.decomposition.losses) < 0).all()
na.display.plot_losses(stems.decomposition)

# %% [markdown]
# ## Listen


# %%
def player(y):
    """Player for audio [shape=(channel, sample)]."""
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
# ## The stems sum to the mixture
#
# The masks of all sources sum to one, so the stems sum to the mixture, up to rounding.

# %%
error = np.abs(stems.residual()).max()
print(f"largest |mix − Σ stems|: {error:.1e}")
assert error < 1e-6

# %% [markdown]
# ## Save
#
# `save` writes one file per stem, `decomposition.save` the model. Neither overwrites existing
# files.

# %%
import tempfile

with tempfile.TemporaryDirectory() as folder:
    print(*(path.name for path in stems.save(folder).paths), sep="\n")
    stems.decomposition.save(Path(folder) / "model.npz")
    loaded = na.Decomposition.load(Path(folder) / "model.npz")

assert np.array_equal(loaded.W, stems.decomposition.W)

# %% [markdown]
# Next steps: `na.hpss(song)` and `na.drums(song)` separate harmonic from percussive sounds and the
# parts of a drum kit; `na.nmf(V, W=..., update_W=False)` uses known templates; `na.decompose`
# combines any structure, divergence and penalty.
