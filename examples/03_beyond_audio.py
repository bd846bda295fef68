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
# # Beyond audio
#
# The engine knows nothing of sound: it factors any non-negative matrix. Five short uses from other
# fields, each with a check of what it claims. The first three run on real data that comes with
# installed packages; the last two are **simulations** with a planted truth, and say so.
#
# You need `pip install '.[notebook,sklearn]'` in the checkout.

# %%
import matplotlib.pyplot as plt
import numpy as np

import nmfaudio as na


def best_cosines(found, true):
    """For each true column the cosine of the column found that is most like it."""
    found, true = (F / np.linalg.norm(F, axis=0) for F in (found, true))
    return (true.T @ found).max(1)


# %% [markdown]
# ## Parts of digits (real data)
#
# 1797 handwritten digits of 8 × 8 pixels. PCA needs positive and negative pixels, which cancel; NMF
# can only add, so it finds strokes: its parts are sparser.

# %%
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

X = load_digits().data / 16
nmf = na.estimators.NMF(16, beta_loss="frobenius", random_state=0).fit(X)
pca = PCA(16, random_state=0).fit(X)

figure, axes = plt.subplots(2, 16, figsize=(12, 2), layout="constrained")
for row, model, name in zip(axes, (nmf, pca), ("NMF", "PCA"), strict=True):
    for axis, part in zip(row, model.components_, strict=True):
        limit = np.abs(part).max()
        axis.imshow(part.reshape(8, 8), cmap="RdBu_r", vmin=-limit, vmax=limit)
        axis.set(xticks=[], yticks=[])
    row[0].set_ylabel(name)


# %%
def hoyer(parts):
    """Mean sparsity of rows: 0 for all entries equal, 1 for a single one."""
    size = np.sqrt(parts.shape[1])
    return np.mean((size - np.abs(parts).sum(1) / np.linalg.norm(parts, axis=1)) / (size - 1))


print(f"sparsity of the parts: NMF {hoyer(nmf.components_):.2f}, PCA {hoyer(pca.components_):.2f}")
assert hoyer(nmf.components_) > 1.5 * hoyer(pca.components_)

# %% [markdown]
# ## Topics of docstrings (real data)
#
# Each docstring of NumPy, SciPy and scikit-learn is a bag of words. Under the Kullback–Leibler
# divergence NMF is a topic model (PLSA): a template is a topic's distribution over words, the
# activations say how much of it a text has. Shown are the words that are frequent in a topic and
# rare in the others.

# %%
import inspect

import scipy.linalg
import scipy.optimize
import scipy.signal
import scipy.stats
import sklearn.cluster
import sklearn.linear_model
import sklearn.metrics
from sklearn.feature_extraction.text import CountVectorizer

modules = [np, np.fft, np.random, np.linalg, scipy.linalg, scipy.optimize, scipy.signal]
modules += [scipy.stats, sklearn.cluster, sklearn.linear_model, sklearn.metrics]
texts = {}
for module in modules:
    for name in sorted(module.__all__):
        text = inspect.getdoc(getattr(module, name)) or ""
        if len(text) > 500:
            texts[text] = module.__name__

words = CountVectorizer(
    stop_words="english", min_df=10, max_df=0.2, token_pattern=r"(?u)\b[a-z]{4,}\b", binary=True
)
counts = words.fit_transform(texts).T.toarray().astype(float)
topics = na.nmf(counts, 8, rng=0, n_init=2)
vocabulary = words.get_feature_names_out()
own = topics.W**2 / (topics.W.sum(1, keepdims=True) + 1e-12)
for k, strength in enumerate(own.T):
    print(f"topic {k}:", *vocabulary[np.argsort(-strength)[:9]])

# %% [markdown]
# Nobody told the model where a text comes from; yet the topics know. Here is the share of each
# topic in each module, and how often a text's main topic predicts its origin, where always saying
# the commonest module is the alternative:

# %%
origin = np.array(list(texts.values()))
share = topics.W.sum(0)[:, None] * topics.H
share = share / share.sum(0)
names = sorted(set(origin))
table = np.array([share[:, origin == name].mean(1) for name in names])

figure, axis = plt.subplots(figsize=(6, 4), layout="constrained")
axis.imshow(table, cmap="magma", vmin=0)
axis.set(xlabel="topic", yticks=range(len(names)), yticklabels=names)

main = share.argmax(0)
hits = sum(max(np.sum(origin[main == k] == name) for name in names) for k in set(main))
chance = max(np.mean(origin == name) for name in names)
print(f"origin by main topic {hits / len(origin):.0%}, by the commonest module {chance:.0%}")
assert hits / len(origin) > chance + 0.1

# %% [markdown]
# ## What is missing (real data, half of it hidden)
#
# Half of all pixels are hidden, as most ratings are from a recommender: they get weight 0 and have
# no say. Sixteen activations from 32 pixels seen would fit their noise too, so large ones cost a
# little (`L2`). The model fills the gaps in better than each pixel's mean does.

