"""
Notes from activations of another package
=========================================

Activations are computed with the templates of a piano by scikit-learn, which knows nothing of
notes, and then decoded: a note begins where the activations of its pitch rise. The decoding takes
the activations or the salience of any program; its threshold decides how many notes there are.
"""

import matplotlib.pyplot as plt
from sklearn.decomposition import non_negative_factorization

import nmfaudio as na

y, sr = na.read(na.example("piano"), stop=6)
piano = na.Transcriber().dictionary
V = na.audio.analyse(y, piano.transform)
H, _, _ = non_negative_factorization(
    V.T,
    H=piano.templates.T.astype(V.dtype),
    n_components=piano.n_components,
    update_H=False,
    solver="mu",
    beta_loss="kullback-leibler",
    max_iter=20,
    tol=0,
)
times = piano.transform.times(V.shape[1])
few, many = (
    na.decode_notes(H.T, piano.pitches, times, threshold=threshold)
    for threshold in (0.2, 0.05)
)
assert len(few) < len(many)

fig, axes = plt.subplots(2, sharex=True, figsize=(9, 6), layout="constrained")
for ax, notes in zip(axes, (few, many), strict=True):
    na.display.plot_notes(notes, ax=ax)
