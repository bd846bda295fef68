"""How well recordings come apart, against their true sources: ``python -m benchmarks.quality DIR``.

DIR has a folder for each case (see `cases`); without it, the project's own samples are the cases.
`peers` are the rows to be measured by, `ours` our separators; a system that has no business with a
case leaves it out. What is reported is the SDR of BSS-eval version 3 and SI-SDR, mean over the
sources, of the test section of each case; where chance has a part, mean and standard deviation over
seeds.
"""
