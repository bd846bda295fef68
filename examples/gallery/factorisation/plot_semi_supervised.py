"""
Some templates known, others learned
====================================

Templates of the guitar and of the bassoon are known from another part of the piece; eight free
templates learn what these do not explain, which is mostly the oboe. One hears the free components:
the model was never shown an oboe.
"""

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Audio

import nmfaudio as na

y, sr = na.read(na.example("trio"), stop=4)
y, names = y.mean(0, keepdims=True), ("guitar", "bassoon")
files = [na.example("trio", f"sources/{name}.flac") for name in names]
alone = [na.read(file, start=5, stop=12).samples.mean(0) for file in files]
known = na.learn(dict(zip(names, alone, strict=True)), sr, kind="templates", size=20)
stft, rng = known.transform, np.random.default_rng(0)
Z = stft.forward(y)
W = np.hstack([known.templates, rng.random((len(known.templates), 8))])
learned = np.arange(48) >= 40
d = na.nmf(stft.features(Z), W=W, update_W=learned, rng=0)
masks = na.soft_masks([d.part(np.flatnonzero(k)) for k in (~learned, learned)])
rest = stft.inverse(masks[1] * Z, y.shape[1])

oboe = na.read(na.example("trio", "sources/oboe.flac"), stop=4).samples.mean(0)
before, after = na.metrics.si_sdr(oboe, y[0]), na.metrics.si_sdr(oboe, rest[0])
print(f"oboe: {before:.1f} dB in the mixture, {after:.1f} dB in the free part")
assert after > before + 5

fig = plt.figure(figsize=(9, 6.5), layout="constrained")
na.plot_factors(d, transform=stft, components=range(40, 48), top_hz=4000, fig=fig)
Audio(rest, rate=sr)
