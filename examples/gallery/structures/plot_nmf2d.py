"""
One template for all notes
==========================

On a constant-Q axis a transposition is a shift. NMF2D therefore needs a single template for a
piano: its activations tell which shift, that is which note, sounds when. One sees the template,
and the shifts of the six notes that one hears.
"""

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Audio

import nmfaudio as na

pitches = (53, 57, 60, 65, 69, 72)
notes = [na.read(na.example("piano", f"notes/{p}.flac"), stop=0.6) for p in pitches]
sr, y = notes[0].sr, np.concatenate([note.samples[0] for note in notes])
cqt = na.Cqt(sr, hop=2048, fmin=110, n_bins=72, n_fft=16384)
V = cqt.features(cqt.forward(y))
rng = np.random.default_rng(0)
factors = [
    na.Factor(rng.random((3, 72, 1))),
    na.Factor(rng.random((24, 1, V.shape[1]))),
]
d = na.decompose(
    V, factors, structure=na.structures.Convolutive2D(), max_iter=300, rng=0
)

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
left.plot(d.factors[0].sum((0, 2)))
left.set(xlabel="bin [semitones]", ylabel="template")
right.imshow(d.factors[1][:, 0], origin="lower", aspect="auto", cmap="magma")
right.set(xlabel="frame", ylabel="shift [semitones]")
frames = (np.arange(6) + 0.5) * 0.6 * sr / cqt.hop
shifts = d.factors[1][:, 0, np.round(frames).astype(int)].argmax(0)
print("intervals found:", (shifts - shifts[0]).tolist())
assert (shifts - shifts[0] == np.subtract(pitches, pitches[0])).all()
Audio(y, rate=sr)
