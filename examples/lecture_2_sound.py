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
# # Lecture 2: sound
#
# Lecture 1 factorised matrices of numbers. This one factorises recordings, so that you can *hear*
# a row of H, a bad mask and a good one. You need W, H and the multiplicative updates; you need
# nothing of audio.
#
# You will
#
# 1. turn a sound into a non-negative matrix V, and see what V leaves out;
# 2. choose its window, which trades pitch for time;
# 3. listen to single components and group them by ear;
# 4. turn a model into stems by masks, and hear their exponent;
# 5. climb a ladder of knowledge: random, harmonic, notes, score, score with onsets;
# 6. give components a course in time (NMFD), for drums;
# 7. ask four methods how many components there are;
# 8. separate by example;
# 9. separate by painting;
# 10. hear what NMF cannot do.
#
# A **source** is an instrument, a **stem** its signal by itself, the **mixture** the sum of the
# stems, and a **score** the notes as they are written. All recordings ship with the package, so
# all true stems are known and every result can be measured. Most claims about these recordings
# are checked by an `assert` in the cell above them. Six exercises have solutions to unfold.
#
# The cells need `pip install '.[notebook]'` in the checkout.

# %%
import io

import matplotlib.pyplot as plt
import numpy as np
import soundfile as sf
from IPython.display import HTML, Audio
from scipy.signal import find_peaks, resample_poly

import nmfaudio as na

plt.rcParams.update({"figure.dpi": 80, "font.size": 10})
SR = 22_050  # Hz: half the rate of the samples, enough for this lecture
si_sdr = na.metrics.si_sdr


def load(name, file=None, start=None, stop=None):
    """Read a sample, or a part of it in seconds, in mono at `SR` [shape=(sample,)]."""
    y = na.read(na.example(name, file), start=start, stop=stop).samples
    return resample_poly(y.mean(axis=0), 1, 2)


def listen(sounds, seconds=4.0):
    """Show a player for each sound of a dictionary, as MP3, all with the same gain."""
    sounds = {label: y[: round(seconds * SR)] for label, y in sounds.items()}
    gain = min(
        1, 0.95 / max(np.abs(y).max() for y in sounds.values())
    )  # none is clipped
    rows = ""
    for label, y in sounds.items():
        file = io.BytesIO()
        sf.write(file, gain * y, SR, format="MP3", compression_level=0.6)
        player = Audio(file.getvalue())
        player.mimetype = "audio/mpeg"
        rows += f"<tr><td>{label}</td><td>{player._repr_html_()}</td></tr>"
    return HTML(f"<table>{rows}</table>")


def draw(axes, V, stft, low_hz, high_hz, title=""):
    """Draw a spectrogram in dB below its peak, over a log axis unless `low_hz` is 0."""
    decibels = 20 * np.log10(np.maximum(V, 1e-9) / V.max())
    extent = (0, V.shape[1] * stft.hop_seconds, 0, SR / 2)
    shown = {"origin": "lower", "aspect": "auto", "cmap": "magma"}
    axes.imshow(decibels, extent=extent, vmin=-60, **shown)
    axes.set(xlabel="time (s)", ylabel="frequency (Hz)", title=title)
    if low_hz:
        axes.set_yscale("log")
        ticks = (50, 100, 200, 500, 1000, 2000, 5000)
        ticks = [hertz for hertz in ticks if hertz > low_hz]
        axes.set_yticks(ticks, [str(hertz) for hertz in ticks])
    axes.set_ylim(low_hz, high_hz)


# %% [markdown]
# ## 1. A sound is a matrix
#
# A recording is a long vector $y$: air pressure, here 22,050 times a second. Pitch does not show
# in it. So it is cut into overlapping frames of $N$ samples, the middle of each $S$ samples (the
# *hop*) after that of the one before; each frame is faded in and out by a window $w$, and expanded
# in sines and cosines. This is the short-time Fourier transform (STFT):
#
# $$Z_{ft} = \sum_{n=0}^{N-1} w_n \, y_{n + tS - N/2} \, e^{-2\pi i f n / N}, \qquad
# V_{ft} = |Z_{ft}| .$$
#
# Row $f$ belongs to the frequency $f \cdot 22050 / N$ Hz, column $t$ to the time $t S / 22050$ s.
# $Z$ is complex: its magnitudes V say how much of each frequency is in a frame, its phases where
# the waves begin. V is non-negative, and so a matrix for NMF. An entry of V is called a **bin**.
#
# The recording is the beginning of Schumann's "Träumerei".

# %%
piano = load("piano", stop=5.7)
stft = na.Stft(SR, n_fft=4096)  # frames of 186 ms; the hop is a quarter of it
Z = stft.forward(piano)
V = stft.features(Z)
print(f"{len(piano):,} samples became V: {V.shape[0]} frequencies, {V.shape[1]} frames")

back = stft.inverse(Z, len(piano))[0]
print(f"largest error of the inverse: {np.abs(back - piano).max():.0e}")
assert np.abs(back - piano).max() < 1e-5

listen({"recording": piano}, seconds=5.7)

# %% [markdown]
# ### V ≈ W H, seen
#
# The score of this excerpt has eleven pitches, so NMF gets eleven components, under the
# Kullback–Leibler divergence (β = 1). In the picture V is in the middle, W at its left, with the
# same frequencies, H below it, with the same times. Read column 0 of W together with row 0 of H:
# *this spectrum sounded at these times*.

# %%
score = na.read_notes(na.example("piano", "score.mid"))
score = [note for note in score if note.onset < 5.6]
pitches = sorted({round(note.pitch) for note in score})
assert len(pitches) == 11

d = na.nmf(V, len(pitches), init="nndsvdar", max_iter=300, rng=0)
order = np.argsort(stft.frequencies @ d.W / d.W.sum(axis=0))  # from dark to bright
W, H = d.W[:, order], d.H[order]
H = H * W.max(axis=0)[:, None]  # templates get the maximum 1; W H stays what it is
W = W / W.max(axis=0)

figure, panels = plt.subplot_mosaic(
    [["W", "V"], [".", "H"]],
    figsize=(10, 6),
    width_ratios=[1, 2],
    height_ratios=[2, 1],
    layout="constrained",
)
draw(panels["V"], V, stft, 0, 1500, "V: magnitudes, dB")
shown = {
    "origin": "lower",
    "aspect": "auto",
    "cmap": "magma",
    "interpolation": "nearest",
}
K, T = H.shape
panels["W"].imshow(np.sqrt(W), extent=(-0.5, K - 0.5, 0, SR / 2), **shown)
panels["W"].set(
    ylim=(0, 1500),
    xlabel="component",
    ylabel="frequency (Hz)",
    title="W",
    xticks=range(K),
)
panels["H"].imshow(np.sqrt(H), extent=(0, T * stft.hop_seconds, -0.5, K - 0.5), **shown)
panels["H"].set(xlabel="time (s)", ylabel="component", title="H", yticks=range(0, K, 2))
plt.show()

error = np.abs(V - W @ H).sum() / V.sum()
print(f"mean |V − WH|: {error:.0%} of the mean of V")
assert error < 0.3

breadth = (W > 0.1).sum(axis=0)  # frequencies above a tenth of the maximum
length = (H > 0.3 * H.max(axis=1, keepdims=True)).sum(axis=1) * stft.hop_seconds
narrow = breadth < np.median(breadth)
lengths = length[narrow].mean(), length[~narrow].mean()
print("narrow templates last {:.1f} s, broad ones {:.1f} s".format(*lengths))
assert lengths[0] > 1.3 * lengths[1]

# %% [markdown]
# Horizontal lines in V are the partials of notes (a lowest frequency, the *fundamental*, and its
# multiples), vertical ones their beginnings. NMF found both: narrow templates that last, and
# broader ones that last less long, among them the strokes of the hammers. But nothing in V says
# what a note is, and notes that always sound together become one component. Section 7 returns to
# this.
#
# ### What V leaves out
#
# WH is a matrix of magnitudes; a sound needs phases too. Three answers, to hear and to measure: the
# phases of the recording, no phases (all zero), and random ones. The measure is SI-SDR, the ratio
# in dB of the true sound $s$, scaled to fit best, to all the rest of the estimate $e$ ([Le Roux et
# al. 2019](https://doi.org/10.1109/ICASSP.2019.8683855)):
#
# $$\text{SI-SDR} = 10 \log_{10} \frac{\|a s\|^2}{\|e - a s\|^2}, \qquad
# a = \frac{\langle e, s \rangle}{\langle s, s \rangle} .$$
#
# 20 dB is a faithful copy, 10 dB is good with audible faults, 0 dB is as much wrong as right.

# %%
phases = {
    "phases of the recording": np.exp(1j * np.angle(Z)),
    "phases zero": np.ones_like(Z),
    "random phases": np.exp(2j * np.pi * np.random.default_rng(0).random(Z.shape)),
}
models = {
    name: stft.inverse((W @ H * phase).astype(np.complex64), len(piano))[0]
    for name, phase in phases.items()
}
scores = {name: si_sdr(piano, y) for name, y in models.items()}
for name, decibels in scores.items():
    print(f"{name:24} {decibels:6.1f} dB")
first, *others = scores.values()
assert first > 12
assert max(others) < 0

listen({f"WH with {name}": y for name, y in models.items()})

