"""Merging models: pure weight arithmetic, one tensor at a time."""
