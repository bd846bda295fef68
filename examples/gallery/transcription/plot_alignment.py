"""
A score aligned with its performance
====================================

A score in strict tempo is aligned with a performance that breathes. The curve shows by how much
the strict score is ahead or behind, note by note; after alignment the onsets are those of the
recording, mostly to a tenth of a second.
"""

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Audio

import nmfaudio as na

y, sr = na.read(na.example("piano"), stop=12)
played = [n for n in na.read_notes(na.example("piano", "score.mid")) if n.offset < 12]
rng = np.random.default_rng(0)


def strict(seconds):
    """Time in a score whose tempo wanders around that of the performance."""
    return 0.9 * seconds + 0.2 * np.sin(seconds)


score = [na.Note(strict(n.onset), strict(n.offset), n.pitch) for n in played]
aligned = na.symbolic.align(score, y, sr)
truth = np.array([n.onset for n in played])
before, after = (np.array([n.onset for n in notes]) - truth for notes in (score, aligned))
print(f"median error {np.median(abs(before)):.2f} s before, {np.median(abs(after)):.2f} s after")
assert np.median(abs(after)) < 0.1

fig, ax = plt.subplots(figsize=(8, 3.5), layout="constrained")
ax.plot(truth, before, "s--", label="score")
ax.plot(truth, after, "o-", label="aligned score")
ax.set(xlabel="onset in the recording [s]", ylabel="distance of the onset [s]")
ax.legend()
Audio(y[:, : 6 * sr], rate=sr)