# %% [markdown]
# With the phases of the recording the model is close; without them it is another sound, although
# the magnitudes that were inverted are exactly WH. So all that follows **keeps the phases of the
# mixture** and divides its magnitudes among the sources.
#
# And NMF assumes that magnitudes *add*: the V of two instruments together is the sum of their Vs.
# Complex spectrograms do add, magnitudes only do where the phases agree; they nearly do where one
# of the two is much stronger. How wrong is it? The trio has oboe, guitar and bassoon, and their
# true stems:

# %%
SECONDS = 7
names = ("oboe", "guitar", "bassoon")
whole = {name: load("trio", f"sources/{name}.flac") for name in names}
trio = {name: y[: SECONDS * SR] for name, y in whole.items()}
mixture = sum(trio.values())


def magnitudes(y, transform=stft):
    """Compute the magnitudes of the spectrogram of a sound [shape=(freq, time)]."""
    return transform.features(transform.forward(y))


parts = [magnitudes(y) for y in trio.values()]
apart = np.abs(magnitudes(mixture) - sum(parts)).sum() / sum(parts).sum()
strongest = np.max(parts, axis=0).sum() / sum(parts).sum()
print(f"|V(mixture) − ΣV(source)| is {apart:.0%} of ΣV(source)")
print(f"the strongest source of each bin has {strongest:.0%} of ΣV(source)")
assert 0.1 < apart < 0.2
assert strongest > 0.75

listen({"trio": mixture, **trio})

# %% [markdown]
# The assumption is wrong by about a seventh. That it works at all has the second line as its
# reason: the strongest source of each bin has most of it. Sounds are sparse in time and frequency.
#
# **Exercise 1.** The powers $|Z|^2$ of independent sounds add on average. Does the sum of the
# powers fit the power of the mixture better than the sum of the magnitudes fits its magnitude?
#
# <details><summary>Solution</summary>
#
# ```python
# power = np.abs(magnitudes(mixture) ** 2 - sum(p**2 for p in parts)).sum()
# power /= sum((p**2).sum() for p in parts)
# print(f"powers {power:.0%}, magnitudes {apart:.0%}")
# assert abs(power - apart) < 0.05
# ```
#
# Hardly: 12 % against 14 %. The cross term $2|Z_1||Z_2|\cos\varphi$ is zero on average only, and
# in a single bin it can be as large as the powers. Both are in use: magnitudes with the
# Kullback–Leibler divergence, powers with that of Itakura and Saito, for which they are the right
# statistical model ([Févotte et al. 2009](https://doi.org/10.1162/neco.2008.04-08-771)).
#
# </details>

# %% [markdown]
# ## 2. The window: pitch or time
#
# A window of $N$ samples lasts $N / 22050$ seconds: what happens inside it is one column, so short
# windows are needed to see *when*. And a tone becomes a bump of a width of about
# $2 \cdot 22050 / N$ Hz (at half of its height, for the Hann window used here): two tones closer
# than this are one bump, so long windows are needed to see *which pitch*. One cannot have both:
#
# $$\Delta t \cdot \Delta f \approx \text{constant}.$$
#
# A test sound has two tones 20 Hz apart and two clicks 30 ms apart.

# %%
seconds = np.arange(round(1.2 * SR)) / SR
test = 0.1 * (np.sin(2 * np.pi * 440 * seconds) + np.sin(2 * np.pi * 460 * seconds))
test[[round(0.600 * SR), round(0.630 * SR)]] = 0.9


def half_width(curve, step):
    """Measure the width of the largest peak at half of its height."""
    peak = int(curve.argmax())
    left = peak - np.argmax(curve[peak::-1] < curve[peak] / 2)
    right = peak + np.argmax(curve[peak:] < curve[peak] / 2)
    return (right - left) * step


def count_peaks(curve):
    """Count the peaks of at least half of the height of the largest one."""
    top = curve.max()
    return len(find_peaks(curve, height=top / 2, prominence=top / 10)[0])


