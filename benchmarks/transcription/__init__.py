"""How well recordings are transcribed: ``python -m benchmarks.transcription [DIR]``.

DIR has pieces (see `cases`): MIDI files, which are rendered with several pianos, or recordings with
MIDI files or tables of the same name; without it, the project's own samples are the cases. `peers`
are the rows to be measured by, `ours` ours. A system knows isolated notes of instruments (piano) or
the other recordings (drums), and gives the notes of a piece for each of some thresholds. For every
piece the threshold is the one that was best on pieces of the other fold, so that no piece is judged
with what was tuned on it: the folds are halves of the pieces, and single tracks for drums. What is
reported is F by mir_eval, mean over the pieces with its 95 % bootstrap interval.
"""
