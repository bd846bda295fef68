"""
Boxes painted over the spectrogram
==================================

One box marks the partials of the oboe, the other the low notes of the guitar and the bassoon.
Components learned in the boxes extend the sources to the rest of the recording, where nothing was
painted. One hears the oboe; draw another box over an error and run it again.
"""

import matplotlib.pyplot as plt
from IPython.display import Audio
from matplotlib.patches import Rectangle

import nmfaudio as na

y, sr = na.read(na.example("trio"), stop=4)
boxes = [
    {"source": "oboe", "start": 0.5, "end": 3, "low": 800, "high": 3000},
    {"source": "other", "start": 0.2, "end": 3.8, "low": 60, "high": 350},
]
stems = na.paint(y, sr, boxes=boxes, n_components=10, max_iter=30)

oboe = na.read(na.example("trio", "sources/oboe.flac"), stop=4).samples
before, after = na.metrics.si_sdr(oboe, y), na.metrics.si_sdr(oboe, stems["oboe"])
print(f"SI-SDR of the oboe: {before:.1f} dB in the mixture, {after:.1f} dB in its stem")
assert after > before + 3

panels = na.plot_stems(
    stems, fig=plt.figure(figsize=(9, 4.5), layout="constrained"), top_hz=4000
)
for box, colour in zip(boxes, ("white", "cyan"), strict=True):
    corner, width = (box["start"], box["low"]), box["end"] - box["start"]
    shape = Rectangle(corner, width, box["high"] - box["low"], fill=False, color=colour)
    panels["mixture"].add_patch(shape)
Audio(stems["oboe"].mean(0), rate=sr)
