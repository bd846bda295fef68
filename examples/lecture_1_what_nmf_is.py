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
# # Lecture 1: what NMF is
#
# *You need linear algebra: matrix products, rank, a little of gradients. You need nothing of
# audio.*
#
# A matrix $V$ of non-negative numbers is written, approximately, as a product of two smaller ones
# that are non-negative too:
#
# $$V \approx W H, \qquad V \in \mathbb{R}_{\ge 0}^{F \times T},\quad
# W \in \mathbb{R}_{\ge 0}^{F \times K},\quad H \in \mathbb{R}_{\ge 0}^{K \times T}.$$
#
# This is non-negative matrix factorisation, NMF (Lee & Seung 1999,
# [doi:10.1038/44565](https://doi.org/10.1038/44565)). At the end you can say what $W$ and $H$
# are, how they are computed, and why two runs on the same $V$ differ. The numbers behind the text
# are computed by the cells. Exercises have hidden solutions. `pip install '.[notebook]'` in the
# checkout brings all that the lecture needs; it runs offline.

# %%
import base64
import io
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import soundfile as sf
from IPython.display import HTML, Audio, display
from matplotlib.animation import PillowWriter

import nmfaudio as na

plt.rcParams.update({"figure.constrained_layout.use": True, "figure.dpi": 80})
plt.rcParams.update({"image.cmap": "magma", "font.size": 9})
SR = 11025  # samples per second


def play(y, label):
    """Show a player for a signal under its label, as MP3; all are equally loud."""
    file = io.BytesIO()
    sf.write(file, 0.9 * y / np.abs(y).max(), SR, format="MP3", compression_level=0.3)
    player = Audio(file.getvalue())
    player.mimetype = "audio/mpeg"
    display(HTML(f"{label}<br>{player._repr_html_()}"))


# %% [markdown]
# ## A matrix by hand
#
# Four tones, from low (top) to high, are the rows; five moments are the columns. An entry says
# how strong a tone is at a moment. Two instruments play. Instrument 1 makes mostly the lowest
# tone, instrument 2 mostly the third. A **template** (a column of $W$) is what an instrument
# sounds like: how strong it makes each tone. An **activation** (a row of $H$) is when, and how
# strongly, it plays.

# %%
W = np.array([[4.0, 0], [2, 1], [0, 3], [0, 1]])
H = np.array([[1.0, 0, 2, 1, 0], [0, 1, 1, 0, 2]])
V = W @ H
print(V)

# %% [markdown]
# The product is a sum of **layers**, one for each instrument, and each layer has rank one:
#
# $$V = W H = \sum_{k=1}^{K} w_k h_k^\top, \qquad V_{ft} = \sum_k W_{fk} H_{kt}.$$
#
# A template together with its activation is a **component**; how many there are, $K$, is our
# choice. Read by columns, the formula says that each moment is a non-negative combination of the
# templates, and a column of $H$ has its coefficients.


# %%
def table(axes, M, title):
    """Draw a matrix with its numbers."""
    axes.imshow(M, vmin=0, vmax=8, cmap="Blues")
    for (f, t), value in np.ndenumerate(M):
        colour = "w" if value > 5 else "k"
        axes.text(t, f, f"{value:g}", ha="center", va="center", color=colour)
    axes.set(title=title, xticks=[], yticks=[])


layers = [np.outer(W[:, k], H[k]) for k in range(2)]
figure, panels = plt.subplots(1, 3, figsize=(9, 2.2))
for axes, M, title in zip(
    panels,
    [V, *layers],
    ["$V$", "$= w_1 h_1^\\top$", "$+\\ w_2 h_2^\\top$"],
    strict=True,
):
    table(axes, M, title)
plt.show()
assert np.array_equal(layers[0] + layers[1], V)
print("ranks:", *(np.linalg.matrix_rank(M) for M in (V, *layers)))

# %% [markdown]
# A matrix of strengths can be heard. Each row drives a sine tone:


# %%
def tones(M, seconds=0.25, frequencies=(220.0, 330.0, 440.0, 660.0)):
    """Sum of sine tones whose strengths over time are the rows of M."""
    n = round(seconds * SR)
    envelope = np.repeat(M, n, axis=1) * np.tile(np.hanning(n) ** 0.25, M.shape[1])
    t = np.arange(envelope.shape[1]) / SR
    return (envelope * np.sin(2 * np.pi * np.outer(frequencies, t))).sum(0)


play(tones(V), "V, both instruments")
for k in range(2):
    play(tones(layers[k]), f"layer {k + 1}")

# %% [markdown]
# Now forget $W$ and $H$ and recover them from $V$ alone: `na.nmf` looks for the two non-negative
# factors whose product is closest to $V$, here in the sum of squared differences. (A later section
# is about other distances, and about how a solver gets there; `tol=0` lets it make all its
# iterations.) The scale of a template is arbitrary, as we will see, so each is divided by its
# largest entry.

# %%
found = na.nmf(V, 2, beta_loss="frobenius", solver="hals", max_iter=2000, tol=0, rng=0)
order = found.W.argmax(0).argsort()  # the numbering of components is arbitrary as well
print("planted\n", W / W.max(0))
print("found\n", (found.W / found.W.max(0))[:, order].round(3))
assert np.allclose((found.W / found.W.max(0))[:, order], W / W.max(0), atol=1e-3)

# %% [markdown]
# The singular value decomposition (SVD) also writes $V$ as two layers of rank one, exactly. But
# its second layer has negative entries. There is no negative strength of a tone: the second layer
# only makes sense as a correction of the first. Non-negative layers **only add**, so each can
# stand alone.

# %%
U, s, Vt = np.linalg.svd(V)
second = s[1] * np.outer(U[:, 1], Vt[1])
print(second.round(1))
assert np.allclose(s[0] * np.outer(U[:, 0], Vt[0]) + second, V)
assert second.min() < 0

# %% [markdown]
# **Exercise.** A third instrument makes only the highest tone, with strength 2, at the last
# moment. Which entry of $V$ changes? What is the rank of the new $V$? Is it still a sum of two
# non-negative layers?
#
# <details><summary>Solution</summary>
#
# $w_3 = (0, 0, 0, 2)^\top$ and $h_3 = (0, 0, 0, 0, 1)$, so the layer has a single non-zero entry:
# $V_{4,5}$ grows from 2 to 4. The rank becomes 3 (`np.linalg.matrix_rank(V + np.outer(w3, h3))`).
# Two layers have at most rank 2, so three are needed.
# </details>

