"""Checks, files and small helpers that every package may import."""
