"""
Kick, snare and hi-hat
======================

Each part of the kit is a short spectrogram that recurs. Templates of other kits ship with the
package, find the hits, and then adapt to this kit. One sees the share of each part in every bin,
and hears the snare drum alone.
"""

import matplotlib.pyplot as plt
from IPython.display import Audio

import nmfaudio as na

y, sr = na.read(na.example("drums"), stop=4)
stems = na.drums(y, sr)

truth = {
    name: na.read(na.example("drums", f"sources/{name}.flac"), stop=4).samples
    for name in stems
}
scores = na.evaluate(truth, stems)
print(scores)
assert min(scores.scores["si_sdr"]) > 6

na.display.plot_masks(stems, fig=plt.figure(figsize=(9, 4), layout="constrained"))
Audio(stems["snare"], rate=sr)
