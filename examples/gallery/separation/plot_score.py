"""
A score as guide
================

A score says which notes sound when. The activation of a note is zero where the score has none, and
stays zero, so that each instrument keeps to its own part. One hears the guitar, which lies between
the other two instruments in pitch and position.
"""

import matplotlib.pyplot as plt
from IPython.display import Audio

import nmfaudio as na

y, sr = na.read(na.example("trio"), stop=3)
score = [
    note for note in na.read_notes(na.example("trio", "score.mid")) if note.onset < 3
]
stems = na.score(y, sr, score=score, aligned=True)

truth = {
    name: na.read(na.example("trio", f"sources/{name}.flac"), stop=3).samples
    for name in stems
}
for name, source in truth.items():
    before, after = na.metrics.si_sdr(source, y), na.metrics.si_sdr(source, stems[name])
    print(f"{name}: SI-SDR {before:.1f} dB in the mixture, {after:.1f} dB in its stem")
    assert after > before + 5

na.plot_stems(stems, fig=plt.figure(figsize=(9, 5), layout="constrained"))
Audio(stems["guitar"].mean(0), rate=sr)
