"""Estimates of memory."""

from __future__ import annotations

# Memory, as measured: bytes of the process itself; how many real spectrograms are held while one is
# factored, and how many excerpts of it beside it while components are described; for how many
# chunks there are sums like templates, and how often those and activations are held; how many
# copies there are of the block that is turned back into audio (masked as complex, summed as
# float64); how many there are of the frames from which places are found, per channel and per
# source; how many there are of a stretch whose phases are refined.
PROCESS = 200 * 2**20
