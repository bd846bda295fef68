"""
A dictionary of instruments
===========================

Eight templates of each instrument are learned from a few seconds in which it plays alone. A
dictionary keeps them with their labels and their transform, can be saved, and is what guided
separation works with. One hears the templates of the oboe, one after the other.
"""

import matplotlib.pyplot as plt
from IPython.display import Audio

import nmfaudio as na

names = ("oboe", "guitar", "bassoon")
files = [na.example("trio", f"sources/{name}.flac") for name in names]
recordings = [na.read(file, start=2, stop=6) for file in files]
sounds = dict(zip(names, (r.samples for r in recordings), strict=True))
sr = recordings[0].sr
dictionary = na.learn(sounds, sr, kind="templates", size=8)
print(dictionary)
assert abs(dictionary.templates.sum(0) - 1).max() < 1e-5

fig, ax = plt.subplots(figsize=(9, 4), layout="constrained")
na.plot_dictionary(dictionary, top_hz=8000, ax=ax)
Audio(na.dictionaries.sonify_dictionary(dictionary, "oboe"), rate=sr)
