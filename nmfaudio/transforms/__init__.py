"""From audio to spectrograms and back: each transform knows its own inverse."""

from nmfaudio.transforms.base import Transform
from nmfaudio.transforms.spectral import Stft, default_n_fft

__all__ = ["Stft", "Transform", "default_n_fft"]
