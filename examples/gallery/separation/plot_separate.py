"""
Sources without any hint
========================

Thirty components of a drum groove are grouped into three sources by when they are active and by
their spectra. Nobody told which drum is which, so the stems are numbered by their energy; one
hears the first, which is the kick drum.
"""

import matplotlib.pyplot as plt
from IPython.display import Audio

import nmfaudio as na

y, sr = na.read(na.example("drums"), stop=4)
stems = na.separate(y, sr, n_sources=3)

parts = ("kick", "snare", "hihat")
truth = {
    name: na.read(na.example("drums", f"sources/{name}.flac"), stop=4).samples
    for name in parts
}
scores = {name: na.metrics.si_sdr(truth[name], stems["source-1"]) for name in parts}
for name, group in stems.groups.items():
    print(f"{name}: {len(group.components)} components around {group.centre_hz:.0f} Hz")
assert max(scores, key=scores.get) == "kick"

na.plot_stems(stems, fig=plt.figure(figsize=(9, 5), layout="constrained"))
Audio(stems["source-1"], rate=sr)
