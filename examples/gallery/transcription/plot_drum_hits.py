"""
Hits of a drum kit
==================

Each part of the kit is a short spectrogram; peaks of its activation are hits, with a velocity. The
kit of the recording is not in the dictionary, whose templates adapt to it. One sees the hits
compared with the score, and hears the groove.
"""

import matplotlib.pyplot as plt
from IPython.display import Audio

import nmfaudio as na

y, sr = na.read(na.example("drums"), stop=5)
result = na.DrumTranscriber()(y, sr)
score = [n for n in na.read_notes(na.example("drums", "score.mid")) if n.onset < 4.95]
scores = na.evaluate_transcription(score, result.notes)
print(scores)
assert scores.drum_f > 0.9

fig, ax = plt.subplots(figsize=(9, 3), layout="constrained")
na.display.plot_notes(result.notes, score, ax=ax)
Audio(y, rate=sr)
