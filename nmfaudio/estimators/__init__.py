"""NMF as scikit-learn estimators; needs the extra ``nmfaudio[sklearn]``.

On this border, and only here, data is (sample, feature), as everywhere in scikit-learn: the
transpose of V (freq, time), so that a sample is a frame, ``components_`` is the transpose of W and
what `transform` returns that of H.
"""

from nmfaudio.estimators.convolutive import ConvolutiveNMF
from nmfaudio.estimators.mini_batch import MiniBatchNMF
from nmfaudio.estimators.plain import NMF

__all__ = ["NMF", "ConvolutiveNMF", "MiniBatchNMF"]