click, tone = np.zeros(SR), np.sin(2 * np.pi * 2000 * np.arange(SR) / SR)
click[SR // 2] = 1
figure, panels = plt.subplots(1, 3, figsize=(11, 3), layout="constrained", sharey=True)
products, seen = [], []
for axes, n_fft in zip(panels, (256, 1024, 4096), strict=True):
    window = na.Stft(SR, n_fft, hop=32)
    X = magnitudes(test, window)
    draw(axes, X, window, 0, 900, f"window {1000 * n_fft / SR:.0f} ms")
    around = slice(round(0.5 * SR / 32), round(0.73 * SR / 32))
    above = n_fft // 8  # rows above 2.8 kHz, where the tones are not
    seen.append(
        {
            "tones": count_peaks(X[:, round(0.45 * SR / 32)]),
            "clicks": count_peaks(np.square(X[above:, around]).mean(axis=0)),
        }
    )
    axes.set(xlim=(0.4, 0.8), ylabel="" if products else "frequency (Hz)")
    long = np.fft.rfft(np.hanning(n_fft) * tone[:n_fft], 2**17)  # finer than the bins
    hertz = half_width(np.abs(long), SR / 2**17)
    second = half_width(magnitudes(click, window)[n_fft // 8], 32 / SR)
    products.append(hertz * second)
    print(
        f"window {1000 * n_fft / SR:5.1f} ms: a tone is {hertz:5.1f} Hz wide, a click "
        f"{1000 * second:5.1f} ms long, product {products[-1]:.2f}"
    )
plt.show()
print("peaks seen:", *seen, sep="\n")
assert max(products) < 1.25 * min(products)
assert seen[0] == {"tones": 1, "clicks": 2}
assert seen[2] == {"tones": 2, "clicks": 1}

listen({"two tones, two clicks": test}, 1.2)

# %% [markdown]
# 12 ms show two clicks and one blurred tone that throbs, 186 ms show two tones and one blurred
# click. The product is the same for all windows, apart from the grid on which it is measured.
#
# Which window is best for separation? Ask the **ideal mask**: divide each bin of the mixture by
# the *true* powers of the sources (section 4 has the formula). It is the mask of a perfect model
# and so, in practice, a ceiling, which depends on the window: nothing in this lecture rises above
# it.

# %%
kit = ("kick", "snare", "hihat")
drums = {name: load("drums", f"sources/{name}.flac", stop=4.4) for name in kit}


def ideal(sources, transform):
    """Separate the sum of sources by masks of their true powers."""
    Z = transform.forward(sum(sources.values()))
    masks = na.soft_masks([magnitudes(y, transform) for y in sources.values()])
    length = len(next(iter(sources.values())))
    return {
        name: transform.inverse(mask * Z, length)[0]
        for name, mask in zip(sources, masks, strict=True)
    }


def mean_score(sources, estimates):
    """Compute the mean SI-SDR of the sources in dB."""
    return float(np.mean([si_sdr(y, estimates[name]) for name, y in sources.items()]))


sizes = (128, 256, 512, 1024, 2048, 4096, 8192, 16384)
ceilings = {
    label: [mean_score(sources, ideal(sources, na.Stft(SR, n))) for n in sizes]
    for label, sources in {"trio": trio, "drums": drums}.items()
}
milliseconds = [1000 * n / SR for n in sizes]
figure, axes = plt.subplots(figsize=(6, 3), layout="constrained")
best = {}
for (label, curve), marker in zip(ceilings.items(), "os", strict=True):
    axes.semilogx(milliseconds, curve, marker + "-", label=label)
    best[label] = milliseconds[int(np.argmax(curve))]
    print(f"{label}: best window {best[label]:.0f} ms, {max(curve):.1f} dB")
axes.set(xlabel="window (ms)", ylabel="ideal mask, SI-SDR (dB)", xticks=milliseconds)
axes.set_xticks(milliseconds, [f"{ms:.0f}" for ms in milliseconds])
axes.minorticks_off()
axes.grid(alpha=0.3)
axes.legend()
plt.show()
assert best["drums"] < 100 < best["trio"]
assert ceilings["trio"][5] - ceilings["trio"][0] > 4

listen(
    {
        "oboe, true": trio["oboe"],
        "oboe, ideal mask, window 6 ms": ideal(trio, na.Stft(SR, 128))["oboe"],
        "oboe, ideal mask, window 186 ms": ideal(trio, na.Stft(SR, 4096))["oboe"],
    }
)

# %% [markdown]
# These drums want short windows, these held notes long ones. With 6 ms even the ideal mask leaves
# the other two instruments in the oboe: the bins are too wide to hold only one of them. This is why
# `na.ScoreSeparator` uses windows of 186 ms and `na.DrumSeparator` of 46 ms.
#
# **Exercise 2.** A double bass plays A1 (55 Hz), another B♭1 (58.3 Hz). How long must the window
# be to show two tones? Which note lengths does this rule out?
#
# <details><summary>Solution</summary>
#
# ```python
# gap = 55 * (2 ** (1 / 12) - 1)
# print(f"{gap:.2f} Hz apart: 2 / gap = {2 / gap:.2f} s")
# assert 0.5 < 2 / gap < 0.7
# ```
#
# About 0.6 s, so that notes shorter than this are blurred into their neighbours. In the bass,
# other knowledge must help: the upper partials are $h$ times as far apart, and a score knows the
# pitch.
#
# </details>

# %% [markdown]
# ## 3. Hear one component, group by ear
#
# Component $k$ is the rank-one matrix $W_{\cdot k} H_{k \cdot}$. Its share of each bin of the
# model is a **mask**, a matrix of numbers between 0 and 1, and the mask times the mixture is a
# sound:
#
# $$M_k = \frac{W_{\cdot k} H_{k \cdot}}{\sum_j W_{\cdot j} H_{j \cdot}}, \qquad
# y_k = \text{STFT}^{-1}(M_k \odot Z).$$
#
# Here are six components of a drum groove. Listen to each of them, and write down which drum it
# is.

# %%
groove = sum(drums.values())
short = na.Stft(SR, n_fft=1024, hop=256)
Z = short.forward(groove)
V = short.features(Z)
d = na.nmf(V, 6, init="spa", max_iter=200, rng=0)


def render(parts, Z, transform, length, alpha=2.0):
    """Compute the sounds of parts of a model, by masks with exponent `alpha`."""
    masks = na.soft_masks(parts, alpha=alpha)
    return [transform.inverse(mask * Z, length)[0] for mask in masks]


components = render([d.component(k) for k in range(6)], Z, short, len(groove), alpha=1)
figure, panels = plt.subplots(1, 2, figsize=(11, 3.2), layout="constrained")
times = short.times(V.shape[1])
for k in range(6):
    panels[0].plot(short.frequencies, d.W[:, k] / d.W[:, k].max() + k, lw=0.8)
    panels[1].plot(times, d.H[k] / d.H[k].max() + k, lw=0.8)
panels[0].set(xscale="symlog", xlim=(30, SR / 2))
panels[0].set(xlabel="frequency (Hz)", ylabel="component")
panels[0].set_xticks([50, 100, 200, 500, 1000, 2000, 5000, 10000])
panels[0].set_xticklabels(["50", "100", "200", "500", "1k", "2k", "5k", "10k"])
panels[0].set_title("W: templates")
panels[1].set(xlabel="time (s)", title="H: activations")
plt.show()

numbered = {f"component {k}": y for k, y in enumerate(components)}
listen({"groove": groove} | numbered, 2.2)

# %% [markdown]
# Here is one answer. Replace it by yours, and run the cell. (The `assert` in it fails if a drum
# gains less than 5 dB.)

# %%
by_ear = {"kick": [0, 1, 4], "snare": [3], "hihat": [2, 5]}
stems = dict(
    zip(
        by_ear,
        render([d.part(group) for group in by_ear.values()], Z, short, len(groove)),
        strict=True,
    )
)
automatic = na.separate(groove, SR, n_sources=3)
sources = sorted(automatic.groups, key=lambda name: automatic.groups[name].centre_hz)
automatic = dict(zip(by_ear, [automatic[name][0] for name in sources], strict=True))
swapped = stems | {"snare": stems["hihat"], "hihat": stems["snare"]}

print(f"{'SI-SDR, dB':26}" + "".join(f"{name:>8}" for name in drums) + "    mean")
table = {
    "mixture": dict.fromkeys(drums, groove),
    "grouped by ear": stems,
    "snare and hi-hat swapped": swapped,
    "na.separate, 30 components": automatic,
    "ideal mask": ideal(drums, short),
}
for label, estimates in table.items():
    row = [si_sdr(y, estimates[name]) for name, y in drums.items()]
    print(f"{label:26}" + "".join(f"{x:8.1f}" for x in row) + f"{np.mean(row):8.1f}")
gains = [si_sdr(y, stems[name]) - si_sdr(y, groove) for name, y in drums.items()]
assert min(gains) > 5
assert np.abs(sum(stems.values()) - groove).max() < 1e-5

listen(stems, 2.2)

# %% [markdown]
# Each drum gained more than 5 dB over the mixture, with six components and a pair of ears. The
# stems sum to the mixture, since the masks of all groups sum to one.
#
# `na.separate` groups 30 components without ears, by how percussive they are and by pitch. The
# command line does the same, and `nmfaudio regroup` moves components from one stem to another.
# Grouping is the weak point of blind separation: the factorisation does not know what belongs
# together ([Virtanen 2007](https://doi.org/10.1109/TASL.2006.885253)).

# %% [markdown]
# ## 4. Masks: how greedy?
#
# With $Y_s$ the model of source $s$, the sum of its components, the mask of exponent $\alpha$ is
#
# $$M_s = \frac{Y_s^{\alpha}}{\sum_r Y_r^{\alpha}}, \qquad 0 \le M_s \le 1, \quad \sum_s M_s = 1 .$$
#
# $\alpha = 1$ divides magnitudes in proportion. $\alpha = 2$ divides powers: the **Wiener
# filter**, the estimate with the least expected squared error if sources are independent Gaussians
# of variance $Y_s^2$. $\alpha \to \infty$ gives each bin to the strongest source, a binary mask
# ([Liutkus and Badeau 2015](https://doi.org/10.1109/ICASSP.2015.7177973)).
#
# BSS-eval ([Vincent et al. 2006](https://doi.org/10.1109/TSA.2005.858005)) splits the error in
# two: SIR counts what leaked in from other sources, SAR what was bitten out of the sound itself.
# Both in dB, and higher is better.

# %%
alphas = (0.25, 0.5, 1, 2, 4, 8, 16)
groups = [d.part(group) for group in by_ear.values()]
by_alpha = {
    alpha: dict(zip(by_ear, render(groups, Z, short, len(groove), alpha), strict=True))
    for alpha in alphas
}
bss_eval = na.metrics.BssEval(np.stack([y[None] for y in drums.values()]))
curves = {"SIR: no leakage": [], "SAR: no artefacts": [], "SI-SDR: both": []}
hihat_sir = []
for estimates in by_alpha.values():
    ratios = bss_eval.scores(np.stack([y[None] for y in estimates.values()]))
    hihat_sir.append(ratios.sir[2])
    values = (ratios.sir.mean(), ratios.sar.mean(), mean_score(drums, estimates))
    for curve, value in zip(curves.values(), values, strict=True):
        curve.append(value)

figure, axes = plt.subplots(figsize=(6, 3), layout="constrained")
for (label, curve), style in zip(curves.items(), ("o--", "s:", "d-"), strict=True):
    axes.plot(alphas, curve, style, label=label)
axes.set_xscale("log", base=2)
axes.set_xticks(alphas, [f"{alpha:g}" for alpha in alphas])
axes.set(xlabel="mask exponent α", ylabel="mean of three drums (dB)")
axes.grid(alpha=0.3)
axes.legend()
plt.show()

sir, sar, both = curves.values()
best_alpha = alphas[int(np.argmax(both))]
print(f"best α by SI-SDR: {best_alpha}")
assert sir[0] + 3 < sir[1] < sir[2] - 2 < sir[3] - 2.5  # less leakage
assert sir[-1] < sir[3] + 1  # hardly less than at 2
assert hihat_sir[0] < 0 < hihat_sir[3]
assert sar[-1] < sar[3] - 0.5 < sar[1] - 1  # more artefacts
assert best_alpha in (1, 2)
assert abs(both[2] - both[3]) < 0.5

listen(
    {f"hi-hat, α = {alpha:g}": by_alpha[alpha]["hihat"] for alpha in (0.25, 1, 2, 16)},
    2.2,
)

# %% [markdown]
# The greedier the mask, the less leaks in and the more is bitten out. At α = 0.25 there is more of
# the other drums than of the hi-hat in its stem; at 16 holes are torn into the hi-hat, and hardly
# less leaks than at 2: a mask cannot be better than its model. In SI-SDR 1 and 2 are equal within
# half a decibel here, and at 2, the default `mask_power=2` for music, less leaks.
#
# **Exercise 3.** Masks with α = 2 of *groups* sum to one. Do the masks with α = 2 of single
# components, added within a group, give the mask of the group?
#
# <details><summary>Solution</summary>
#
# ```python
# single = na.soft_masks([d.component(k) for k in range(6)], alpha=2)
# added = sum(single[k] for k in by_ear["kick"])
# group = na.soft_masks(groups, alpha=2)[0]
# print(np.abs(added - group).max())
# assert np.abs(added - group).max() > 0.1
# ```
#
# No, since $a^2 + b^2 \ne (a + b)^2$. For α = 1 they do. So first sum the models of a group, then
# mask. This is why moving a component from one stem to another changes all stems a little.
#
# </details>

# %% [markdown]
# ### Preprocessing: what goes into V
#
# V need not be the magnitudes. Powers stress what is loud, square roots what is soft; dividing each
# row by its mean gives all frequencies the same say, whatever their level. The mask undoes the
# preparation, so that the stems sum to the mixture in any case. Twelve components of the groove,
# grouped by the true stems (each component goes to the drum with which it shares most energy), from
# two random starts:

# %%
truth = [magnitudes(y, short) ** 2 for y in drums.values()]
rows = V.mean(axis=1, keepdims=True)
preparations = {  # V, its power, and the factor that the model is multiplied by
    "magnitudes": (V, 1, 1),
    "square roots": (np.sqrt(V), 0.5, 1),
    "powers": (V**2, 2, 1),
    "rows divided by their means": (V / rows, 1, rows),
}
prepared, hihats = {}, {}
for label, (X, power, scale) in preparations.items():
    prepared[label] = []
    for seed in (0, 1):
        d = na.nmf(X, 12, init="random", max_iter=100, rng=seed)
        parts = [d.component(k) * scale for k in range(12)]
        shares = [[(m * p).sum() for p in truth] for m in na.soft_masks(parts)]
        owners = np.argmax(shares, axis=1)
        own = [
            sum((parts[k] for k in np.flatnonzero(owners == i)), np.full_like(V, 1e-9))
            for i in range(3)
        ]
        rendered = render(own, Z, short, len(groove), alpha=2 / power)
        estimates = dict(zip(drums, rendered, strict=True))
        prepared[label].append(mean_score(drums, estimates))
    hihats[f"hi-hat from {label}"] = estimates["hihat"]
    print(f"{label:28}", *(f"{x:5.1f}" for x in prepared[label]), "dB")
for label, values in prepared.items():
    assert label == "magnitudes" or max(values) < min(prepared["magnitudes"])

listen(hihats, 2.2)

# %% [markdown]
# For these drums, under the Kullback–Leibler divergence, magnitudes are best. With another
# divergence, or for another purpose (section 3 of lecture 3), another preparation can be; so it is
# worth a comparison like this one, and it must be undone before a sound is made.

# %% [markdown]
# ## 5. The ladder: what do you know?
#
# Multiplicative updates keep zeros: what is zero in the initial W or H stays zero. This turns
# knowledge into constraints ([Ewert and Müller 2012](https://doi.org/10.1109/ICASSP.2012.6287834),
# [Ewert et al. 2014](https://doi.org/10.1109/MSP.2013.2296076)). On the trio:
#
# | rung | known | W | H |
# |---|---|---|---|
# | random | nothing | random | random |
# | harmonic | pitches have partials at $h f_0$ | zero apart from these partials | free |
# | notes | the sound of the notes | learned elsewhere in the piece, fixed | free |
# | score | which note sounds when | zero apart from partials | zero outside the notes |
# | onsets | plucks begin with a noise | one more per guitar note, free | zero except at onsets |
#
# The first two rungs do not know who plays a component, so they go by register, the range of
# pitches that an instrument plays most. "Random" sorts its templates from dark to bright: bassoon,
# guitar, oboe. "Harmonic" knows its pitches: up to number 53 bassoon, from 67 on oboe, the guitar
# between. (Pitches are numbered by semitones, as in MIDI files: 69 is 440 Hz, and each semitone
# multiplies the frequency by $2^{1/12}$.) To tell bad components from bad grouping,
# both are also grouped *by the truth*: each component goes to the source with which it shares most
# energy.

# %%
Z = stft.forward(mixture)
V = stft.features(Z)
times = stft.times(V.shape[1])
trio_score = na.read_notes(na.example("trio", "score.mid"))
score = [note for note in trio_score if note.onset < SECONDS - 0.1]
sounds = sorted({(note.track, round(note.pitch)) for note in score})
print(f"{len(sounds)} sounds: pairs of instrument and pitch")
flat = V.mean()


def comb(pitch):
    """Template with the partials of a pitch, half a semitone wide on either side."""
    f, f0 = stft.frequencies, 440 * 2 ** ((pitch - 69) / 12)
    template = np.zeros(len(f))
    for h in range(1, int(f[-1] / f0) + 1):
        width = max(h * f0 * (2 ** (0.5 / 12) - 1), 2 * f[1])
        near = np.abs(f - h * f0) <= width
        template[near] = np.maximum(template[near], 1 / h)
    return template


def stems_of(d, owners, Z=Z):
    """Separate the trio by a model whose component k belongs to ``owners[k]``."""
    owned = [[k for k, owner in enumerate(owners) if owner == name] for name in names]
    parts = [d.part(group) for group in owned]
    return dict(zip(names, render(parts, Z, stft, len(mixture)), strict=True))


def true_owners(d):
    """Name the source of each component, with knowledge of the true sources."""
    truth = np.stack([magnitudes(y) for y in trio.values()]) ** 2
    model = np.maximum(d.model(), 1e-12)
    masks = [d.component(k) / model for k in range(d.n_components)]
    shares = [[(mask * power).sum() for power in truth] for mask in masks]
    return [names[int(np.argmax(share))] for share in shares]


ladder, by_truth = {}, {}

# %% [markdown]
# **Random**, four times, with one component for each sound:

# %%
upwards = ("bassoon", "guitar", "oboe")
counts = [sum(name == owner for owner, _ in sounds) for name in upwards]
random_scores, best_groupings = [], []
for seed in range(4):
    d = na.nmf(V, len(sounds), rng=seed)
    dark_to_bright = np.argsort(stft.frequencies @ d.W / d.W.sum(axis=0))
    register = np.empty(len(sounds), object)
    register[dark_to_bright] = np.repeat(upwards, counts)
    ladder.setdefault("random", stems_of(d, register))
    by_truth.setdefault("random", stems_of(d, true_owners(d)))
    random_scores.append(mean_score(trio, stems_of(d, register)))
    best_groupings.append(mean_score(trio, stems_of(d, true_owners(d))))
print("random, four starts: " + ", ".join(f"{x:.1f}" for x in random_scores) + " dB")
print("grouped by truth:    " + ", ".join(f"{x:.1f}" for x in best_groupings) + " dB")

# %% [markdown]
# **Harmonic**: a comb, a template that is zero apart from partials, for each semitone from the
# lowest pitch to the highest. H begins as the correlation of the combs with V.

# %%
keys = range(min(p for _, p in sounds), max(p for _, p in sounds) + 1)
combs = np.stack([comb(p) for p in keys], axis=1)
harmonic = na.nmf(V, W=combs, H=combs.T @ V / combs.sum(axis=0)[:, None], tol=0)
register = ["bassoon" if p <= 53 else "oboe" if p >= 67 else "guitar" for p in keys]
ladder["harmonic"] = stems_of(harmonic, register)
by_truth["harmonic"] = stems_of(harmonic, true_owners(harmonic))

# %% [markdown]
# **Notes**: templates learned from what each instrument plays in the rest of the piece, alone and
# with its score; they stay fixed. Not every pitch of the excerpt occurs there.


# %%
def learn_from_rest(start, stop):
    """Templates of notes outside of an excerpt, by instrument and pitch."""
    templates = {}
    for name in names:
        rest = np.delete(whole[name], slice(start * SR, stop * SR))
        cut = [
            na.Note(n.onset, min(n.offset, start), n.pitch)
            if n.onset < start
            else na.Note(n.onset + start - stop, n.offset + start - stop, n.pitch)
            for n in trio_score
            if n.track == name and not start - 0.1 <= n.onset < stop
        ]
        learned = na.dictionaries.learn_notes_from_recording(
            rest, cut, sr=SR, transform=stft, stages={}
        )
        for pitch, template in zip(learned.pitches, learned.templates.T, strict=True):
            templates[name, round(pitch)] = template
    return templates


learned = learn_from_rest(0, SECONDS)
notes = na.nmf(V, W=np.stack(list(learned.values()), axis=1), update_W=False, rng=0)
ladder["notes"] = stems_of(notes, [name for name, _ in learned])
unknown = set(sounds) - set(learned)
print(f"{len(unknown)} of {len(sounds)} sounds have no template:")
print(*(f"{name} {pitch}" for name, pitch in sorted(unknown)), sep=", ")
assert 0 < len(unknown) < len(sounds) / 2

# %% [markdown]
# **Score**: no examples, but the times of all notes, with a tolerance of 0.1 s at the beginning
# and 0.2 s at the end. **Onsets**: the same, and for each guitar pitch a second template without
# constraints, active for 0.1 s around the beginnings of its notes.


# %%
def supports(score, sounds):
    """Where each sound of a score sounds, and where it begins [shape=(sound, time)]."""
    sounding = np.zeros((len(sounds), len(times)), bool)
    beginning = sounding.copy()
    for note in score:
        k = sounds.index((note.track, round(note.pitch)))
        sounding[k] |= (times > note.onset - 0.1) & (times < note.offset + 0.2)
        beginning[k] |= np.abs(times - note.onset) <= 0.1
    return sounding, beginning


sounding, beginning = supports(score, sounds)
W0 = np.stack([comb(pitch) for _, pitch in sounds], axis=1)
owners = [name for name, _ in sounds]
by_score = na.nmf(V, W=W0, H=flat * sounding, max_iter=30, tol=0)
ladder["score"] = stems_of(by_score, owners)

plucked = np.array(owners) == "guitar"
W1 = np.hstack([W0, np.full((len(W0), plucked.sum()), 0.05)])
H1 = np.vstack([flat * sounding, flat * beginning[plucked]])
with_onsets = na.nmf(V, W=W1, H=H1, max_iter=30, tol=0)
ladder["onsets"] = stems_of(with_onsets, owners + ["guitar"] * int(plucked.sum()))

outside = ~np.vstack([sounding, beginning[plucked]])
assert not with_onsets.H[outside].any()  # zeros stayed zeros

# %% [markdown]
# The package's own `ScoreSeparator` stands on the same rung, and lets the pitch of each note move,
# to follow the vibrato of the oboe, a pitch that swings.

# %%
separator = na.ScoreSeparator(score=score, aligned=True, n_fft=4096)
stems = separator(mixture, SR)
ladder["na.ScoreSeparator"] = {name: stems[name][0] for name in names}
ladder["ideal mask"] = ideal(trio, stft)
ladder = {"mixture": dict.fromkeys(names, mixture)} | ladder

rungs = {
    label: [si_sdr(y, estimates[name]) for name, y in trio.items()]
    for label, estimates in ladder.items()
}
print(f"{'SI-SDR, dB':18}" + "".join(f"{name:>9}" for name in names) + "     mean")
for label, row in rungs.items():
    print(f"{label:18}" + "".join(f"{x:9.1f}" for x in row) + f"{np.mean(row):9.1f}")

figure, axes = plt.subplots(figsize=(9, 3.4), layout="constrained")
heights = [np.mean(row) for row in rungs.values()]
axes.bar(range(len(rungs)), heights, color="0.8", label="mean")
for i, height in enumerate(heights):
    axes.text(i, -14.5, f"{height:.1f}", ha="center")
for i, (name, marker) in enumerate(zip(names, "o^s", strict=True)):
    axes.plot([row[i] for row in rungs.values()], marker, label=name)
truth = {label: mean_score(trio, estimates) for label, estimates in by_truth.items()}
axes.plot([1, 2], list(truth.values()), "k*", ms=11, label="mean, grouped by the truth")
axes.set_xticks(range(len(rungs)), [label.replace(".", ".\n") for label in rungs])
axes.axhline(0, color="k", lw=0.5)
axes.set(ylabel="SI-SDR (dB)", ylim=(-16, 20))
axes.legend(ncols=5, loc="upper left", fontsize=8)
plt.show()
print("grouped by the truth: " + ", ".join(f"{k} {x:.1f} dB" for k, x in truth.items()))

mean = {label: np.mean(row) for label, row in rungs.items()}
assert np.mean(random_scores) < 0 < mean["harmonic"] < mean["notes"] < mean["score"] - 1
assert mean["score"] + 0.2 < mean["onsets"] < mean["na.ScoreSeparator"] - 0.5
assert mean["na.ScoreSeparator"] < mean["ideal mask"]
assert np.mean(best_groupings) + 3 < truth["harmonic"]
assert min(np.ptp(random_scores), np.ptp(best_groupings)) > 1

listen({f"guitar, {label}": estimates["guitar"] for label, estimates in ladder.items()})

# %% [markdown]
# On this excerpt the mean rises with each rung, and you hear it: the bassoon leaves the guitar. The
# picture shows more:
#
# - The stars: grouped by the truth, harmonic components are good already. The notes were
#   separated; it was only unknown who plays them.
# - Random starts differ by more than a decibel, even with the best grouping: local minima (lecture
#   1). Constraints leave less to chance; score and onsets have no random numbers at all.
#
# ### Is it always a ladder?
#
# Seven seconds are one sample. The same on five excerpts of the trio, with one rung more: **both**
# has the times of the score *and* the learned templates, with combs for sounds that have none.


# %%
def three_rungs(start):
    """Mean SI-SDR of three rungs on 7 s, and how many sounds have no template."""
    stop = start + SECONDS
    part = {name: y[start * SR : stop * SR] for name, y in whole.items()}
    Z = stft.forward(sum(part.values()))
    V = stft.features(Z)
    score = [
        na.Note(max(n.onset - start, 0), n.offset - start, n.pitch, track=n.track)
        for n in trio_score
        if n.offset > start + 0.1 and n.onset < stop - 0.1
    ]
    sounds = sorted({(note.track, round(note.pitch)) for note in score})
    sounding, _ = supports(score, sounds)
    learned = learn_from_rest(start, stop)
    fixed = na.nmf(V, W=np.stack(list(learned.values()), axis=1), update_W=False, rng=0)
    models = {"notes": (fixed, [name for name, _ in learned])}
    owners = [name for name, _ in sounds]
    W = np.stack([comb(pitch) for _, pitch in sounds], axis=1)
    d = na.nmf(V, W=W, H=V.mean() * sounding, max_iter=30, tol=0)
    models["score"] = d, owners
    known = zip(sounds, d.W.T, strict=True)
    W = np.stack([learned.get(sound, template) for sound, template in known], axis=1)
    d = na.nmf(V, W=W, H=V.mean() * sounding, update_W=False, max_iter=30, tol=0)
    models["both"] = d, owners
    scores = {k: mean_score(part, stems_of(*model, Z)) for k, model in models.items()}
    return scores | {"sounds without template": len(set(sounds) - set(learned))}


excerpts = {start: three_rungs(start) for start in (0, 2, 4, 6, 8)}
for start, row in excerpts.items():
    text = ", ".join(f"{key} {value:.3g}" for key, value in row.items())
    print(f"seconds {start} to {start + SECONDS}: {text}")
ahead = [row["notes"] - row["score"] for row in excerpts.values()]
lacking = [row["sounds without template"] for row in excerpts.values()]
relation = np.corrcoef(ahead, lacking)[0, 1]
print(
    f"correlation of (notes − score) with the sounds without template: {relation:.2f}"
)
order = [row["notes"] < row["score"] for row in excerpts.values()]
assert sum(order) == 3
assert relation < -0.5
for row in excerpts.values():
    assert row["both"] > max(row["notes"], row["score"])

# %% [markdown]
# No: *score* is above *notes* on three of the five excerpts and below on two. The two are not more
# and less of one knowledge but two kinds of it. *Notes* knows how a note sounds and not when,
# *score* knows when and, at first, not how. So the less of the excerpt's notes the rest of the
# piece has taught, the more the score is ahead, and where few are lacking, it falls behind. What
# holds on all five excerpts: both kinds together are better than either.
#
# The next picture shows the constraints of the score: a template before and after the fit, and the
# entries of H that may be positive, in black.

# %%
figure, panels = plt.subplots(
    1, 3, figsize=(11, 4.2), layout="constrained", width_ratios=[1.3, 1, 1]
)
k = sounds.index(("guitar", 62))
learned = by_score.W[:, k] / by_score.W[:, k].max()
panels[0].plot(stft.frequencies, W0[:, k], label="initial", lw=0.8)
panels[0].plot(stft.frequencies, learned, "--", label="learned", lw=1)
panels[0].set(xlabel="frequency (Hz)", ylabel="magnitude")
panels[0].set(xlim=(0, 2500), title="W: guitar, D4")
panels[0].legend()
extent = (0, times[-1], -0.5, len(sounds) - 0.5)
supports = {"H: notes of the score": sounding, "H: onsets": beginning}
for axes, (title, support) in zip(panels[1:], supports.items(), strict=True):
    axes.imshow(support, extent=extent, **(shown | {"cmap": "Greys"}))
    axes.set(xlabel="time (s)", title=title, yticks=[])
labels = [f"{name} {pitch}" for name, pitch in sounds]
panels[1].set_yticks(range(len(sounds)), labels, fontsize=8)
plt.show()

# %% [markdown]
# **Exercise 4.** Give onset templates to all three instruments. Does it help?
#
# <details><summary>Solution</summary>
#
# ```python
# W2 = np.hstack([W0, np.full_like(W0, 0.05)])
# H2 = flat * np.vstack([sounding, beginning])
# everyone = stems_of(na.nmf(V, W=W2, H=H2, max_iter=30, tol=0), owners[: len(sounds)] * 2)
# print(f"{mean_score(trio, everyone):.1f} dB, guitar only {mean['onsets']:.1f} dB")
# assert mean_score(trio, everyone) < mean["onsets"] - 0.5
# ```
#
# It costs two decibels. Oboe and bassoon begin softly, so their onset templates have nothing of
# their own to learn; being unconstrained, they learn what the other instruments play at the same
# time. A constraint that is too weak is a hole.
#
# </details>

# %% [markdown]
# ## 6. Drums: components with a course in time (NMFD)
#
# A drum hit is not one spectrum that becomes quieter: a snare begins with its skin and goes on
# with its wires. A template of several frames, $W_{\tau}$ for the lags
# $\tau = 0, 1, \ldots, L - 1$, can say so:
#
# $$V_{ft} \approx \sum_{k} \sum_{\tau=0}^{L-1} W_{\tau f k} \, H_{k, t - \tau} .$$
#
# This is non-negative matrix factor deconvolution
# ([Smaragdis 2004](https://doi.org/10.1007/978-3-540-30110-3_63)): H says when a hit *begins*, W
# is the short spectrogram that follows. Three components for three drums, once with one frame and
# once with eight:

# %%
LAGS = 8
hits = na.Stft(SR, n_fft=1024, hop=512)


def with_and_without_lags(V):
    """NMF and NMFD with three components, the one with the lowest template first."""
    plain = na.nmf(V, 3, init="spa", max_iter=100, tol=0, rng=0)
    order = np.argsort(hits.frequencies @ plain.W / plain.W.sum(axis=0))
    W, H = plain.W[:, order], plain.H[order]
    plain = na.nmf(V, W=W, H=H, max_iter=0)
    lagged = np.repeat(W[None], LAGS, axis=0) * 0.8 ** np.arange(LAGS)[:, None, None]
    factors = [na.Factor(lagged), na.Factor(H)]
    structure = na.structures.Convolutive()
    return plain, na.decompose(V, factors, structure=structure, max_iter=100, tol=0)


Z = hits.forward(groove)
V = hits.features(Z)
plain, convolutive = with_and_without_lags(V)

figure, panels = plt.subplots(1, 3, figsize=(11, 3), layout="constrained", sharey=True)
for axes, k, name in zip(panels, range(3), drums, strict=True):
    hit = convolutive.W[:, :, k].T  # (freq, lag)
    draw(axes, hit, hits, 40, SR / 2, name)
    ticks = np.arange(0, LAGS + 1, 2) * hits.hop_seconds
    axes.set_xticks(ticks, [f"{1000 * tick:.0f}" for tick in ticks])
    axes.set(xlabel="time after the onset (ms)")
panels[1].set_ylabel("")
panels[2].set_ylabel("")
plt.show()

kit = na.DrumSeparator()(groove, SR)
systems = {
    "NMF, 3 components": [plain.component(k) for k in range(3)],
    "NMFD, 3 components": [convolutive.component(k) for k in range(3)],
}
systems = {
    label: dict(zip(drums, render(parts, Z, hits, len(groove)), strict=True))
    for label, parts in systems.items()
}
systems["na.DrumSeparator"] = {name: kit[name][0] for name in drums}
systems["ideal mask"] = ideal(drums, hits)
means = {label: mean_score(drums, estimates) for label, estimates in systems.items()}
for label, estimates in systems.items():
    row = [f"{name} {si_sdr(y, estimates[name]):5.1f}" for name, y in drums.items()]
    print(f"{label:20}", *row, f"mean {means[label]:5.1f} dB", sep="   ")


def frames_of(H, share=0.8):
    """Measure the share of frames that hold a share of the energy of activations."""
    energy = np.sort(np.square(H), axis=1)[:, ::-1].cumsum(axis=1)
    frames = [np.argmax(row > share * row[-1]) + 1 for row in energy]
    return float(np.mean(frames) / H.shape[1])


snare = np.square(convolutive.W[:, :, 1])
centres = snare @ hits.frequencies / snare.sum(axis=1)
print(
    "mean frequency of the snare, frame by frame:",
    *(f"{hertz:.0f}" for hertz in centres),
    "Hz",
)
assert centres[2] > 2 * centres[0]
assert centres[2] > 2 * centres[-1]

concentration = frames_of(plain.H), frames_of(convolutive.H)
shares = "NMF {:.1%} of the frames, NMFD {:.1%}".format(*concentration)
print(f"80 % of the energy of H is in: {shares}")

later = {name: load("drums", f"sources/{name}.flac", start=3.9) for name in drums}
length = len(later["kick"])
X = hits.forward(sum(later.values()))
again = []
for d in with_and_without_lags(hits.features(X)):
    rendered = render([d.component(k) for k in range(3)], X, hits, length)
    again.append(mean_score(later, dict(zip(drums, rendered, strict=True))))
print("the other half of the groove: NMF {:.1f}, NMFD {:.1f} dB".format(*again))
assert again[0] + 0.5 < again[1]
first, second, third, fourth = means.values()
assert first + 0.5 < second < third - 1 < fourth - 2
assert convolutive.losses[-1] < 0.8 * plain.losses[-1]
assert concentration[1] < 0.8 * concentration[0]

listen({f"snare, {label}": stems["snare"] for label, stems in systems.items()}, 2.2)

# %% [markdown]
# The snare is dark, then bright, then dark again; one spectrum cannot say that, and on both halves
# of the groove NMFD separates better than NMF with as many components. H becomes a row of
# spikes, which is nearly a drum transcription (`na.DrumTranscriber`). The package's `DrumSeparator`
# adds templates of drum kits to begin with, and four templates for each drum, as no two hits are
# equal ([Dittmar and Müller 2016](https://doi.org/10.1109/TASLP.2016.2567645)).
#
# **Exercise 5.** What does NMFD with a single lag compute?
#
# <details><summary>Solution</summary>
#
# ```python
# one = na.decompose(
#     V, [na.Factor(plain.W[None]), na.Factor(plain.H)],
#     structure=na.structures.Convolutive(), max_iter=0,
# )
# assert np.allclose(one.model(), plain.model(), rtol=1e-4, atol=1e-4 * V.max())
# ```
#
# Plain NMF: with $L = 1$ only $\tau = 0$ is left in the sum.
#
# </details>

# %% [markdown]
# ## 7. How many components?
#
# Four methods of `na.rank_selection.select_rank` answer:
#
# - **cv**, cross-validation, hides bins and asks which rank predicts them best (as for PCA,
#   [Wold 1978](https://doi.org/10.1080/00401706.1978.10489693));
# - **ard**, automatic relevance determination, fits many components under a penalty that removes
#   those not needed ([Tan and Févotte 2013](https://doi.org/10.1109/TPAMI.2012.240));
# - **error**: the bend of the error curve
#   ([Satopää et al. 2011](https://doi.org/10.1109/ICDCSW.2011.20));
# - **stability**: the largest rank for which random starts agree which frames belong together
#   ([Brunet et al. 2004](https://doi.org/10.1073/pnas.0308531101)).
#
# First on counts whose rank is planted, 4, drawn four times; then on the piano of section 1, up to
# 1 kHz.

# %%
methods = {
    "cv": {"folds": 3, "max_iter": 100},
    "ard": {"max_iter": 1000},
    "error": {"n_init": 1, "max_iter": 200},
    "stability": {"n_init": 8, "max_iter": 60},
}


def planted(seed):
    """Counts whose means have rank 4."""
    rng = np.random.default_rng(seed)
    means = rng.gamma(0.5, 20, (30, 4)) @ rng.gamma(0.5, 2, (4, 60))
    return rng.poisson(means).astype(float)


def select(X, ranks, method, **extra):
    """Rank that a method selects, with its scores."""
    settings = methods[method] | extra
    return na.rank_selection.select_rank(X, ranks, method=method, rng=0, **settings)


coarse = na.Stft(SR, n_fft=4096, hop=2048)
V = magnitudes(piano, coarse)[coarse.frequencies < 1000]
pairs = {"block": (1, 2)}  # neighbouring frames are alike: hide both
figure, panels = plt.subplots(2, 4, figsize=(11, 5), layout="constrained")
found = {"planted": {}, "piano": {}}
for column, method in zip(panels.T, methods, strict=True):
    draws = [select(planted(seed), range(1, 8), method) for seed in range(9, 13)]
    extra = pairs if method == "cv" else {}
    own = select(V, (2, 4, 6, 8, 10, 12, 14, 16), method, **extra)
    found["planted"][method] = [selection.best for selection in draws]
    found["piano"][method] = own.best
    for axes, selection, case in zip(column, (draws[0], own), found, strict=True):
        ranks = selection.ranks
        values = [max(value, 1e-3) for value in selection.scores.values()]
        axes.plot(ranks, values, ".-")
        best = ranks.index(selection.best)
        axes.plot(ranks[best], values[best], "o", ms=9, mfc="none")
        if method != "stability":
            axes.set_yscale("log")
        axes.tick_params(axis="y", which="minor", labelleft=False)
        axes.set(xlabel="components", xticks=ranks[::2])
        axes.set_title(f"{case}, {method}: {selection.best}")
        axes.set_ylabel(selection.meaning.split(";")[0], fontsize=7.5)
plt.show()
for method in methods:
    draws, own = found["planted"][method], found["piano"][method]
    print(f"{method:9} planted rank 4: {draws}; piano: {own}")
for method in ("cv", "ard", "error"):
    assert found["planted"][method] == [4, 4, 4, 4]
assert set(found["planted"]["stability"]) == {4, 5}
assert max(found["piano"].values()) > 1.5 * min(found["piano"].values())
assert found["piano"]["stability"] >= 14

# %% [markdown]
# On planted data three of the methods find the rank in each draw; stability finds it in some and
# answers 5 in others. On the piano they disagree by far more, and some answer with nearly as many
# components as they are offered, which is no answer. Nor is there a right one: a recording is not a
# product plus noise. A note changes its spectrum while it decays and asks for a second component;
# two notes that always sound together ask for only one. In this excerpt the score has such pairs:

# %%
grid = np.arange(0, 5.7, 0.1)
excerpt = [n for n in na.read_notes(na.example("piano", "score.mid")) if n.onset < 5.6]
roll = np.zeros((len(pitches), len(grid)), bool)
for n in excerpt:
    roll[pitches.index(round(n.pitch))] |= (grid > n.onset) & (grid < n.offset)
twins = [
    (pitches[i], pitches[j])
    for i in range(11)
    for j in range(i)
    if np.array_equal(roll[i], roll[j])
]
print(f"pitches that always sound together: {twins}")
print(f"{len(pitches)} pitches, but {len(np.unique(roll, axis=0))} different rows")
assert twins == [(64, 48), (69, 53), (77, 46)]
assert len(np.unique(roll, axis=0)) == 8

Z = stft.forward(piano)
strongest, share = {}, {}
for rank in (3, 8, 40):
    d = na.nmf(stft.features(Z), rank, init="nndsvdar", rng=0)
    energy = np.square(d.W).sum(axis=0) * np.square(d.H).sum(axis=1)
    k = int(np.argmax(energy))
    levels = d.W.sum(axis=0)[:, None] * d.H
    levels /= levels.sum(axis=0)  # share of each component in each frame
    share[rank] = np.average(levels[k], weights=d.H[k])
    parts = [d.component(k), d.model() - d.component(k)]
    parts = [np.maximum(part, 0) for part in parts]
    sound = render(parts, Z, stft, len(piano), alpha=1)[0]
    strongest[f"strongest of {rank} components"] = sound
    print(f"strongest of {rank}: {share[rank]:.0%} of the model at its times")
assert share[40] < 0.5 < share[8] < share[3]

listen(strongest, 5.7)

# %% [markdown]
# Pitches 46 and 77 begin together at the end and occur nowhere else, so plain NMF has little to
# tell them apart by: their rows of H would differ only in how fast the notes die away. Eleven
# pitches have eight different rows. What a rank means can be heard: the strongest of 3 components
# holds most of the sound at its times, and several notes; the strongest of 40 makes less than half
# of the sound at its times.

# %% [markdown]
# ## 8. By example
#
# If each source can be recorded alone, elsewhere in the song, its templates are known and only H
# is left to fit ([Smaragdis et al. 2007](https://doi.org/10.1007/978-3-540-74494-8_52)):
#
# $$\min_{H \ge 0} D_\beta\bigl(V \mid [W_{\text{oboe}} \; W_{\text{guitar}} \; W_{\text{bassoon}}]
# \, H\bigr) .$$
#
# `GuidedSeparator` takes short pieces of the examples themselves as templates. The examples here
# are seconds 7 to 15 of the trio, or less of it; the mixture is seconds 0 to 7.

# %%
lengths = (1, 2, 4, 8)
guided = {}
for seconds in lengths:
    excerpt = slice(SECONDS * SR, (SECONDS + seconds) * SR)
    example = {name: y[excerpt] for name, y in whole.items()}
    stems = na.GuidedSeparator(example=example, n_fft=4096, max_iter=40)(mixture, SR)
    guided[seconds] = {name: stems[name][0] for name in names}
another = load("band", "sources/keys.flac", stop=8.0)
example["guitar"] = another
stems = na.GuidedSeparator(example=example, n_fft=4096, max_iter=40)(mixture, SR)
wrong = {name: stems[name][0] for name in names}

curve = [mean_score(trio, estimates) for estimates in guided.values()]
covered = []  # share of the mixture's sounds that begin in the examples
for seconds in lengths:
    played = {
        (note.track, round(note.pitch))
        for note in trio_score
        if SECONDS <= note.onset < SECONDS + seconds - 0.1
    }
    covered.append(len(played & set(sounds)) / len(sounds))
figure, axes = plt.subplots(figsize=(6, 3), layout="constrained")
axes.plot(lengths, curve, "o-", label="examples of the three instruments")
axes.plot(
    8,
    mean_score(trio, wrong),
    "x",
    ms=9,
    mew=2,
    label="electric piano instead of guitar",
)
axes.axhline(mean["mixture"], color="k", ls=":", label="mixture")
axes.axhline(mean["ideal mask"], color="k", ls="--", label="ideal mask")
axes.set(xlabel="length of each example (s)", ylabel="mean SI-SDR (dB)", xticks=lengths)
axes.legend(fontsize=8, loc=(0.33, 0.12))
plt.show()
for seconds, x, share in zip(lengths, curve, covered, strict=True):
    print(f"examples of {seconds} s: mean SI-SDR {x:.1f} dB, {share:.0%} of the sounds")
print(f"with the example of another instrument {mean_score(trio, wrong):.1f} dB")
assert (np.diff(curve) > 0.1).all()
assert (np.diff(covered) >= 0).all()
assert curve[0] > mean["mixture"] + 2
assert mean_score(trio, wrong) < curve[-1] - 2

listen(
    {
        "oboe, examples of 1 s": guided[1]["oboe"],
        "oboe, examples of 8 s": guided[8]["oboe"],
    }
    | {
        "guitar, examples of 8 s": guided[8]["guitar"],
        "guitar, example of keys": wrong["guitar"],
    }
)

# %% [markdown]
# A longer example is better here; it has more of the sounds that occur in the mixture. And it must
# be of *this* instrument: an electric piano in place of the guitar costs more than 2 dB.

# %% [markdown]
# ## 9. Paint
#
# No example, no score, but eyes: in a box of time and frequency only one source is seen. Inside
# the boxes of another source, the model of a source is multiplied by $1 - \text{weight}$, so a bin
# of weight 1 belongs to its painter alone; elsewhere the components decide
# ([Bryan et al. 2014](https://doi.org/10.1145/2556288.2557253)).


# %%
def box(source, start, end, low, high):
    """Box in seconds and Hz, as `na.PaintSeparator` takes it."""
    return {"source": source, "start": start, "end": end, "low": low, "high": high}


boxes = [
    box("oboe", 0, 7, 750, 5000),
    box("guitar", 0, 7, 190, 330),
    box("bassoon", 0, 7, 340, 560),
]
careless = [
    box("oboe", 2.4, 3.1, 0, 11_000),
    box("guitar", 0.25, 0.34, 0, 11_000),
    box("bassoon", 3.9, 4.4, 0, 11_000),
]
painted = {}
for label, chosen in {"three boxes": boxes, "three moments": careless}.items():
    stems = na.PaintSeparator(boxes=chosen, n_components=20, n_fft=2048)(mixture, SR)
    painted[label] = {name: stems[name][0] for name in names}
    print(f"{label}: mean SI-SDR {mean_score(trio, painted[label]):.1f} dB")
print(f"mixture: {mean['mixture']:.1f} dB")

figure, axes = plt.subplots(figsize=(9, 3.6), layout="constrained")
draw(axes, magnitudes(mixture), stft, 60, 8000)
colors = {"oboe": "cyan", "guitar": "lime", "bassoon": "white"}
for b in boxes:
    color, corner = colors[b["source"]], (b["start"], b["low"])
    size = b["end"] - b["start"] - 0.04, b["high"] - b["low"]
    axes.add_patch(plt.Rectangle(corner, *size, fill=False, ec=color, lw=2))
    label = {"color": color, "va": "top", "weight": "bold"}
    label["bbox"] = {"facecolor": "black", "alpha": 0.7, "lw": 0, "pad": 1}
    axes.text(b["start"] + 0.1, b["high"] * 0.93, b["source"], **label)
plt.show()

stems = painted["three boxes"]
gains = [si_sdr(y, stems[name]) - si_sdr(y, mixture) for name, y in trio.items()]
assert min(gains) > 3
assert mean_score(trio, painted["three moments"]) < mean["mixture"]

listen(stems | {"oboe, painted by moments": painted["three moments"]["oboe"]})

# %% [markdown]
# Three boxes gain more than 3 dB for each instrument. Three others, of all frequencies at moments
# where an instrument is loud, lose against the mixture itself: the other two sound in them as
# well. Paint where a source is *alone*. In practice one listens, paints over the errors and runs
# it again (`resume=` continues from the model of the run before).
#
# **Exercise 6.** The notes of the bassoon have fundamentals from 98 to 196 Hz. Why is its box at
# 340 to 560 Hz?
#
# <details><summary>Solution</summary>
#
# ```python
# energies = [magnitudes(y) ** 2 for y in trio.values()]
# for low, high in ((60, 200), (340, 560)):
#     band = (stft.frequencies >= low) & (stft.frequencies < high)
#     shares = np.array([energy[band].sum() for energy in energies])
#     shares /= shares.sum()
#     print(low, high, dict(zip(names, shares.round(2), strict=True)))
#     assert (shares[2] > 0.5) == (low == 340)
# ```
#
# Below 200 Hz most of the energy is the guitar's. A bassoon has weak fundamentals and a strong
# formant, a resonance near 500 Hz. Look, listen, then paint; theory alone would have painted the
# guitar.
#
# </details>

# %% [markdown]
# ## 10. What it cannot do
#
# **Blind separation of instruments that share pitches and rhythm.** `na.separate` finds drums and
# pitch ranges. The bass and the electric piano of this band play together most of the time, and
# the partials of the bass lie among the notes of the piano. Each source is compared with the stem
# that fits it best, and with the result for examples of 8 s:

# %%
players = ("drums", "bass", "keys")
band_whole = {name: load("band", f"sources/{name}.flac", stop=15) for name in players}
band = {name: y[: 7 * SR] for name, y in band_whole.items()}
song = sum(band.values())
notes = [n for n in na.read_notes(na.example("band", "score.mid")) if n.onset < 7]
bass = [note.onset for note in notes if note.track == "bass"]
keys = [note.onset for note in notes if note.track == "keys"]
together = np.mean([np.abs(np.array(bass) - onset).min() < 0.05 for onset in keys])
print(f"{together:.0%} of the notes of the keys begin with a note of the bass")
assert together > 0.7

stems = na.separate(song, SR, n_sources=3)
blind = {
    name: max((stem[0] for stem in stems.values()), key=lambda e, y=y: si_sdr(y, e))
    for name, y in band.items()
}
examples = {name: y[7 * SR :] for name, y in band_whole.items()}
stems = na.GuidedSeparator(example=examples, n_fft=4096, max_iter=40)(song, SR)
band_guided = {name: stems[name][0] for name in band}
for name, y in band.items():
    print(
        f"{name:6} mixture {si_sdr(y, song):5.1f}, "
        f"blind {si_sdr(y, blind[name]):5.1f}, "
        f"with examples {si_sdr(y, band_guided[name]):5.1f} dB"
    )
assert si_sdr(band["keys"], blind["keys"]) < 0
assert mean_score(band, blind) + 3 < mean_score(band, band_guided)

listen(
    {
        "band": song,
        "keys, true": band["keys"],
        "keys, blind": blind["keys"],
        "keys, with examples": band_guided["keys"],
    }
)

# %% [markdown]
# **Two of the same.** Mix two parts of the same guitar, and give an example of each. Both have the
# same W, so nothing decides whose H it is. A score knows the times and gets further, where notes
# do not coincide; not even ideal masks get far.

# %%
first, second = whole["guitar"][: 6 * SR], whole["guitar"][8 * SR : 14 * SR]
guitars = {"first": first, "second": second}
duo = first + second
examples = {
    "first": whole["guitar"][6 * SR : 8 * SR],
    "second": whole["guitar"][14 * SR :],
}
stems = na.GuidedSeparator(example=examples)(duo, SR)
duo_results = {
    "mixture": dict.fromkeys(guitars, duo),
    "guided": {k: stems[k][0] for k in guitars},
}
parts = [
    na.Note(n.onset - start, min(n.offset - start, 6), n.pitch, n.velocity, track)
    for track, start in (("first", 0), ("second", 8))
    for n in na.read_notes(na.example("trio", "score.mid"))
    if n.track == "guitar" and start <= n.onset < start + 5.9
]
stems = na.ScoreSeparator(score=parts, aligned=True)(duo, SR)
duo_results["score"] = {k: stems[k][0] for k in guitars}
duo_results["ideal mask"] = ideal(guitars, stft)
duo_means = {label: mean_score(guitars, e) for label, e in duo_results.items()}
for label, x in duo_means.items():
    print(f"two guitars, {label}: {x:.1f} dB")
assert duo_means["guided"] < duo_means["mixture"]
assert duo_means["guided"] + 3 < duo_means["score"] < duo_means["ideal mask"] < 10

listen(
    {
        "two guitars": duo,
        "first guitar, true": first,
        "first guitar, guided": duo_results["guided"]["first"],
        "first guitar, score": duo_results["score"]["first"],
    }
)

# %% [markdown]
# **Sounds that change.** A component has one spectrum. A steady tone is one component; vibrato, a
# pitch that swings, and a glide need one for each pitch that they pass, so a voice or a violin
# costs many components, which then must be grouped. Measured on three tones of the same ten
# partials:

# %%
t = np.arange(2 * SR) / SR
cycles = {  # of the fundamental, around 440 Hz
    "steady": 440 * t,
    "vibrato ±3 %": 440 * t - 440 * 0.03 * np.cos(2 * np.pi * 5 * t) / (2 * np.pi * 5),
    "glide of an octave": 440 * (2 ** (t / 2) - 1) * 2 / np.log(2),
}
tones = {
    label: 0.1 * sum(np.sin(2 * np.pi * h * cycle) / h for h in range(1, 11))
    for label, cycle in cycles.items()
}
ranks = (1, 2, 4, 8, 16, 32)
window = na.Stft(SR, n_fft=2048)
figure, axes = plt.subplots(figsize=(6, 3), layout="constrained")
errors = {}
for (label, y), style in zip(tones.items(), ("o-", "s--", "^:"), strict=True):
    X = magnitudes(y, window)[:, 4:-4]  # without the beginning and the end
    fits = [na.nmf(X, rank, init="nndsvdar", rng=0).model() for rank in ranks]
    errors[label] = [np.linalg.norm(X - fit) / np.linalg.norm(X) for fit in fits]
    axes.plot(ranks, errors[label], style, label=label)
axes.set_xscale("log", base=2)
axes.set_xticks(ranks, [str(rank) for rank in ranks])
axes.set(xlabel="components", ylabel="relative error of the model")
axes.grid(alpha=0.3)
axes.legend()
plt.show()
needed = {
    label: next((r for r, e in zip(ranks, row, strict=True) if e < 0.1), None)
    for label, row in errors.items()
}
print("components for an error below 10 %:")
print(
    *(f"{label}: {rank or 'more than 32'}" for label, rank in needed.items()), sep="\n"
)
assert needed["steady"] == 1
assert needed["vibrato ±3 %"] >= 4
assert needed["glide of an octave"] is None or needed["glide of an octave"] >= 16

listen(tones, 2)

# %% [markdown]
# Remedies have structures of their own ([METHODS.md](../METHODS.md)): pitches that glide
# (`ScoreSeparator`), source and filter for voices (`F0Separator`), shifts along a logarithmic
# frequency axis (`Convolutive2D`).
#
# **And the ceiling.** All these methods divide bins and keep the phases of the mixture. The ideal
# mask, which knows the magnitudes of the answer, stays below 14 dB on the trio. For the voice in a
# finished pop song blind NMF is the wrong tool, and neural networks trained on many separated songs
# are the right one. The ground of NMF is elsewhere: seconds of example, a score, a few boxes, no
# training data, and a model that you can look into and listen to.

# %%
assert mean["ideal mask"] < 14
print(f"ideal mask on the trio: {mean['ideal mask']:.1f} dB")

# %% [markdown]
# ## To remember
#
# - V leaves out the phases: these are borrowed from the mixture.
# - The window decides what can be told apart: long for pitch, short for time.
# - Components are not sources. Grouping them takes ears, or knowledge.
# - Zeros in W and H are knowledge that multiplicative updates respect. How notes sound and when
#   they sound are two kinds of it.
# - A figure of one excerpt is one sample: repeat it on others before you believe an order.
# - Ceilings first: if the ideal mask fails, no factorisation will help.
#
# ## References
#
# - S. Wold, "Cross-validatory estimation of the number of components in factor and principal
#   components models", Technometrics 20(4), 1978,
#   [doi:10.1080/00401706.1978.10489693](https://doi.org/10.1080/00401706.1978.10489693).
# - D. D. Lee and H. S. Seung, "Learning the parts of objects by non-negative matrix
#   factorization", Nature 401, 1999, [doi:10.1038/44565](https://doi.org/10.1038/44565).
# - J.-P. Brunet, P. Tamayo, T. R. Golub and J. P. Mesirov, "Metagenes and molecular pattern
#   discovery using matrix factorization", PNAS 101(12), 2004,
#   [doi:10.1073/pnas.0308531101](https://doi.org/10.1073/pnas.0308531101).
# - P. Smaragdis, "Non-negative matrix factor deconvolution", ICA 2004,
#   [doi:10.1007/978-3-540-30110-3_63](https://doi.org/10.1007/978-3-540-30110-3_63).
# - E. Vincent, R. Gribonval and C. Févotte, "Performance measurement in blind audio source
#   separation", IEEE TASLP 14(4), 2006,
#   [doi:10.1109/TSA.2005.858005](https://doi.org/10.1109/TSA.2005.858005).
# - P. Smaragdis, B. Raj and M. Shashanka, "Supervised and semi-supervised separation of sounds from
#   single-channel mixtures", ICA 2007,
#   [doi:10.1007/978-3-540-74494-8_52](https://doi.org/10.1007/978-3-540-74494-8_52).
# - T. Virtanen, "Monaural sound source separation by nonnegative matrix factorization with
#   temporal continuity and sparseness criteria", IEEE TASLP 15(3), 2007,
#   [doi:10.1109/TASL.2006.885253](https://doi.org/10.1109/TASL.2006.885253).
# - C. Févotte, N. Bertin and J.-L. Durrieu, "Nonnegative matrix factorization with the
#   Itakura-Saito divergence", Neural Computation 21(3), 2009,
#   [doi:10.1162/neco.2008.04-08-771](https://doi.org/10.1162/neco.2008.04-08-771).
# - V. Satopää, J. Albrecht, D. Irwin and B. Raghavan, "Finding a 'kneedle' in a haystack: detecting
#   knee points in system behavior", ICDCS Workshops 2011,
#   [doi:10.1109/ICDCSW.2011.20](https://doi.org/10.1109/ICDCSW.2011.20).
# - S. Ewert and M. Müller, "Using score-informed constraints for NMF-based source separation",
#   ICASSP 2012, [doi:10.1109/ICASSP.2012.6287834](https://doi.org/10.1109/ICASSP.2012.6287834).
# - V. Y. F. Tan and C. Févotte, "Automatic relevance determination in nonnegative matrix
#   factorization with the β-divergence", IEEE TPAMI 35(7), 2013,
#   [doi:10.1109/TPAMI.2012.240](https://doi.org/10.1109/TPAMI.2012.240).
# - N. J. Bryan, G. J. Mysore and G. Wang, "ISSE: an interactive source separation editor", CHI
#   2014,
#   [doi:10.1145/2556288.2557253](https://doi.org/10.1145/2556288.2557253).
# - S. Ewert, B. Pardo, M. Müller and M. D. Plumbley, "Score-informed source separation for musical
#   audio recordings: an overview", IEEE Signal Processing Magazine 31(3), 2014,
#   [doi:10.1109/MSP.2013.2296076](https://doi.org/10.1109/MSP.2013.2296076).
# - A. Liutkus and R. Badeau, "Generalized Wiener filtering with fractional power spectrograms",
#   ICASSP 2015, [doi:10.1109/ICASSP.2015.7177973](https://doi.org/10.1109/ICASSP.2015.7177973).
# - C. Dittmar and M. Müller, "Reverse engineering the Amen break: score-informed separation and
#   restoration applied to drum recordings", IEEE/ACM TASLP 24(9), 2016,
#   [doi:10.1109/TASLP.2016.2567645](https://doi.org/10.1109/TASLP.2016.2567645).
# - J. Le Roux, S. Wisdom, H. Erdogan and J. R. Hershey, "SDR – half-baked or well done?", ICASSP
#   2019, [doi:10.1109/ICASSP.2019.8683855](https://doi.org/10.1109/ICASSP.2019.8683855).