# %% [markdown]
# ## From sound to a matrix
#
# A recording is a list of numbers, the air pressure at 11025 moments of a second. To get a
# matrix, cut it into short overlapping pieces, here of 93 ms. The Fourier transform of a piece
# writes it as a sum of oscillations of 0, 11, 22, … Hz (oscillations per second). Each has a
# complex coefficient: its magnitude says how strong the oscillation is, its phase where it
# begins. The coefficients of all pieces are the matrix $Z$, their magnitudes the matrix $V =
# |Z|$, the **spectrogram**: frequency upwards, time to the right, as in a musical score. A column
# is called a **frame**. Phases are set aside until we want to hear something.
#
# The bar of music that we use from here on has nine notes of a piano and four pitches: A3 (220 Hz),
# C4 (262 Hz), E4 (330 Hz) and A4 (440 Hz). It is assembled from recordings of single notes, so
# that we know the truth: the signal of each pitch by itself. Colours are in decibels, a
# logarithmic scale: 20 dB less is a tenth of the magnitude.

# %%
from librosa import note_to_midi, resample

names = ["A3", "C4", "E4", "A4"]
onsets = {  # beginnings of the notes, in seconds
    "A3": (0.0, 1.5),
    "C4": (0.5, 1.5),
    "E4": (1.0, 1.5, 2.5),
    "A4": (2.0, 2.5),
}
parts = np.zeros((4, round(3.2 * SR)))
for part, name in zip(parts, names, strict=True):
    single = na.read(na.example("piano", f"notes/{note_to_midi(name)}.flac"))
    y = resample(single.samples[0], orig_sr=single.sr, target_sr=SR)[:SR].astype(float)
    y[-SR // 5 :] *= np.linspace(1, 0, SR // 5)  # fade out
    for onset in onsets[name]:
        first = round(onset * SR)
        rest = part[first : first + len(y)]
        rest += y[: len(rest)]
bar = parts.sum(0)

stft = na.Stft(SR, n_fft=1024, hop=256)
Z = stft.forward(bar[None])
V = stft.features(Z)  # magnitudes
V = np.maximum(V, 1e-4 * V.max())  # as in a room: never quite silent
F, T = V.shape
K = 4
print(f"V has F = {F} frequencies and T = {T} frames")
print(f"its entries go from {V.min():.3f} to {V.max():.0f}")
play(bar, "the bar")


# %%
def spectrogram(axes, M, title=""):
    """Draw magnitudes in decibels, 0 to 2 kHz."""
    decibels = 20 * np.log10(np.maximum(M[:186], 1e-4 * V.max()) / V.max())
    image = axes.imshow(
        decibels, origin="lower", aspect="auto", vmin=-70, vmax=0, extent=(0, 3.2, 0, 2)
    )
    axes.set(title=title, xlabel="seconds", ylabel="kHz")
    return image


figure, axes = plt.subplots(figsize=(7, 2.8))
figure.colorbar(spectrogram(axes, V, "V: spectrogram of the bar"), label="dB")
plt.show()

# %% [markdown]
# A note is not one line but a stack of them: a string vibrates at a lowest frequency and at its
# multiples, the partials. The strengths of these partials are what makes a piano sound like a
# piano and no flute, and they stay roughly the same while the note dies away. So a note is
# roughly a **template times an activation**, a layer of rank one, and a bar of four pitches is
# roughly a matrix of rank four. ("Roughly" because magnitudes of a sum are not sums of
# magnitudes, and because high partials die away faster.) How roughly, for the four notes by
# themselves? The best approximation of rank one is the first layer of the SVD, by the theorem of
# Eckart and Young. Its share of the energy, the sum of the squared entries, says how good it is.

# %%
for part, name in zip(parts, names, strict=True):
    alone = stft.features(stft.forward(part[None]))
    s = np.linalg.svd(alone, compute_uv=False)
    print(f"{name}: one layer has {s[0] ** 2 / (s**2).sum():.0%} of the energy")
sum_of_parts = sum(stft.features(stft.forward(part[None])) for part in parts)
off = np.linalg.norm(sum_of_parts - V) / np.linalg.norm(V)
print(f"sum of the magnitudes of the notes: {off:.0%} off the magnitudes of the bar")

# %% [markdown]
# Now factorise, with $K = 4$. Among eight runs from random numbers, the one with the lowest
# objective, the distance from $V$ to $WH$, is kept (the section on local minima says why). On the
# left are the templates, on the right the activations: you can read from $W$ *what* sounds (the
# largest peak of each template is at one of the four pitches, up to the 11 Hz between two rows),
# from $H$ *when*. A note that is played twice is one template and two bumps of its activation.
# Nobody told the method about notes, pianos or music.

# %%
fit = na.nmf(V, K, init="random", solver="mu", n_init=8, tol=0, rng=0)


def picture(W, H, labels):
    """Draw templates beside activations, each scaled to a maximum of 1."""
    _, (left, right) = plt.subplots(1, 2, figsize=(9, 3), width_ratios=[1, 1.5])
    for row in range(len(labels)):
        template, activation = W[:186, row] / W[:, row].max(), H[row] / H[row].max()
        colour = f"C{row}"
        top = row + 0.9 * template
        left.fill_between(stft.frequencies[:186], row, top, color=colour)
        top = row + 0.9 * activation
        right.fill_between(stft.times(T), row, top, color=colour)
    left.set(title="W: templates", xlabel="Hz")
    left.set_yticks(range(len(labels)), labels)
    right.set(title="H: activations", xlabel="seconds", yticks=[], xlim=(0, 3.2))


picture(fit.W, fit.H, [f"component {k}" for k in range(K)])
plt.show()
peaks = np.sort(stft.frequencies[fit.W.argmax(0)])
print("largest peaks:", *peaks.round(), "Hz")
assert np.abs(peaks - [220, 262, 330, 440]).max() < SR / 1024  # one row

# %% [markdown]
# To hear a component, give every entry of $Z$, the complex Fourier coefficients of the bar, to
# the components in proportion to their layers, and transform back:
#
# $$\hat Z_k = \frac{w_k h_k^\top}{\sum_j w_j h_j^\top} \odot Z .$$
#
# The shares sum to one, so the four signals sum to the bar. (Lecture 2 is about these masks.) How
# close a signal $\hat s$ is to that of the true note $s$ is measured by the scale-invariant
# signal-to-distortion ratio,
# $10 \log_{10} \left( \lVert a s \rVert^2 / \lVert \hat s - a s \rVert^2 \right)$ in decibels
# with the best factor $a$ (Le Roux et al. 2019,
# [doi:10.1109/ICASSP.2019.8683855](https://doi.org/10.1109/ICASSP.2019.8683855)). At 0 dB there
# is as much error as signal, at 20 dB a hundredth. The order of the components is arbitrary, so
# each note is compared with a component of its own, in the assignment with the highest scores.


# %%
def signals(W, H):
    """Signals of the components [shape=(component, sample)]."""
    shares = W.T[:, :, None] * H[:, None, :] / np.maximum(W @ H, 1e-12)
    return np.concatenate([stft.inverse(share * Z, len(bar)) for share in shares])


def notes_of(W, H):
    """Component and score in dB of each true note, under the best assignment."""
    estimates = signals(W, H)
    components = na.metrics.best_assignment(parts, estimates)
    scores = map(na.metrics.si_sdr, parts, (estimates[k] for k in components))
    return np.array(components), np.array(list(scores))


components, scores = notes_of(fit.W, fit.H)
estimates = signals(fit.W, fit.H)
assert np.allclose(estimates.sum(0), bar, atol=1e-6)
for name, k, score in zip(names, components, scores, strict=True):
    play(estimates[k], f"component {k}: {name}, {score:.1f} dB")
assert scores.min() > 10

# %% [markdown]
# **Exercise.** What would $W$ and $H$ be with $K = 1$ and a perfect fit? And with $K = T$?
#
# <details><summary>Solution</summary>
#
# A perfect fit with $K = 1$ means $V$ has rank one: all frames are multiples of one template.
# With $K = T$, $W = V$ and $H = I$ fit any $V$ perfectly: each frame is its own template, and
# nothing was learned. NMF explains something only if $K$ is far below $F$ and $T$.
# </details>

# %% [markdown]
# ## Objectives and multiplicative updates
#
# How far is a model $Y = WH$ from $V$? Two objectives of Lee & Seung (2001, [Algorithms for
# non-negative matrix factorization](https://papers.nips.cc/paper/1861)) are
#
# $$D_2(V \mid Y) = \tfrac12 \sum_{ft} (V_{ft} - Y_{ft})^2, \qquad
# D_1(V \mid Y) = \sum_{ft} \left( V_{ft} \log \frac{V_{ft}}{Y_{ft}} - V_{ft} + Y_{ft} \right),$$
#
# half the squared Frobenius norm and the (generalised) Kullback–Leibler divergence, KL. Both are
# zero for $Y = V$ and positive otherwise. Two **multiplicative updates**, in turn, lower the
# second:
#
# $$W \leftarrow W \odot \frac{(V / WH)\, H^\top}{\mathbf 1 H^\top}, \qquad
# H \leftarrow H \odot \frac{W^\top (V / WH)}{W^\top \mathbf 1},$$
#
# where $\odot$, $/$ and fractions are entrywise and $\mathbf 1$ is the matrix of ones of the size
# of $V$. Read the one for $H$: where the model is too small in the frequencies of a template, the
# ratio $V / WH$ exceeds one there, and the activation grows; where the model is too large, it
# shrinks; where $V = WH$ nothing changes. Factors stay non-negative by themselves, since they are
# only multiplied by non-negative numbers.
#
# For the whole family of **β-divergences** (β = 2 Frobenius, β = 1 KL, β = 0 Itakura–Saito, see
# below), the updates are (Févotte & Idier 2011,
# [doi:10.1162/NECO_a_00168](https://doi.org/10.1162/NECO_a_00168))
#
# $$H \leftarrow H \odot \left( \frac{W^\top (V \odot Y^{\beta - 2})}{W^\top Y^{\beta - 1}}
# \right)^{\gamma}, \quad Y = WH, \quad
# \gamma = \begin{cases} 1/(2-\beta) & \beta < 1 \\ 1 & 1 \le \beta \le 2 \\
# 1/(\beta - 1) & \beta > 2 \end{cases}$$
#
# and the same for $W$ by transposing everything. In NumPy:


# %%
def update_H(V, W, H, beta):
    """One multiplicative update of H."""
    Y = W @ H
    gamma = 1 / (2 - beta) if beta < 1 else 1 / max(beta - 1, 1)
    return H * ((W.T @ (V * Y ** (beta - 2))) / (W.T @ Y ** (beta - 1))) ** gamma


def multiplicative_updates(V, W, H, beta, iterations):
    for _ in range(iterations):
        W = update_H(V.T, H.T, W.T, beta).T
        H = update_H(V, W, H, beta)
    return W, H


# %% [markdown]
# That is all of `na.nmf(…, solver="mu")`: the same numbers come out, up to rounding. (The package
# does it in compiled loops, and has solvers that need fewer iterations.)

# %%
rng = np.random.default_rng(0)
W0, H0 = rng.random((F, K)) + 0.1, V.mean() * (rng.random((K, T)) + 0.1)
for beta in (0, 1, 2):
    ours = multiplicative_updates(V, W0, H0, beta, 20)
    theirs = na.nmf(V, W=W0, H=H0, beta_loss=beta, solver="mu", max_iter=20, tol=0)
    pairs = zip(ours, theirs.factors, strict=True)
    difference = max(np.abs(a / b - 1).max() for a, b in pairs)
    print(f"β = {beta}: largest relative difference {difference:.0e}")
    assert difference < 1e-6

# %% [markdown]
# Why do the updates never raise the objective? Look at one column $v$ of $V$ and its activations
# $h$. The sum inside of the logarithm couples them. With the current shares of the components,
# $\lambda_{fk} = W_{fk} \tilde h_k / (W \tilde h)_f$, Jensen's inequality moves the logarithm
# inside of the sum:
#
# $$-v_f \log \sum_k W_{fk} h_k \;\le\;
# -v_f \sum_k \lambda_{fk} \log \frac{W_{fk} h_k}{\lambda_{fk}},$$
#
# so that
#
# $$D_1 \le G(h \mid \tilde h) = \sum_f \Big( \sum_k W_{fk} h_k - v_f \sum_k \lambda_{fk}
# \log \frac{W_{fk} h_k}{\lambda_{fk}} \Big) + \text{const},$$
#
# with equality at $h = \tilde h$. $G$ is a **majoriser**: nowhere below $D$, and touching it at
# the current point. Going to the minimum of $G$ cannot raise $D$. That minimum is found for each
# $h_k$ by itself, from
# $\partial G / \partial h_k = \sum_f W_{fk} - \frac{1}{h_k} \sum_f v_f \lambda_{fk} = 0$, and it
# *is* the multiplicative update of $h_k$. Drawn for one activation of one frame, the others
# fixed, with the templates after a single update:

# %%
frame = 60  # a moment of the bar
early_W, early_H = multiplicative_updates(V, W0, H0, 1, 1)
v, column = V[:, frame], early_H[:, frame]
k = 0


def objective(x):
    """KL divergence with activation x of component k."""
    y = early_W @ np.where(np.arange(K) == k, x, column)
    return np.sum(v * np.log(v / y) - v + y)


def majoriser(x, at):
    """Majoriser of the objective that touches it where the activation is `at`."""
    own = early_W[:, k]
    y = early_W @ np.where(np.arange(K) == k, at, column)
    share = own * at / y
    return objective(at) + own.sum() * (x - at) - (v * share).sum() * np.log(x / at)


def updated(x):
    """Multiplicative update of activation x."""
    h = np.where(np.arange(K) == k, x, column)[:, None]
    return update_H(v[:, None], early_W, h, 1)[k, 0]


grid = np.linspace(0.02, 2, 200) * 3 * column.max()
values = np.array([objective(x) for x in grid])
figure, axes = plt.subplots(figsize=(6, 3))
axes.plot(grid, values, "k", lw=2, label="objective $D_1$")
x = grid[-20]
for step, style in enumerate(("--", "-.", ":", "-")):
    above = np.array([majoriser(g, x) for g in grid])
    assert (above >= values - 1e-9 * values.max()).all()  # nowhere below the objective
    target = updated(x)
    assert above.min() >= majoriser(target, x) - 1e-9  # the update is its minimum
    assert objective(target) <= objective(x)
    axes.plot(grid, above, style, color=f"C{step}", label=f"majoriser at step {step}")
    axes.plot(x, objective(x), "o", color=f"C{step}")
    x = target
axes.plot(x, objective(x), "ks", label="after four updates")
axes.set_xlabel(f"activation of component {k} in frame {frame}")
axes.set(ylabel="objective, majorisers", ylim=(0, 1.1 * values.max()))
axes.legend()
plt.show()

# %% [markdown]
# **Exercise.** Show that the update of $H$ for KL is a step of gradient descent, with a step size
# of its own for each entry. What is that step size?
#
# <details><summary>Solution</summary>
#
# The gradient is $\nabla_H D_1 = W^\top \mathbf 1 - W^\top (V / WH)$. With the step sizes
# $\eta = H / (W^\top \mathbf 1)$,
# $\; H - \eta \odot \nabla_H D_1 = H - H + H \odot W^\top (V / WH) / (W^\top \mathbf 1)$, which
# is the update. Small entries take small steps, and none can step below zero.
# </details>
#
# **Exercise.** What happens to an entry of $H$ that is exactly zero at the beginning?
#
# <details><summary>Solution</summary>
#
# It is multiplied, so it stays zero for ever. That is a trap for initialisations, and a tool:
# where a score says that no note sounds, set $H$ to zero (lecture 2).
# </details>

# %% [markdown]
# ## The updates as a film
#
# The same updates, from random numbers, as a film: the model $WH$ with $W$ at its left and $H$
# below, and the objective in the corner. `callback=` keeps the factors of some iterations,
# `na.display.plot_updates` draws them. Watch when the components part company, and which of them
# becomes unlike the others. (The film repeats; close it to stop it. Where the system asks for
# reduced motion, it is a picture of the last iteration.)

# %%
shown = (1, 2, 3, 4, 6, 8, 10, 12, 14, 17, 20, 25, 35, 60, 200)
history = na.display.History()


def keep(progress):
    """Keep the factors of some iterations."""
    if progress.iteration in shown:
        history(progress)


settings = {"solver": "mu", "max_iter": 200, "tol": 0, "check_every": 1}
na.nmf(V, W=W0, H=H0, **settings, callback=keep)
history.steps().extend(history.steps()[-1:] * 6)  # the last picture stays for a while
figure = plt.figure(figsize=(5.6, 3.9), dpi=90)
film = na.display.plot_updates(history, V, transform=stft, top_hz=2000, fig=figure)
figure.draw_without_rendering()
figure.set_layout_engine("none")  # the panels stay where they are

with tempfile.TemporaryDirectory() as folder:
    moving, still = Path(folder, "film.webp"), Path(folder, "still.webp")
    film.save(moving, writer=PillowWriter(fps=3), dpi=90)
    figure.savefig(still, dpi=90)  # the last picture
    plt.close(figure)
    moving, still = (
        "data:image/webp;base64," + base64.b64encode(path.read_bytes()).decode()
        for path in (moving, still)
    )
page = f"""<details open><summary>film of the updates</summary><picture>
<source media="(prefers-reduced-motion: reduce)" srcset="{still}">
<img src="{moving}" alt="W, H and their product over 200 iterations"
style="max-width: 100%"></picture></details>"""
display(HTML(page))
assert len(page) < 400_000  # bytes

# %% [markdown]
# For those who cannot see it move, and to compare: the same updates stopped after 0, 1, 3, 10, 30
# and 200 iterations, with the objective in the titles. The upper row is the model $WH$, the lower
# one $H$, each component divided by its maximum. Share 1 is the share of the energy of the model in
# the first layer of its SVD: while it is nearly one, the whole model is nearly a single layer.

# %%
counts = (0, 1, 3, 10, 30, 200)
film, W, H = [], W0, H0
for before, after in zip((0, *counts), counts, strict=False):
    W, H = multiplicative_updates(V, W, H, 1, after - before)
    film.append((W, H))


def kl(Y):
    """Kullback–Leibler divergence of Y from V."""
    return np.sum(V * np.log(V / Y) - V + Y)


losses = [kl(W @ H) for W, H in film]
figure, panels = plt.subplots(2, 6, figsize=(10.5, 3.4), sharex="row", sharey="row")
for rows, (W, H), count, loss in zip(panels.T, film, counts, losses, strict=True):
    above, below = rows
    spectrogram(above, W @ H, f"{count}: {loss:.0f}")
    s = np.linalg.svd(W @ H, compute_uv=False)
    share = s[0] ** 2 / (s**2).sum()
    print(f"after {count:3}: objective {loss:6.0f}, share 1 {share:.0%}")
    below.imshow(
        H / H.max(1, keepdims=True),
        aspect="auto",
        extent=(0, 3.2, 3.5, -0.5),
        interpolation="nearest",
    )
    below.set(xlabel="seconds", yticks=range(K))
    above.label_outer()
panels[1, 0].set_ylabel("component")
plt.show()
assert losses == sorted(losses, reverse=True)

# %% [markdown]
# The model can be heard as well, with the phases of the bar: after 1, 10 and 200 iterations. At
# first all notes sound whenever one does; then they part.

# %%
for index in (1, 3, 5):
    Y = film[index][0] @ film[index][1]
    play(stft.inverse(Y * Z / V, len(bar))[0], f"after {counts[index]}")
print(f"objective after 200 iterations: {losses[-1]:.0f}")
print(f"objective of the factors found above: {fit.losses[-1]:.0f}")
assert losses[-1] > 1.1 * fit.losses[-1]

beginnings = sorted({onset for starts in onsets.values() for onset in starts})
since = np.subtract.outer(stft.times(T), beginnings)
attack = ((since > -0.05) & (since < 0.15)).any(1)  # frames in which a note begins


def in_attacks(H):
    """Share of each row of activations that lies in frames in which a note begins."""
    return H[:, attack].sum(1) / H.sum(1)


print(f"frames with an attack: {attack.mean():.0%}")
print("share of the activations:", *(f"{x:.0%}" for x in in_attacks(film[-1][1])))
assert in_attacks(film[-1][1])[0] > 0.9

# %% [markdown]
# The objectives are a riddle: this run hardly moves any more, but ends higher than the factors
# found above. The last line shows a reason: component 0 was spent on the **attacks**, the first
# moments of all notes, and sounds hardly at any other time. Three components are left for four
# pitches. The section on local minima returns to it.

# %% [markdown]
# ## The family of β-divergences
#
# The objective decides what counts as a good fit. The cost of a model value $y$ where the data
# have the value 1:


# %%
def divergence(beta, x, y):
    """Cost of the model value y for the data value x."""
    return na.Beta(beta).value(np.full((1, 1), x), np.full((1, 1), y), None)


y = np.linspace(0.02, 4, 400)
figure, axes = plt.subplots(figsize=(5.5, 3))
for beta, style, name in (
    (0, "-", "Itakura–Saito"),
    (1, "--", "Kullback–Leibler"),
    (2, ":", "Frobenius"),
):
    cost = [divergence(beta, 1.0, value) for value in y]
    ten_times = divergence(beta, 10.0, 20.0)
    assert np.isclose(ten_times, 10**beta * divergence(beta, 1.0, 2.0))
    axes.plot(y, cost, style, lw=2, label=f"β = {beta}: {name}")
axes.set(xlabel="model $y$, data 1", ylabel="cost $d_\\beta(1 \\mid y)$", ylim=(0, 2.5))
axes.legend()
plt.show()

# %% [markdown]
# Frobenius punishes too much as it does too little; the smaller β, the more a model that is too
# *small* costs. More important is the scale:
# $d_\beta(c\,x \mid c\,y) = c^\beta d_\beta(x \mid y)$. With β = 2 an entry ten times as strong
# counts a hundred times as much, with β = 1 ten times, with β = 0 exactly as much. Sound has a
# wide range of strengths, so this matters. Below, the same bar is factorised under each β, eight
# starts each, and two measures follow: the score of the four notes, and the typical error of the
# model (median of $|V - WH| / V$) in the strongest 1 % of the entries and in the weakest half.

# %%
strong, weak = np.quantile(V, [0.99, 0.5])
fits = {
    b: na.nmf(V, K, beta_loss=b, init="random", solver="mu", n_init=8, tol=0, rng=0)
    for b in (0, 1, 2)
}
errors = {}
for beta, d in fits.items():
    error = np.abs(V - d.model()) / V
    errors[beta] = np.median(error[V >= strong]), np.median(error[V <= weak])
    scores = notes_of(d.W, d.H)[1]
    print(
        f"β = {beta}: notes {' '.join(f'{x:4.1f}' for x in scores)} dB, error "
        f"{errors[beta][0]:.0%} in strong entries, {errors[beta][1]:.0%} in weak ones"
    )
assert errors[2][0] < errors[1][0] < errors[0][0]
assert errors[2][1] > errors[1][1] > errors[0][1]

# %% [markdown]
# Strong entries are fitted best by β = 2, weak ones by β = 0, and β = 1 lies between. Listen to
# the models, above all to the ends of notes and to high partials: their entries are weak.

# %%
for beta, d in fits.items():
    play(stft.inverse(d.model() * Z / V, len(bar))[0], f"β = {beta}")

# %% [markdown]
# Which β separates best depends on the sound and on the start; β = 1 is the default of `na.nmf`.
# (β = 0 has a statistical meaning for *squared* magnitudes: Févotte, Bertin & Durrieu 2009,
# [doi:10.1162/neco.2008.04-08-771](https://doi.org/10.1162/neco.2008.04-08-771).)
#
# **Exercise.** The recording is turned down to half its volume. What happens to the objectives of
# β = 0, 1, 2 at the best fit, and what to $W$ and $H$?
#
# <details><summary>Solution</summary>
#
# $V$ is halved; halving $H$ gives the same relative fit. The objectives are multiplied by
# $c^\beta$ with $c = 1/2$: by 1, 1/2 and 1/4. So an objective says nothing without the scale of
# its data.
# </details>

# %% [markdown]
# ## Local minima, and several starts
#
# The KL objective is convex in $W$ for fixed $H$ and in $H$ for fixed $W$, not in both together.
# Finding the global minimum is NP-hard in general (Vavasis 2009,
# [doi:10.1137/070709967](https://doi.org/10.1137/070709967)). The updates walk downhill from
# where they start. Here are twenty starts with different random numbers:

# %%
settings = {"init": "random", "solver": "mu", "max_iter": 300, "tol": 0}
runs = [na.nmf(V, K, **settings, check_every=5, rng=seed) for seed in range(20)]
final = np.array([d.losses[-1] for d in runs])
spread = final.max() / final.min() - 1
best, worst = runs[final.argmin()], runs[final.argmax()]
print(f"the worst of 20 ends {spread:.0%} above the best")

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3), width_ratios=[1.6, 1])
for d in runs:
    left.loglog(1 + d.checks, d.losses, color="0.6", lw=0.8)
