"""Validation, files and small helpers for all packages."""
