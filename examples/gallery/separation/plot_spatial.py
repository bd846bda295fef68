"""
Spectrum and position
=====================

The oboe is on the left, the bassoon on the right. With the same models, a multichannel Wiener
filter also uses these positions, where a mask treats both channels alike. All three instruments
gain by it, and the one heard here is the guitar in the middle.
"""

import matplotlib.pyplot as plt
from IPython.display import Audio

import nmfaudio as na

y, sr = na.read(na.example("trio"), stop=2.5)
score = [note for note in na.read_notes(na.example("trio", "score.mid")) if note.onset < 2.5]
names = ("oboe", "guitar", "bassoon")
truth = {
    name: na.read(na.example("trio", f"sources/{name}.flac"), stop=2.5).samples for name in names
}
scores = {}
for spatial in ("mask", "wiener"):
    stems = na.score(y, sr, score=score, aligned=True, spatial=spatial, max_iter=10)
    scores[spatial] = na.evaluate(truth, stems, mixture=y)
gains = scores["wiener"].scores["si_sdr"] - scores["mask"].scores["si_sdr"]
print("gain in dB:", dict(zip(names, gains.round(1).tolist(), strict=True)))
assert min(gains) > 1

fig, ax = plt.subplots(figsize=(7, 3.5), layout="constrained")
na.display.plot_evaluation(scores, ax=ax)
Audio(stems["guitar"].mean(0), rate=sr)
