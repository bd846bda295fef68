"""
A mosaic of sounds
==================

A tune of the oboe is rebuilt from frames of a guitar, which are the fixed templates. Activations
are kept sparse and diagonal, so that short passages of the source are played unchanged. One hears
the oboe's tune in the guitar's voice.
"""

import matplotlib.pyplot as plt
from IPython.display import Audio

import nmfaudio as na

target, sr = na.read(na.example("trio", "sources/oboe.flac"), start=0, stop=4)
guitar, _ = na.read(na.example("trio", "sources/guitar.flac"), start=4, stop=14)
mosaic = na.mosaics.mosaic(target.mean(0), guitar.mean(0), sr)
d = mosaic.decomposition
print(f"{(d.H > 0).sum(0).mean():.1f} of {len(d.H)} frames of the guitar in each frame")

fig, ax = plt.subplots(figsize=(8, 4), layout="constrained")
na.display.plot_mosaic(mosaic, ax=ax)
Audio(mosaic.audio, rate=sr)