left.loglog(1 + best.checks, best.losses, "C0", lw=2, label="best")
left.loglog(1 + worst.checks, worst.losses, "C3--", lw=2, label="worst")
left.set(xlabel="1 + iteration", ylabel="objective $D_1$")
left.legend()
right.plot(np.sort(final / final.min()), "o-")
right.set(xlabel="run, sorted", ylabel="last objective / best", ylim=(0.98, None))
plt.show()
assert spread > 0.05

# %% [markdown]
# The runs end on a few plateaus, not everywhere: each plateau is a local minimum, or a place so
# flat that the updates hardly move. Patience does not help: the cell continues the worst run.
# What went wrong in the worst run can be seen and heard. Below, one of its components is spent on
# the attacks of all notes, as above, so that three are left for four pitches: A3 and C4 share one
# (its template has a peak for each). Listen to the component assigned to C4, from the best run
# and from the worst.

# %%
longer = na.nmf(V, W=worst.W, H=worst.H, solver="mu", max_iter=1500, tol=0)
print(f"worst run, 300 iterations: {final.max():.0f}")
print(f"worst run, 1800 iterations: {longer.losses[-1]:.0f}")
assert longer.losses[-1] > 1.1 * final.min()
assert in_attacks(worst.H).max() > 0.9
rows = [np.abs(stft.frequencies - hertz).argmin() for hertz in (220, 262)]
assert (worst.W / worst.W.max(0))[rows].min(0).max() > 0.5  # two peaks in one
picture(worst.W, worst.H, [f"component {k}" for k in range(K)])
plt.show()
for title, d in {"best": best, "worst": worst}.items():
    components, scores = notes_of(d.W, d.H)
    pairs = zip(names, scores, strict=True)
    print(f"{title}: " + ", ".join(f"{name} {x:.1f} dB" for name, x in pairs))
    play(signals(d.W, d.H)[components[1]], f"{title} run: C4")

