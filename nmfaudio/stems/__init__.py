"""Stems from grouped components: grouping, masks, rendering."""

REST = "rest"
"""Name of the stem of everything that no other stem holds."""
