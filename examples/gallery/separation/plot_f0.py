"""
A voice whose pitch is known
============================

The pitch of the oboe, a table of seconds and Hz, draws its partials over the spectrogram. A filter
that varies over time weights them, and free components take everything else. One hears the oboe
without the guitar and the bassoon.
"""

import matplotlib.pyplot as plt
from IPython.display import Audio

import nmfaudio as na

y, sr = na.read(na.example("trio"), stop=4)
table = na.separators.read_pitch(na.example("trio", "oboe.csv"))
rows = table.times < 4
pitch = na.separators.Pitch(table.times[rows], table.hertz[rows])
stems = na.f0(y, sr, pitch=pitch, max_iter=30)

oboe = na.read(na.example("trio", "sources/oboe.flac"), stop=4).samples
before, after = na.metrics.si_sdr(oboe, y), na.metrics.si_sdr(oboe, stems["voice"])
print(f"SI-SDR of the oboe: {before:.1f} dB in the mixture, {after:.1f} dB in its stem")
assert after > before + 6

panels = na.plot_stems(
    stems, fig=plt.figure(figsize=(9, 5), layout="constrained"), top_hz=4000
)
voiced = pitch.hertz > 0
panels["mixture"].plot(pitch.times[voiced], pitch.hertz[voiced], "c.", markersize=3)
Audio(stems["voice"].mean(0), rate=sr)
