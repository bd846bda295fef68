"""
An example of each instrument
=============================

An oboe, a guitar and a bassoon play together. Each was recorded alone in another part of the
piece, and frames of these examples are the templates of its stem. One hears the oboe.
"""

import matplotlib.pyplot as plt
from IPython.display import Audio

import nmfaudio as na

y, sr = na.read(na.example("trio"), start=1, stop=4)
names = ("oboe", "guitar", "bassoon")
files = {name: na.example("trio", f"sources/{name}.flac") for name in names}
examples = {
    name: na.read(file, start=7, stop=12).samples for name, file in files.items()
}
stems = na.GuidedSeparator(example=examples, max_iter=10)(y, sr)

truth = {name: na.read(file, start=1, stop=4).samples for name, file in files.items()}
for name, source in truth.items():
    before, after = na.metrics.si_sdr(source, y), na.metrics.si_sdr(source, stems[name])
    print(f"{name}: SI-SDR {before:.1f} dB in the mixture, {after:.1f} dB in its stem")
    assert after > before + 5

na.plot_stems(stems, fig=plt.figure(figsize=(9, 5), layout="constrained"))
Audio(stems["oboe"].mean(0), rate=sr)
