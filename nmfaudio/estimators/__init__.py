"""NMF as scikit-learn estimators; needs the extra ``nmfaudio[sklearn]``.

In this package data is (sample, feature), as everywhere in scikit-learn: the transpose of V
(freq, time). A sample is a frame, ``components_`` the transpose of W, and the result of `transform`
the transpose of H. The seed is called ``random_state``, as scikit-learn demands; everywhere else in
nmfaudio it is ``rng``.
"""

from nmfaudio.estimators.convolutive import ConvolutiveNMF
from nmfaudio.estimators.mini_batch import MiniBatchNMF
from nmfaudio.estimators.plain import NMF

__all__ = ["NMF", "ConvolutiveNMF", "MiniBatchNMF"]
