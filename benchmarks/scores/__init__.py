"""Benchmark of beats, bars, hands, keys, spelling and quantisation."""