# %% [markdown]
# What to do? Three answers, of which the first two are measured below:
#
# - **several starts** (`n_init=8`), of which the lowest objective wins. Their spread is in
#   `start_losses`;
# - a **clever start**: `init="nndsvdar"` from the SVD, `init="spa"` from the most dissimilar
#   frames. They give the same result each time; whether it is lower than that of the best random
#   start is luck;
# - **knowledge**: begin with, or fix, templates that are known (lecture 2).

# %%
many = na.nmf(V, K, init="random", solver="mu", n_init=8, max_iter=300, tol=0, rng=1)
print("objectives of eight starts:", *np.sort(many.start_losses).round())
starts = {"best of 8 random": many}
for init in ("nndsvdar", "spa"):
    starts[init] = na.nmf(V, K, init=init, solver="mu", max_iter=300, tol=0, rng=0)
for name, d in starts.items():
    scores = notes_of(d.W, d.H)[1]
    print(f"{name:16}: objective {d.losses[-1]:.0f}, mean score {scores.mean():.1f} dB")
assert many.losses[-1] == many.start_losses.min() < np.median(final)

# %% [markdown]
# ## Scale, permutation, uniqueness
#
# Even two runs that reach the *same* minimum print different numbers. For any positive diagonal
# matrix $D$ and any permutation matrix $P$,
#
# $$W H = (W D P)(P^{-1} D^{-1} H),$$
#
# so neither the **scale** of a template (only its product with the activation counts) nor the
# **order** of the components means anything. Take the best run and the runner-up:

