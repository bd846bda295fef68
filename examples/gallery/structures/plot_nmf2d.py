"""
One template for all notes
==========================

On a constant-Q axis a transposition is a shift. NMF2D therefore needs a single template for a
piano: its activations tell which shift, that is which note, sounds when. One sees the template
beside the notes, and below them their shifts, the lowest at the bottom; one hears the notes.
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

fig = plt.figure(figsize=(9, 4.2), layout="constrained")
na.plot_factors(d, V, transform=cqt, fig=fig)
frames = (np.arange(6) + 0.5) * 0.6 * sr / cqt.hop
shifts = d.factors[1][:, 0, np.round(frames).astype(int)].argmax(0)
print("intervals found:", (shifts - shifts[0]).tolist())
assert (shifts - shifts[0] == np.subtract(pitches, pitches[0])).all()
Audio(y, rate=sr)
