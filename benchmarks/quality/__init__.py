"""Separation quality against the true sources: ``python -m benchmarks.quality DIR``.

DIR has one folder per case (see `cases`); without it, the sample recordings of the project are
the cases. `peers` holds the reference systems, `ours` the separators of this package; a system
that does not apply to a case skips it. Reported are the SDR of BSS-eval version 3 and the SI-SDR,
averaged over the sources, of the test section of each case; for systems that depend on random
numbers, mean and standard deviation over seeds.
"""
