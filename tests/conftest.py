"""What all tests need before they begin."""

from nmfaudio._librosa import load_librosa

load_librosa()  # the workers take turns; tests that use librosa by itself would not
