"""
A separation and its measure
============================

SI-SDR compares each stem with the true source, in dB. It is read beside two others: that of the
mixture, which costs nothing, and that of an ideal mask, which no mask can exceed by much. One
hears the residual of the snare drum: what the stem has wrong.
"""

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Audio

import nmfaudio as na

y, sr = na.read(na.example("drums"), stop=3)
stems = na.drums(y, sr)
truth = {
    name: na.read(na.example("drums", f"sources/{name}.flac"), stop=3).samples
    for name in stems
}
stft = na.Stft(sr, 2048)
masks = na.soft_masks([abs(stft.forward(source)[0]) for source in truth.values()])
sounds = [stft.inverse(mask * stft.forward(y), y.shape[1]) for mask in masks]
ideal = na.evaluate(truth, dict(zip(truth, sounds, strict=True)))
found = na.evaluate(truth, stems, mixture=y)
assert (found.scores["si_sdr_improvement"] > 0).all()
assert ideal.mean["si_sdr"] > found.mean["si_sdr"]

fig, ax = plt.subplots(figsize=(7, 3.5), layout="constrained")
na.display.plot_evaluation(found, ideal=ideal, ax=ax)
Audio(np.asarray(stems["snare"] - truth["snare"]), rate=sr)
