"""
Sound that is still arriving
============================

Drums are separated block by block, with a delay of less than a tenth of a second: templates are
fixed before, and each frame only fits its activations. The result does not depend on how the
stream is cut into blocks. One sees the levels of the stems, and hears the snare drum.
"""

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Audio

import nmfaudio as na

y, sr = na.read(na.example("drums"), stop=2)


def play(size):
    stream = na.Stream(na.DrumSeparator(one_shots=na.example("drums", "one_shots")), sr)
    blocks = [stream.push(y[:, i : i + size]) for i in range(0, y.shape[1], size)]
    blocks.append(stream.flush())
    assert stream.delay < 0.1 * sr
    return {k: np.concatenate([b[k] for b in blocks], axis=1) for k in stream.names}


stems = play(512)
snare = na.read(na.example("drums", "sources/snare.flac"), stop=2).samples
before, after = na.metrics.si_sdr(snare, y), na.metrics.si_sdr(snare, stems["snare"])
print(f"snare drum: {before:.1f} dB in the mixture, {after:.1f} dB in its stem")
assert after > before + 5
assert all(np.array_equal(stems[name], sound) for name, sound in play(3000).items())

fig, ax = plt.subplots(figsize=(8, 3.5), layout="constrained")
for (name, sound), style in zip(stems.items(), ("-", "--", ":"), strict=True):
    levels = np.sqrt(
        np.square(sound[0, : len(sound[0]) // 441 * 441]).reshape(-1, 441).mean(1)
    )
    ax.plot(np.arange(len(levels)) * 441 / sr, levels, style, label=name)
ax.set(xlabel="time [s]", ylabel="level")
ax.legend()
Audio(stems["snare"], rate=sr)