# %%
from scipy.optimize import linear_sum_assignment


def cosines(A, B):
    """Cosine similarity of each column of A with each column of B."""
    return (A / np.linalg.norm(A, axis=0)).T @ (B / np.linalg.norm(B, axis=0))


second = runs[final.argsort()[1]]
order = linear_sum_assignment(-cosines(best.W, second.W))[1]
figure, panels = plt.subplots(1, 3, figsize=(9, 2.8))
for axes, other, title in (
    (panels[0], second.W, "best and second"),
    (panels[1], second.W[:, order], "the same, reordered"),
    (
        panels[2],
        worst.W[:, linear_sum_assignment(-cosines(best.W, worst.W))[1]],
        "best and worst",
    ),
):
    C = cosines(best.W, other)
    axes.imshow(C, vmin=0, vmax=1)
    for (i, j), value in np.ndenumerate(C):
        colour = "w" if value < 0.6 else "k"
        axes.text(j, i, f"{value:.2f}", ha="center", va="center", color=colour)
    axes.set(title=title, xticks=range(K), yticks=range(K))
panels[0].set_ylabel("template of the best run")
plt.show()

raw = np.linalg.norm(best.W - second.W) / np.linalg.norm(best.W)
unit = [d.W / d.W.sum(0) for d in (best, second)]
same = np.linalg.norm(unit[0] - unit[1][:, order]) / np.linalg.norm(unit[0])
print(f"relative difference of W: {raw:.0%}; after scaling and reordering: {same:.1%}")
assert same < 0.1 < raw

