"""Check that the audio files named on stdin sum to the mixture named as the argument."""

import sys

import numpy as np
import soundfile

mixture, rate = soundfile.read(sys.argv[1], dtype="float64", always_2d=True)
stems = [soundfile.read(line.strip(), always_2d=True) for line in sys.stdin if line.strip()]
if len(stems) < 2 or any(sr != rate or y.shape != mixture.shape for y, sr in stems):
    sys.exit(f"{len(stems)} stems, not all like the mixture")
error = np.abs(mixture - sum(y for y, _ in stems)).max() / np.abs(mixture).max()
print(f"{len(stems)} stems sum to the mixture within {error:.1e} of its peak")
sys.exit(int(error > 1e-6))
