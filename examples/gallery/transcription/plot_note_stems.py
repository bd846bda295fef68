"""
The two hands of a pianist
==========================

A transcription has a model of each note, so that any group of notes can be masked out of the
recording: single notes, pitches, or the hands. The stems sum to the recording. One hears the left
hand, as far as a split by pitch can tell.
"""

import matplotlib.pyplot as plt
from IPython.display import Audio

import nmfaudio as na

y, sr = na.read(na.example("piano"), stop=6)
result = na.Transcriber()(y, sr)
stems = result.stems(by="hand")
print(list(stems))
assert abs(stems.residual()).max() < 1e-5

na.plot_stems(
    stems, fig=plt.figure(figsize=(9, 4.5), layout="constrained"), top_hz=4000
)
Audio(stems["left"], rate=sr)