# %% [markdown]
# So **three reasons why two runs differ**: scale, order, and another local minimum. The first two
# are removed by conventions (`na.factorisation.normalise`, `na.factorisation.sort_components`);
# the third is not.
#
# There is a fourth, which belongs to the problem and not to the algorithm: even the *global*
# minimum need not be **unique**. For an invertible $Q$, $(WQ)(Q^{-1}H)$ is the same product; it
# is another valid factorisation if both factors happen to be non-negative. Take the matrix by
# hand, with $Q = \begin{pmatrix} 1 & a \\ b & 1 \end{pmatrix}$ (the diagonal is only scale), and
# look for all $(a, b)$ that are allowed. Then let both instruments make every tone and never
# pause: add one half to all entries of both factors.


# %%
def allowed(W, H, a, b):
    """Whether Q = [[1, a], [b, 1]] leaves both factors non-negative."""
    Q = np.array([[1, a], [b, 1]])
    return (W @ Q).min() >= -1e-12 and (np.linalg.inv(Q) @ H).min() >= -1e-12


hand = (
    np.array([[4.0, 0], [2, 1], [0, 3], [0, 1]]),
    np.array([[1.0, 0, 2, 1, 0], [0, 1, 1, 0, 2]]),
)
full = hand[0] + 0.5, hand[1] + 0.5
values = np.linspace(-0.4, 0.4, 81)
figure, panels = plt.subplots(1, 2, figsize=(7, 3), sharey=True)
counts_allowed = []
titles = ("with zeros", "without zeros")
for axes, (W, H), title in zip(panels, (hand, full), titles, strict=True):
    region = np.array([[allowed(W, H, a, b) for a in values] for b in values])
    counts_allowed.append(region.sum())
    axes.imshow(region, origin="lower", extent=(-0.4, 0.4, -0.4, 0.4), cmap="Blues")
    axes.plot(0, 0, "r+", ms=12)
    axes.set(title=f"{title}: {region.sum()} of {region.size} points", xlabel="a")
panels[0].set_ylabel("b")
plt.show()
assert counts_allowed[0] == 1 < counts_allowed[1]

# %% [markdown]
# With zeros only the identity (the red cross) remains: the factorisation is unique. Each
# instrument plays alone at some moment, and has a tone that the other lacks. Without them a whole
# region of factorisations fits perfectly, and no objective can choose among them. Two of them,
# heard as the first layer: the same sum, another "instrument". (On conditions for uniqueness see
# Huang, Sidiropoulos & Swami 2014,
# [doi:10.1109/TSP.2013.2285514](https://doi.org/10.1109/TSP.2013.2285514).)

