"""Transcription quality: ``python -m benchmarks.transcription [DIR]``.

DIR holds pieces (see `cases`): MIDI files, which are rendered with several pianos, or recordings
with MIDI files or tables of the same name; without it, the sample recordings of the project are the
cases. `peers` holds the reference systems, `ours` the transcribers of this package. A system learns
from isolated notes of instruments (piano) or from the other recordings (drums), and returns the
notes of a piece for each of several thresholds. The threshold of a piece is the best one on the
pieces of the other fold, so that no piece is scored with a threshold tuned on it; folds are halves
of the pieces, or single tracks for drums. Reported are F-measures by mir_eval, mean over the pieces
with a 95 % bootstrap interval.
"""
