"""
The strength of each pitch
==========================

Before notes are decoded, there is the salience: the summed activations of the templates of each
pitch. It is what thresholds and smoothing work on, and shows why a note was missed. Blue boxes are
the decoded notes; their pitches hold most of the salience.
"""

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Audio

import nmfaudio as na

y, sr = na.read(na.example("piano"), stop=6)
result = na.Transcriber()(y, sr)
salience = result.salience
rows = np.isin(salience.pitches, [note.pitch for note in result.notes])
share = salience.values[rows].sum() / salience.values.sum()
print(
    f"{share:.0%} of the salience is at the {rows.sum()} pitches",
    f"of {len(result.notes)} notes",
)
assert share > 0.8

fig, ax = plt.subplots(figsize=(9, 4), layout="constrained")
na.display.plot_notes(result.notes, salience=salience, ax=ax)
Audio(y, rate=sr)
