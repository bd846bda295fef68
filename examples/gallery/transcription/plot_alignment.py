"""
A score aligned with its performance
====================================

A score whose tempo is not that of the performance is aligned with the recording. The curves show
by how much its onsets are ahead or behind, note by note. After alignment most onsets are those of
the recording to a hundredth of a second, though not all.
"""

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Audio

import nmfaudio as na

y, sr = na.read(na.example("piano"), stop=12)
played = [n for n in na.read_notes(na.example("piano", "score.mid")) if n.offset < 12]


def written(seconds):
    """Time in the score of a time in the performance."""
    return 0.9 * seconds + 0.2 * np.sin(seconds)


score = [na.Note(written(n.onset), written(n.offset), n.pitch) for n in played]
aligned = na.symbolic.align(score, y, sr)
truth = np.array([n.onset for n in played])
before, after = (
    np.array([n.onset for n in notes]) - truth for notes in (score, aligned)
)
print(
    f"median error {np.median(abs(before)):.3f} s before,",
    f"{np.median(abs(after)):.3f} s after",
)
assert np.median(abs(after)) < 0.01

fig, ax = plt.subplots(figsize=(8, 3.5), layout="constrained")
ax.plot(truth, before, "s--", label="score")
ax.plot(truth, after, "o-", label="aligned score")
ax.set(xlabel="onset in the recording [s]", ylabel="distance of the onset [s]")
ax.legend()
Audio(y[:, : 6 * sr], rate=sr)
