"""
Templates of a kit from its hits
================================

Where the hits of a drum recording are known, templates of its own kit are learned from it. They
transcribe the rest of the recording. One sees a template per part in milliseconds and Hz, and hears
the recording that they are learned from.
"""

import matplotlib.pyplot as plt
from IPython.display import Audio

import nmfaudio as na

y, sr = na.read(na.example("drums"))
score, half = na.read_notes(na.example("drums", "score.mid")), y.shape[1] // 2
first = [note for note in score if note.onset < half / sr - 0.1]
kit = na.dictionaries.learn_drums([((y[:, :half], sr), first)], lags=16)
print(kit)

parts = tuple(kit.names)
found = na.DrumTranscriber(kit, parts=parts)(y[:, half:], sr)
second = [note for note in score if note.onset >= half / sr]
scores = na.evaluate_transcription(
    [
        na.Note(n.onset - half / sr, n.offset - half / sr, n.pitch, channel=9)
        for n in second
    ],
    found.notes,
)
print(scores)
assert scores.drum_f > 0.9

fig = plt.figure(figsize=(8, 3.2), layout="constrained")
na.display.plot_templates(kit, fig=fig)
Audio(y[:, :half], rate=sr)