# %%
W, H = full
play(tones(W @ H), "the sum")
for a, b in ((0.0, 0.0), (0.12, -0.12)):
    Q = np.array([[1, a], [b, 1]])
    assert allowed(W, H, a, b)
    first = np.outer((W @ Q)[:, 0], (np.linalg.inv(Q) @ H)[0])
    play(tones(first), f"first layer, a = {a}, b = {b}")

# %% [markdown]
# **Exercise.** Normalise the templates of `best` to sum to one without changing the product. What
# are the rows of $H$ multiplied by?
#
# <details><summary>Solution</summary>
#
# `scale = best.W.sum(0); W, H = best.W / scale, best.H * scale[:, None]`. Row $k$ of $H$ is
# multiplied by the sum of template $k$, and then has the unit of $V$: the total strength of the
# component in each frame.
# </details>

# %% [markdown]
# ## Beside PCA and k-means: faces
#
# Two older methods do something similar. k-means divides samples into $K$ clusters and replaces
# each sample by the mean of its cluster; principal component analysis (PCA) is the SVD of the data
# less their mean. All three write data as combinations of $K$ components, and differ in what they
# allow:
#
# | | components | coefficients |
# |---|---|---|
# | k-means | any | one per sample, equal to 1 |
# | NMF | non-negative | non-negative |
# | PCA | orthogonal, any sign | any sign |
#
# PCA allows all combinations of $K$ components (and subtracts the mean face first), so by Eckart
# and Young none of the others has a lower squared error. Lee and Seung showed in 1999 that on
# aligned faces NMF finds *parts*, k-means whole prototypes and PCA "eigenfaces". Here are 100
# small faces (25 × 25 pixels, scikit-image), each a column of $V$. With $K = 16$, the 625 numbers
# of a face become 16: a reduction of dimension.

# %%
from skimage.data import lfw_subset
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

images = lfw_subset().reshape(200, -1)  # 100 faces, then 100 patches of other things
faces = images[:100]
rank = 16


def models(seed):
    """The three methods, fitted to the faces (rows are samples in scikit-learn)."""
    return {
        "k-means": KMeans(rank, n_init=4, random_state=seed).fit(faces),
        "NMF": na.estimators.NMF(
            rank, beta_loss="frobenius", init="random", max_iter=500, random_state=seed
        ).fit(faces),
        "PCA": PCA(rank, random_state=seed).fit(faces),
    }


def components_of(model):
    return model.cluster_centers_ if isinstance(model, KMeans) else model.components_


def reconstruction(model):
    if isinstance(model, KMeans):
        return model.cluster_centers_[model.predict(faces)]
    return model.inverse_transform(model.transform(faces))


fitted = models(0)
figure, panels = plt.subplots(3, 10, figsize=(10, 3.2))
for row, (name, model) in zip(panels, fitted.items(), strict=True):
    signed = components_of(model).min() < 0
    for axes, image in zip(row, components_of(model), strict=False):
        limit = np.quantile(np.abs(image), 0.99)  # a few bright pixels hide the others
        low, colours = (-limit, "RdBu") if signed else (0, "gray")
        axes.imshow(image.reshape(25, 25), cmap=colours, vmin=low, vmax=limit)
    for axes, image in zip(row[-2:], (reconstruction(model)[0], faces[0]), strict=True):
        axes.imshow(image.reshape(25, 25), cmap="gray", vmin=0, vmax=1)
    row[0].set_ylabel(name)
for axes in panels.flat:
    axes.set(xticks=[], yticks=[])
panels[0, -2].set_title("rebuilt", fontsize=8)
panels[0, -1].set_title("a face", fontsize=8)
figure.suptitle(
    "eight of 16 components (red: negative), and a face rebuilt from all 16",
    fontsize=9,
)
plt.show()

# %% [markdown]
# Surveys of NMF set it beside such methods by what they constrain (for example Wang & Zhang 2013,
# [doi:10.1109/TKDE.2012.51](https://doi.org/10.1109/TKDE.2012.51)). Here is what the constraints
# lead to, in numbers:
#
# - **error**: of the reconstruction, relative to the data;
# - **negative**: share of the entries of components that are negative;
# - **sparsity** of components: Hoyer's measure, 0 for equal entries, 1 for a single one;
# - **local**: largest share of the energy of a component in a window of 8 × 8 pixels, a tenth of
#   the image;
# - **overlap**: mean absolute cosine of two components, 0 if they are orthogonal;
# - **used**: mean number of components that make up 90 % of a sample's coefficients;
# - **repeat**: mean cosine of the components of two seeds, after reordering;
# - **faces**: accuracy of telling faces from other patches by the coefficients (logistic
#   regression, five folds).


# %%
def measures(model, other):
    """Measures of a fitted model, and of its similarity to one with another seed."""
    C = components_of(model)
    unit = C / np.linalg.norm(C, axis=1, keepdims=True)
    overlap = np.abs(unit @ unit.T)[~np.eye(rank, dtype=bool)].mean()
    size = np.sqrt(C.shape[1])
    sparsity = ((size - np.abs(unit).sum(1)) / (size - 1)).mean()
    energy = (unit**2).reshape(rank, 25, 25)
    windows = np.lib.stride_tricks.sliding_window_view(energy, (8, 8), axis=(1, 2))
    likeness = np.abs(cosines(C.T, components_of(other).T))
    pairs = linear_sum_assignment(-likeness)
    used = 1.0
    if not isinstance(model, KMeans):
        amounts = -np.sort(-np.abs(model.transform(faces)) * np.linalg.norm(C, axis=1))
        below = amounts.cumsum(1) < 0.9 * amounts.sum(1, keepdims=True)
        used = 1 + below.sum(1).mean()
    codes = model.transform(images)
    return {
        "error": np.linalg.norm(faces - reconstruction(model)) / np.linalg.norm(faces),
        "negative": (C < 0).mean(),
        "sparsity": sparsity,
        "local": windows.sum((3, 4)).max((1, 2)).mean(),
        "overlap": overlap,
        "used": used,
        "repeat": likeness[pairs].mean(),
        "faces": cross_val_score(
            LogisticRegression(max_iter=5000),
            codes / codes.std(),
            np.arange(200) < 100,
            cv=5,
        ).mean(),
    }