# %%
rng = np.random.default_rng(0)
seen = rng.random(X.shape) < 0.5
start = rng.random((64, 16)), rng.random((16, len(X)))


def fill(weight):
    """The model of what is seen, with that weight of the penalty."""
    factors = [
        na.Factor(start[0], unit="l2"),
        na.Factor(start[1], penalties=(na.penalties.L2(weight),)),
    ]
    return na.decompose(X.T, factors, divergence=na.Beta(2), weights=seen.T).model().T


filled = fill(0.3)
guesses = {
    "NMF with a penalty": filled,
    "NMF without": fill(0.0),
    "mean of the pixel": np.tile((X * seen).sum(0) / np.maximum(seen.sum(0), 1), (len(X), 1)),
}
rmse = {name: np.sqrt(np.mean((guess - X)[~seen] ** 2)) for name, guess in guesses.items()}
for name, error in rmse.items():
    print(f"{name}: RMSE {error:.3f} of hidden pixels")
assert rmse["NMF with a penalty"] < 0.85 * rmse["mean of the pixel"]

figure, axes = plt.subplots(3, 10, figsize=(9, 3), layout="constrained")
rows = (np.where(seen, X, np.nan), filled, X)
for row, images, name in zip(axes, rows, ("seen", "filled in", "truth"), strict=True):
    for axis, image in zip(row, images, strict=False):
        axis.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
        axis.set(xticks=[], yticks=[])
    row[0].set_ylabel(name)

# %% [markdown]
# ## Gene expression (simulation)
#
# Planted: four modules of genes among 200, active in four kinds of tumours among 60, counts with
# Poisson noise. The modules come back, and so do the kinds: over many random starts, the
# **consensus** says how often two samples have the same largest activation (Brunet et al. 2004,
# doi:10.1073/pnas.0308531101).

# %%
rng = np.random.default_rng(1)
kind = np.repeat(np.arange(4), 15)
programmes = rng.gamma(0.4, 8.0, (200, 4))
activity = 0.1 + rng.gamma(4.0, 0.25, (4, 60)) * (np.arange(4)[:, None] == kind)
expression = rng.poisson(programmes @ activity + 0.2).astype(float)
shuffled = rng.permutation(60)

runs = [na.nmf(expression[:, shuffled], 4, rng=seed) for seed in range(12)]
labels = [(d.W.sum(0)[:, None] * d.H).argmax(0) for d in runs]
consensus = np.mean([label[:, None] == label for label in labels], axis=0)
truth = kind[shuffled][:, None] == kind[shuffled]

recovered = best_cosines(min(runs, key=lambda d: d.losses[-1]).W, programmes)
agreement = np.mean((consensus > 0.5) == truth)
print(f"cosines of the modules {np.round(recovered, 3)}, pairs of samples right {agreement:.1%}")
assert recovered.min() > 0.95
assert agreement > 0.95

order = np.argsort(labels[0], kind="stable")
figure, axis = plt.subplots(figsize=(4, 4), layout="constrained")
axis.imshow(consensus[np.ix_(order, order)], cmap="magma", vmin=0, vmax=1)
axis.set(xlabel="sample", ylabel="sample", title="consensus of 12 starts")

# %% [markdown]
# ## Hyperspectral endmembers (simulation)
#
# Planted: an image of 30 × 30 pixels, each a mixture of three materials, in 60 spectral bands, with
# one per cent of noise. Each material is almost pure somewhere, so the pixels least like one
# another are good starts (`init="spa"`). Without pure pixels plain NMF would not be unique.

# %%
rng = np.random.default_rng(4)
bands = np.linspace(0, 1, 60)[:, None]
bumps = np.exp(-0.5 * ((bands - rng.random(9)) / 0.08) ** 2)
spectra = 0.02 + bumps @ (np.repeat(np.eye(3), 3, axis=0) + 0.1 * rng.random((9, 3)))
yy, xx = np.mgrid[:30, :30] / 29
fields = np.stack(
    [np.exp(-30 * ((yy - a) ** 2 + (xx - b) ** 2)) for a, b in ((0, 0), (0, 1), (1, 0.5))]
)
abundance = (fields / fields.sum(0)).reshape(3, -1)
image = spectra @ abundance
image = np.maximum(image + 0.01 * image.mean() * rng.standard_normal(image.shape), 0)

d = na.nmf(image, 3, beta_loss="frobenius", init="spa", rng=0)
recovered = best_cosines(d.W, spectra)
print(f"cosines of the spectra {np.round(recovered, 4)}")
assert recovered.min() > 0.99

figure, axes = plt.subplots(1, 4, figsize=(10, 2.5), layout="constrained")
axes[0].plot(bands, spectra / np.linalg.norm(spectra, axis=0), "k:")
axes[0].plot(bands, d.W / np.linalg.norm(d.W, axis=0))
axes[0].set(xlabel="band", title="spectra (dotted: planted)")
for k, axis in enumerate(axes[1:]):
    axis.imshow(d.H[k].reshape(30, 30), cmap="magma")
    axis.set(xticks=[], yticks=[], title=f"abundance of {k}")
