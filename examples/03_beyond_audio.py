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
# `na.nmf` and `na.decompose` factorise any non-negative matrix. Five short applications from other
# fields follow, each with a check of its claim. The first three use real data from installed
# packages; the last two are **simulations** with a planted truth, marked as such.
#
# This needs `pip install '.[notebook]'` in the checkout.

# %%
import matplotlib.pyplot as plt
import numpy as np

import nmfaudio as na


def best_cosines(estimated, true):
    """Cosine similarity of each true column with the most similar estimated column."""
    estimated, true = (F / np.linalg.norm(F, axis=0) for F in (estimated, true))
    return (true.T @ estimated).max(1)


# %% [markdown]
# ## Parts of digits (real data)
#
# 1797 handwritten digits of 8 × 8 pixels. Components of PCA have positive and negative pixels,
# which can cancel; those of NMF only add. Two measures follow: sparsity, and the largest share of
# the energy of a component within a window of 3 × 3 pixels, one seventh of the image.

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
    """Mean Hoyer sparsity of rows: 0 for equal entries, 1 for a single non-zero entry."""
    size = np.sqrt(parts.shape[1])
    return np.mean((size - np.abs(parts).sum(1) / np.linalg.norm(parts, axis=1)) / (size - 1))


def locality(parts):
    """Mean over components of the largest share of energy in a window of 3 × 3 pixels."""
    energy = np.square(parts).reshape(-1, 8, 8)
    windows = np.lib.stride_tricks.sliding_window_view(energy, (3, 3), axis=(1, 2))
    return np.mean(windows.sum((3, 4)).max((1, 2)) / energy.sum((1, 2)))


for name, model in (("NMF", nmf), ("PCA", pca)):
    parts = model.components_
    print(f"{name}: sparsity {hoyer(parts):.2f}, energy in a window {locality(parts):.0%}")
assert hoyer(nmf.components_) > 1.5 * hoyer(pca.components_)
assert locality(nmf.components_) > 1.5 * locality(pca.components_)

# %% [markdown]
# ## Topics of docstrings (real data)
#
# Each docstring of NumPy, SciPy and scikit-learn is a bag of words. Under the Kullback–Leibler
# divergence NMF is a topic model (PLSA): a template is the distribution of a topic over words, the
# activations are the shares of the topics in a text. Shown are the words that are frequent in a
# topic and rare in the others.

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
distinctive = topics.W**2 / (topics.W.sum(1, keepdims=True) + 1e-12)
for k, strength in enumerate(distinctive.T):
    print(f"topic {k}:", *vocabulary[np.argsort(-strength)[:9]])

# %% [markdown]
# The model has no information on the origin of a text, yet the topics reflect it. Below are the
# share of each topic in each module, and the accuracy of predicting a text's module from its main
# topic. The baseline always predicts the most frequent module:

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
print(f"origin by main topic {hits / len(origin):.0%}, by the most frequent module {chance:.0%}")
assert hits / len(origin) > chance + 0.1

# %% [markdown]
# ## Missing entries (real data, half of them hidden)
#
# Half of all pixels are hidden and get weight 0, like missing ratings in a recommender system.
# Sixteen activations fitted to 32 visible pixels would overfit, so an `L2` penalty shrinks them.
# The model predicts the hidden pixels better than the mean of each pixel does.

# %%
rng = np.random.default_rng(0)
visible = rng.random(X.shape) < 0.5
initial = rng.random((64, 16)), rng.random((16, len(X)))


def fill(weight):
    """Fit the visible pixels with this weight of the penalty and predict all pixels."""
    factors = [
        na.Factor(initial[0], unit="l2"),
        na.Factor(initial[1], penalties=(na.penalties.L2(weight),)),
    ]
    return na.decompose(X.T, factors, divergence=na.Beta(2), weights=visible.T).model().T