others = models(1)
rows = {name: measures(model, others[name]) for name, model in fitted.items()}
print(" " * 8 + "".join(f"{column:>9}" for column in rows["NMF"]))
for name, row in rows.items():
    print(f"{name:8}" + "".join(f"{value:9.2f}" for value in row.values()))
assert rows["PCA"]["error"] < rows["NMF"]["error"] < rows["k-means"]["error"]
for measure in ("sparsity", "local"):
    assert rows["NMF"][measure] > max(rows["PCA"][measure], rows["k-means"][measure])

# %% [markdown]
# Read the table by columns. PCA has the lowest error, NMF a slightly higher one, k-means by far
# the highest, for it has one coefficient per face. Half of the entries of PCA's components are
# negative: a face is rebuilt by adding and cancelling. The components of NMF are the sparsest and
# most local, and a face uses fewer of them than of those of PCA; but on these tiny, loosely
# aligned faces "parts" is a tendency, not the clean eyes and noses of the paper. PCA repeats from
# seed to seed, NMF and k-means do not quite. As features for telling faces from other patches the
# three are close here.
#
# The same three on the bar of music, with four components each. A layer of PCA (here: of the SVD)
# has negative entries, so it is no spectrogram of anything; k-means lets one template sound at a
# time, so a chord becomes a template of its own. Layers are given the phases of the bar and
# scored as notes:

# %%
U, s, Vt = np.linalg.svd(V, full_matrices=False)
clusters = KMeans(K, n_init=4, random_state=0).fit(V.T)
factors = {
    "k-means": (clusters.cluster_centers_.T, np.eye(K)[clusters.labels_].T),
    "NMF": (fits[2].W, fits[2].H),
    "PCA": (U[:, :K] * s[:K], Vt[:K]),
}
means = {}
for name, (W, H) in factors.items():
    layers = W.T[:, :, None] * H[:, None, :]
    sounds = np.concatenate([stft.inverse(layer * Z / V, len(bar)) for layer in layers])
    chosen = na.metrics.best_assignment(parts, sounds)
    scores = map(na.metrics.si_sdr, parts, (sounds[k] for k in chosen))
    means[name] = np.mean(list(scores))
    error = np.linalg.norm(V - W @ H) / np.linalg.norm(V)
    play(
        sounds[chosen[2]],
        f"{name}: error {error:.2f}, notes {means[name]:.1f} dB on average. E4:",
    )
assert means["NMF"] > max(means["PCA"], means["k-means"])

# %% [markdown]
# ## What to keep
#
# - **W** (one column per component) holds templates: each column says *what* a component is made
#   of. In sound these are strengths of frequencies, in faces brightnesses of pixels. **H** (one row
#   per component) holds activations: each row says *where*, and how much of it, the component is
#   used. In sound these are strengths over time, in faces one number per face.
# - $V \approx WH = \sum_k w_k h_k^\top$ is a sum of layers of rank one that only add: nothing
#   cancels, so each layer can be looked at, or listened to, by itself.
# - **The updates** multiply by a ratio that is one where the model fits. Each goes to the minimum
#   of a majoriser, so the objective never rises.
# - **β** says which errors count: strong entries (2), in proportion (1), all ratios alike (0).
# - **Two runs differ** because they begin with different random numbers (with the same seed,
#   `rng=0`, they are equal). Three things can then be different:
#   1. the *order* of the components and their *scale*, which mean nothing: compare after
#      reordering and scaling;
#   2. the *local minimum* that the updates walk down to: then the objectives differ as well. Take
#      the lowest of several starts;
#   3. the factors themselves at one and the same objective, where data without zeros leave room
#      for another invertible $Q$: the answer is *not unique*, and no number of starts helps.
# - **Non-negativity** costs little error beside PCA.
#
# Lecture 2 goes on with sound: windows, masks, known notes, drums.
#
# **Exercise.** Two students run NMF on the same recording with K = 4. Anna's first template is
# Ben's third, and Ben's templates are ten times larger. Their objectives are 4962 and 5793. Whose
# result do you use, and which of the three differences matter?
#
# <details><summary>Solution</summary>
#
# The order (first, third) and the scale (ten times; the activations are then a tenth) mean
# nothing. The objectives do: they ended in different local minima. Take the lower one, after a
# few more starts. Compare templates only after scaling and reordering.
# </details>

# %% [markdown]
# ## References
#
# - D. D. Lee and H. S. Seung, "Learning the parts of objects by non-negative matrix
#   factorization", Nature 401, 1999, [doi:10.1038/44565](https://doi.org/10.1038/44565).
# - D. D. Lee and H. S. Seung, "Algorithms for non-negative matrix factorization", Advances in
#   Neural Information Processing Systems 13, 2001,
#   [papers.nips.cc/paper/1861](https://papers.nips.cc/paper/1861).
# - C. Févotte, N. Bertin and J.-L. Durrieu, "Nonnegative matrix factorization with the
#   Itakura-Saito divergence", Neural Computation 21(3), 2009,
#   [doi:10.1162/neco.2008.04-08-771](https://doi.org/10.1162/neco.2008.04-08-771).
# - S. A. Vavasis, "On the complexity of nonnegative matrix factorization", SIAM Journal on
#   Optimization 20(3), 2009, [doi:10.1137/070709967](https://doi.org/10.1137/070709967).
# - C. Févotte and J. Idier, "Algorithms for nonnegative matrix factorization with the
#   β-divergence", Neural Computation 23(9), 2011,
#   [doi:10.1162/NECO_a_00168](https://doi.org/10.1162/NECO_a_00168).
# - Y.-X. Wang and Y.-J. Zhang, "Nonnegative matrix factorization: a comprehensive review", IEEE
#   Transactions on Knowledge and Data Engineering 25(6), 2013,
#   [doi:10.1109/TKDE.2012.51](https://doi.org/10.1109/TKDE.2012.51): a survey.
# - K. Huang, N. D. Sidiropoulos and A. Swami, "Non-negative matrix factorization revisited:
#   uniqueness and algorithm for symmetric decomposition", IEEE Transactions on Signal Processing
#   62(1), 2014, [doi:10.1109/TSP.2013.2285514](https://doi.org/10.1109/TSP.2013.2285514).
# - J. Le Roux, S. Wisdom, H. Erdogan and J. R. Hershey, "SDR – half-baked or well done?", ICASSP
#   2019, [doi:10.1109/ICASSP.2019.8683855](https://doi.org/10.1109/ICASSP.2019.8683855).
# - F. Saberi-Movahed et al., "Nonnegative matrix factorization in dimensionality reduction: a
#   survey", 2024, [doi:10.48550/arXiv.2405.03615](https://doi.org/10.48550/arXiv.2405.03615).
