"""
Harmonic and percussive sounds
==============================

The drums of a band are separated from its bass and electric piano, without any knowledge of the
instruments. Sustained notes are horizontal lines of the spectrogram and go to ``harmonic``; hits
are vertical and go to ``percussive``, which one hears.
"""

import matplotlib.pyplot as plt
from IPython.display import Audio

import nmfaudio as na

y, sr = na.read(na.example("band"), start=5, stop=8)
stems = na.hpss(y.mean(0), sr, max_iter=30)

drums = na.read(na.example("band", "sources/drums.flac"), start=5, stop=8).samples.mean(
    0
)
before = na.metrics.si_sdr(drums, y.mean(0))
after = na.metrics.si_sdr(drums, stems["percussive"][0])
print(
    f"SI-SDR of the drums: {before:.1f} dB in the mixture, {after:.1f} dB in the stem"
)
assert after > before + 3

na.plot_stems(stems, fig=plt.figure(figsize=(9, 4), layout="constrained"))
Audio(stems["percussive"], rate=sr)