filled = fill(0.3)
predictions = {
    "NMF with L2 penalty": filled,
    "NMF without penalty": fill(0.0),
    "mean of each pixel": np.tile(
        (X * visible).sum(0) / np.maximum(visible.sum(0), 1), (len(X), 1)
    ),
}
rmse = {
    name: np.sqrt(np.mean((prediction - X)[~visible] ** 2))
    for name, prediction in predictions.items()
}
for name, error in rmse.items():
    print(f"{name}: RMSE {error:.3f} on hidden pixels")
assert rmse["NMF with L2 penalty"] < 0.85 * rmse["mean of each pixel"]

figure, axes = plt.subplots(3, 10, figsize=(9, 3), layout="constrained")
rows = (np.where(visible, X, np.nan), filled, X)
for row, images, name in zip(axes, rows, ("visible", "predicted", "truth"), strict=True):
    for axis, image in zip(row, images, strict=False):
        axis.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
        axis.set(xticks=[], yticks=[])
    row[0].set_ylabel(name)

# %% [markdown]
# ## Gene expression (simulation)
#
# Planted: four modules of 200 genes, active in four kinds of 60 tumours, counts with Poisson noise.
# Both modules and kinds are recovered. The **consensus** is the share of random initialisations for
# which two samples have the same largest activation (Brunet et al. 2004,
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
axis.set(xlabel="sample", ylabel="sample", title="consensus of 12 initialisations")

# %% [markdown]
# ## Hyperspectral endmembers (simulation)
#
# Planted: an image of 30 × 30 pixels, each a mixture of three materials, in 60 spectral bands, with
# one per cent of noise. Each material is almost pure in some pixels, so the most dissimilar pixels
# are good initial templates (`init="spa"`). The fit is repeated with only those pixels in which no
# material exceeds 80 and 60 %: the spectra found are less and less those planted.

# %%
rng = np.random.default_rng(4)
bands = np.linspace(0, 1, 60)[:, None]
bumps = np.exp(-0.5 * ((bands - rng.random(9)) / 0.08) ** 2)
spectra = 0.02 + bumps @ (np.repeat(np.eye(3), 3, axis=0) + 0.1 * rng.random((9, 3)))
yy, xx = np.mgrid[:30, :30] / 29
fields = np.stack(
    [np.exp(-4 * ((yy - a) ** 2 + (xx - b) ** 2)) for a, b in ((0, 0), (0, 1), (1, 0.5))]
)
abundance = (fields / fields.sum(0)).reshape(3, -1)
purity = abundance.max(0)
image = spectra @ abundance
image = np.maximum(image + 0.01 * image.mean() * rng.standard_normal(image.shape), 0)

d = na.nmf(image, 3, beta_loss="frobenius", init="spa", rng=0)
recovered = best_cosines(d.W, spectra)
print(f"over 95 % of one material: {(purity > 0.95).mean():.0%} of the pixels")
print(f"cosines of the spectra {np.round(recovered, 3)}")
worst = [recovered.min()]
for limit in (0.8, 0.6):
    mixed = na.nmf(image[:, purity < limit], 3, beta_loss="frobenius", init="spa", rng=0)
    cosines = best_cosines(mixed.W, spectra)
    worst.append(cosines.min())
    print(f"{(purity < limit).mean():.0%} of the pixels, below {limit:.0%}: {np.round(cosines, 3)}")
assert (purity > 0.95).mean() < 0.2
assert worst[0] > 0.99 > 0.98 > worst[-1]
assert worst == sorted(worst, reverse=True)

figure, axes = plt.subplots(1, 4, figsize=(10, 2.5), layout="constrained")
axes[0].plot(bands, spectra / np.linalg.norm(spectra, axis=0), "k:")
axes[0].plot(bands, d.W / np.linalg.norm(d.W, axis=0))
axes[0].set(xlabel="band", title="spectra (dotted: planted)")
for k, axis in enumerate(axes[1:]):
    axis.imshow(d.H[k].reshape(30, 30), cmap="magma")
    axis.set(xticks=[], yticks=[], title=f"abundance of {k}")
