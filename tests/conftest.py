"""What all tests need before they begin."""

from nmfaudio._common.librosa_loader import load_librosa

load_librosa()  # the workers take turns; tests that use librosa by itself would not
