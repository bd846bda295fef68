"""
An oboe, a guitar and a bassoon
===============================

The notes of some instruments ship with the package. A dictionary of several of them finds out who
plays each note, and separates one instrument from the others. One hears the oboe.
"""

import matplotlib.pyplot as plt
from IPython.display import Audio

import nmfaudio as na

y, sr = na.read(na.example("trio"), stop=6)
players = [
    na.dictionaries.instrument_notes(name) for name in ("oboe", "guitar", "bassoon")
]
result = na.Transcriber(players[0].merge(*players[1:]))(y, sr)
stems = result.stems(by="track")
assert set(stems) == {"oboe", "guitar", "bassoon", "rest"}

fig, ax = plt.subplots(figsize=(9, 4.5), layout="constrained")
for name in ("oboe", "guitar", "bassoon"):
    notes = [note for note in result.notes if note.track == name]
    lengths = [note.offset - note.onset for note in notes]
    left = [note.onset for note in notes]
    ax.barh([note.pitch for note in notes], lengths, left=left, height=0.8, label=name)
ax.set(xlabel="Time (s)", ylabel="Pitch (MIDI number)")
ax.legend()
Audio(stems["oboe"], rate=sr)
