"""
From a recording to notes
=========================

A piano recording is decomposed over the notes of a piano dictionary, and the activations are
decoded to onsets and offsets. The colours compare them with the score: found, missed, and extra
notes. One hears the notes as simple tones.
"""

import matplotlib.pyplot as plt
from IPython.display import Audio

import nmfaudio as na

y, sr = na.read(na.example("piano"), stop=6)
result = na.Transcriber()(y, sr)
score = [n for n in na.read_notes(na.example("piano", "score.mid")) if n.onset < 5.9]
scores = na.evaluate_transcription(score, result.notes)
print(scores)
assert scores.onset_f > 0.9

fig, ax = plt.subplots(figsize=(9, 4), layout="constrained")
na.display.plot_notes(result.notes, score, ax=ax)
Audio(result.sonify(), rate=sr)
